import { FAMILIES, LITERALS, WORD_SETS } from './injection-phrases.ts'
import { normalise } from './injection-text.ts'
import { KEPT_WORDS, WordReader } from './injection-words.ts'
import { Vocabulary } from './vocabulary.ts'

/** Families found, each with the weight of its surest phrase, in order of appearance. */
export type Families = Map<string, number>

/** `system:` where a line begins weighs as much. */
const ROLE_MARKER = 0.7

/** One step of a phrase: a word out of a set, with up to `skip` other words of the sentence in front. */
interface Step {
  /** By number of the word: 1 for those of the set. */
  readonly words: Uint8Array
  /** A colon behind the word in front will do. */
  readonly colon: boolean
  readonly skip: number
}

interface Phrase {
  readonly family: string
  readonly weight: number
  readonly opens: boolean
  /** Those behind the first. */
  readonly steps: readonly Step[]
}

/** Words that lead into an imperative. */
const LEADS =
  'please and now then must to you should just also so but first will can kindly simply immediately completely instead totally fully lets henceforth'.split(
    ' ',
  )

/** Words behind which a quotation is only spoken of. */
const MENTIONS = 'phrase phrases titled title term expression called text wording'.split(' ')

/** How many words a phrase may go on for: what is read ahead. */
const WINDOW = 48
if (WINDOW >= KEPT_WORDS) throw new RangeError('a phrase may be longer than what is kept')

const PARSED = FAMILIES.flatMap(({ name, weight, phrases }) => phrases.map(source => parse(source, name, weight)))
const WORDS = new Vocabulary([
  ...PARSED.flatMap(({ steps }) => steps.flatMap(step => step.words)),
  ...LEADS,
  ...MENTIONS,
  'system',
])
const PHRASES = phrasesByFirstWord()
const IS_LEAD = members(LEADS)
const IS_MENTION = members(MENTIONS)
const SYSTEM = WORDS.find('system')
/** One for all texts: reading is not interrupted. */
const reader = new WordReader(WORDS)

/** The literal strings by their first character: where that is missing, so are they. */
const STARTS = LITERALS.flatMap(({ name, weight, strings: written }) => {
  const strings = written.map(normalise)
  return [...new Set(strings.map(string => string.charAt(0)))].map(first => ({
    first,
    name,
    weight,
    strings: strings.filter(string => string.startsWith(first)),
  }))
})

/**
 * Adds the families of phrases that a normalised text has. Linear: each word begins a bounded number of phrases, each of which
 * reads a bounded number of words, and nothing is tried twice.
 * @param continues whether the text goes on from one in front, so that no sentence begins with it
 */
export function findPhrases(normalised: string, found: Families, continues = false): void {
  for (const { first, name, weight, strings } of STARTS) {
    if (normalised.includes(first) && strings.some(string => normalised.includes(string))) add(found, name, weight)
  }
  if (!reader.openAscii(normalised, continues)) reader.open(normalised, continues)
  let word = 0
  while (reader.read()) {
    if (reader.count > word + WINDOW) begin(word++, found)
  }
  while (word < reader.count) begin(word++, found)
  reader.close()
}

/** Looks for what begins with the word, and adds it. */
function begin(word: number, found: Families): void {
  const id = reader.id(word)
  if (id === 0) return
  // `system:` where a line or a sentence begins.
  if (id === SYSTEM && reader.startsLine(word) && reader.hasColon(word)) add(found, 'role-marker', ROLE_MARKER)
  for (const { opens, steps, family, weight } of PHRASES[id] ?? []) {
    if (opens && !mayOpen(word)) continue
    if (matches(steps, word)) add(found, family, weight)
  }
}

/** Whether the word is where an imperative begins, and not one that is only spoken of: the phrase "ignore …". */
function mayOpen(word: number): boolean {
  const before = word === 0 ? 0 : reader.id(word - 1)
  return (reader.opens(word) && !(IS_MENTION[before] && reader.isQuoted(word))) || IS_LEAD[before] === 1
}

function add(found: Families, family: string, weight: number): void {
  found.set(family, Math.max(found.get(family) ?? 0, weight))
}

function matches(steps: readonly Step[], first: number): boolean {
  let word = first + 1
  for (const { words, colon, skip } of steps) {
    let skipped = 0
    for (;;) {
      if (colon && word <= reader.count && reader.hasColon(word - 1)) break
      if (word >= reader.count) return false
      const id = reader.id(word++)
      if (words[id] === 1) break
      if (skipped === skip || reader.startsSentence(word - 1)) return false
      skipped++
    }
  }
  return true
}

function phrasesByFirstWord(): readonly (readonly Phrase[] | undefined)[] {
  const byFirst = Array.from<Phrase[] | undefined>({ length: WORDS.size })
  for (const { steps, ...rest } of PARSED) {
    const [first, ...others] = steps
    const phrase = {
      ...rest,
      steps: others.map(({ words, skip }) => ({ words: members(words), colon: words.includes(':'), skip })),
    }
    for (const word of new Set(first?.words)) {
      const id = WORDS.find(word)
      const known = byFirst[id]
      if (known === undefined) byFirst[id] = [phrase]
      else known.push(phrase)
    }
  }
  return byFirst
}

/** A table by number of a word: 1 for the given ones. */
function members(words: readonly string[]): Uint8Array {
  const table = new Uint8Array(WORDS.size)
  for (const word of words) table[WORDS.find(word)] = 1
  return table
}

interface ParsedPhrase {
  readonly family: string
  readonly weight: number
  readonly opens: boolean
  readonly steps: readonly { readonly words: readonly string[]; readonly skip: number }[]
}

function parse(source: string, family: string, weight: number): ParsedPhrase {
  const opens = source.startsWith('^')
  const steps: { words: string[]; skip: number }[] = []
  let skip = 0
  for (const part of source
    .slice(opens ? 1 : 0)
    .trim()
    .split(' ')) {
    if (part.startsWith('~')) {
      skip = Number(part.slice(1))
      continue
    }
    const words = part.split('|').flatMap(word => WORD_SETS[word]?.split(' ').map(normalise) ?? [word])
    steps.push({ words, skip })
    skip = 0
  }
  return { family, weight, opens, steps }
}
