import { FAMILIES, LITERALS, WORD_SETS } from './injection-phrases.ts'
import { normalise } from './injection-text.ts'
import { KEPT_WORDS, WordReader } from './injection-words.ts'
import { Vocabulary } from './vocabulary.ts'

/** What a text shows of prompt injection. */
export interface InjectionScan {
  /** From 0 to 1: the weights of the families found, as independent evidence. */
  readonly score: number
  /** Whether the score reaches the threshold. */
  readonly flagged: boolean
  /** The families found, each once, in order of appearance. */
  readonly rules: readonly string[]
}

/** From this score a text counts as an injection: one strong family, or two weak ones. */
export const INJECTION_THRESHOLD = 0.7

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

/** How many words a phrase may go on for: what is read ahead. */
const WINDOW = 48
if (WINDOW >= KEPT_WORDS) throw new RangeError('a phrase may be longer than what is kept')

const PARSED = FAMILIES.flatMap(({ name, weight, phrases }) => phrases.map(source => parse(source, name, weight)))
const WORDS = new Vocabulary([...PARSED.flatMap(({ steps }) => steps.flatMap(step => step.words)), ...LEADS, 'system'])
const PHRASES = phrasesByFirstWord()
const IS_LEAD = members(LEADS)
const SYSTEM = WORDS.find('system')
/** One for all texts: reading is not interrupted. */
const reader = new WordReader(WORDS)

/** The literal strings by their first character, which is no letter with a capital: where that is missing, so are they. */
const STARTS = LITERALS.flatMap(({ name, weight, strings }) =>
  [...new Set(strings.map(string => string.charAt(0)))].map(first => ({
    first,
    name,
    weight,
    strings: strings.filter(string => string.startsWith(first)),
  })),
)

/** Families found, with the weight of the surest phrase. */
type Found = Map<string, number>

const NOTHING: InjectionScan = { score: 0, flagged: false, rules: [] }

/**
 * Looks for prompt injections in a text of any length. Linear: each word begins a bounded number of phrases, each of which
 * reads a bounded number of words, and nothing is tried twice.
 */
export function scanInjection(text: string): InjectionScan {
  const isPlain = !text.includes('\\') && reader.openAscii(text)
  const normalised = isPlain ? text : normalise(text)
  if (!isPlain) reader.open(normalised)
  let found = literals(normalised)
  let word = 0
  while (reader.read()) {
    if (reader.count > word + WINDOW) found = begin(word++, found)
  }
  while (word < reader.count) found = begin(word++, found)
  reader.close()
  if (found === null) return NOTHING
  let doubt = 1
  for (const weight of found.values()) doubt *= 1 - weight
  const score = Math.round((1 - doubt) * 1000) / 1000
  return { score, flagged: score >= INJECTION_THRESHOLD, rules: [...found.keys()] }
}

/** The literal strings in a text that is normalised but, perhaps, for its capitals. */
function literals(text: string): Found | null {
  let found: Found | null = null
  let normalised: string | null = null
  for (const { first, name, weight, strings } of STARTS) {
    if (!text.includes(first)) continue
    normalised ??= text.toLowerCase()
    if (strings.some(string => normalised?.includes(string))) found = add(found, name, weight)
  }
  return found
}

/** Looks for what begins with the word, and adds it. */
function begin(word: number, found: Found | null): Found | null {
  const id = reader.id(word)
  if (id === 0) return found
  let now = found
  // `system:` where a line or a sentence begins.
  if (id === SYSTEM && reader.startsLine(word) && reader.hasColon(word)) {
    now = add(now, 'role-marker', INJECTION_THRESHOLD)
  }
  const phrases = PHRASES[id]
  if (phrases === undefined) return now
  for (const phrase of phrases) {
    if (phrase.opens && !reader.opens(word) && (word === 0 || !IS_LEAD[reader.id(word - 1)])) continue
    if (matches(phrase.steps, word)) now = add(now, phrase.family, phrase.weight)
  }
  return now
}

function add(found: Found | null, family: string, weight: number): Found {
  return (found ?? new Map<string, number>()).set(family, Math.max(found?.get(family) ?? 0, weight))
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
    const words = part.split('|').flatMap(word => WORD_SETS[word]?.split(' ') ?? [word])
    steps.push({ words, skip })
    skip = 0
  }
  return { family, weight, opens, steps }
}
