import { FAMILIES, LITERALS, WORD_SETS } from './injection-phrases.ts'
import { normalise, type Word, wordsOf } from './injection-text.ts'

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
  readonly words: ReadonlySet<string>
  readonly skip: number
}

interface Phrase {
  readonly family: string
  readonly weight: number
  readonly opens: boolean
  readonly steps: readonly Step[]
}

/** Words that lead into an imperative. */
const LEADS = new Set(
  'please and now then must to you should just also so but first will can kindly simply immediately completely instead totally fully lets henceforth'.split(
    ' ',
  ),
)

/** How many words a phrase may span: the look-ahead that is kept. */
const WINDOW = 48

const PHRASES = phrasesByFirstWord()

/**
 * Looks for prompt injections in a text of any length. Linear: each word begins a bounded number of phrases, each of which
 * reads a bounded number of words, and nothing is tried twice.
 */
export function scanInjection(text: string): InjectionScan {
  const normalised = normalise(text)
  const found = new Map<string, number>()
  for (const { name, weight, strings } of LITERALS) {
    if (strings.some(string => normalised.includes(string))) found.set(name, weight)
  }
  const window: Word[] = []
  let previous = ''
  const begin = () => {
    const first = window[0]
    if (first === undefined) return
    if (isRoleMarker(first)) found.set('role-marker', Math.max(found.get('role-marker') ?? 0, INJECTION_THRESHOLD))
    for (const phrase of PHRASES.get(first.text) ?? []) {
      if (phrase.opens && !first.opens && !LEADS.has(previous)) continue
      if (matches(phrase, window)) found.set(phrase.family, Math.max(found.get(phrase.family) ?? 0, phrase.weight))
    }
    previous = first.text
    window.shift()
  }
  for (const word of wordsOf(normalised)) {
    window.push(word)
    if (window.length > WINDOW) begin()
  }
  while (window.length > 0) begin()
  let doubt = 1
  for (const weight of found.values()) doubt *= 1 - weight
  const score = Math.round((1 - doubt) * 1000) / 1000
  return { score, flagged: score >= INJECTION_THRESHOLD, rules: [...found.keys()] }
}

/** `system:` where a line or a sentence begins. */
function isRoleMarker({ text, lineStart, next }: Word): boolean {
  return text === 'system' && lineStart && next === ':'
}

function matches({ steps }: Phrase, window: readonly Word[]): boolean {
  let at = 1
  for (let index = 1; index < steps.length; index++) {
    const step = steps[index]
    if (step === undefined) return false
    let skipped = 0
    for (;;) {
      const word = window[at]
      if (step.words.has(':')) {
        if (window[at - 1]?.next === ':') break
      }
      if (word === undefined) return false
      at++
      if (step.words.has(word.text)) break
      if (skipped === step.skip || word.ends) return false
      skipped++
    }
  }
  return true
}

function phrasesByFirstWord(): ReadonlyMap<string, readonly Phrase[]> {
  const byFirst = new Map<string, Phrase[]>()
  for (const { name, weight, phrases } of FAMILIES) {
    for (const source of phrases) {
      const phrase = parse(source, name, weight)
      for (const word of phrase.steps[0]?.words ?? []) {
        const known = byFirst.get(word)
        if (known === undefined) byFirst.set(word, [phrase])
        else known.push(phrase)
      }
    }
  }
  return byFirst
}

function parse(source: string, family: string, weight: number): Phrase {
  const opens = source.startsWith('^')
  const steps: Step[] = []
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
    steps.push({ words: new Set(words), skip })
    skip = 0
  }
  return { family, weight, opens, steps }
}
