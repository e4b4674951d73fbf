// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/**
 * Tokens that a chat template adds to a message: its role, the marks around both, line ends. Llama 3 and ChatML add 5.
 */
const TOKENS_PER_MESSAGE = 8
/** Tokens that a template adds to a request: beginning, the head of the answer, a default system prompt (Llama 3.1: 25). */
const TOKENS_PER_REQUEST = 32

/**
 * Tokens that a model may make of `texts`, from their characters alone: an estimate on the strict side, because a
 * request is let in by it; the upstream's own count replaces it afterwards. `messages` counts the messages they come
 * from; tool definitions and the like count as texts.
 *
 * What byte-pair encodings make of text at most, as a rule:
 *
 * - words: a token for every 3 lower-case letters or 2 capitals; for every 2 of either inside something longer, such as
 *   an identifier or a key. English takes 4 letters a token, other languages fewer, random letters down to 1.5;
 * - digits, punctuation, line ends: a token each;
 * - spaces: none before a word, a token for every 4 of a run;
 * - Greek, Cyrillic, Hebrew, Arabic and accented letters: a token each; Chinese, Japanese, Korean and rarer Latin
 *   letters: 2; all else, emoji too: one for each byte of UTF-8; and one for the space before.
 *
 * Linear in the length of the texts, and allocates nothing.
 */
export function estimateInputTokens(texts: Iterable<string>, messages: number): number {
  let tokens = TOKENS_PER_REQUEST + messages * TOKENS_PER_MESSAGE
  for (const text of texts) tokens += estimateTextTokens(text)
  return tokens
}

/** As above, for one text without any template. */
export function estimateTextTokens(text: string): number {
  let tokens = 0
  let place = START
  for (let at = 0; at < text.length; at++) {
    const unit = charCodeAt.call(text, at)
    const kind = unit < 128 ? (ASCII_KINDS[unit] as number) : Kind.wide
    const step = STEPS[place | kind] as number
    tokens += unit < 128 ? step & 1 : (step & 1) + wideTokens(unit)
    place = step >>> 1
  }
  return tokens
}

/** The fields by which a request bounds its answer, as they came. */
export interface OutputBounds {
  readonly max_tokens?: unknown
  readonly max_completion_tokens?: unknown
  readonly max_output_tokens?: unknown
  readonly n?: unknown
  readonly best_of?: unknown
}

/**
 * The most output tokens that a request allows: the largest of its bounds, never more than the model's, times the
 * answers it asks for. Servers differ in which bound they obey, and in what a strange one means: one that is not a
 * whole number above 0 counts as no bound at all.
 */
export function largestOutput(bounds: OutputBounds, maxOutputTokens: number): number {
  const given = [bounds.max_tokens, bounds.max_completion_tokens, bounds.max_output_tokens].filter(isGiven)
  const asked = given.map(bound => (isCount(bound) ? bound : maxOutputTokens))
  const perAnswer = asked.length === 0 ? maxOutputTokens : Math.min(maxOutputTokens, Math.max(...asked))
  return Math.min(perAnswer * times(bounds.n) * times(bounds.best_of), Number.MAX_SAFE_INTEGER)
}

const Kind = { mark: 0, lower: 1, upper: 2, space: 3, lineEnd: 4, wide: 5 } as const

const ASCII_KINDS = Uint8Array.from({ length: 128 }, (_, unit) => {
  if (unit === 0x20) return Kind.space
  if (unit < 0x20) return Kind.lineEnd
  if (unit >= 0x61 && unit <= 0x7a) return Kind.lower
  return unit >= 0x41 && unit <= 0x5a ? Kind.upper : Kind.mark
})

/** Runs are counted to here and on from 1: a multiple of all the lengths that matter. */
const LONGEST_RUN = 12
/** In `STEPS` a place has a slot for each kind. */
const SLOTS = 8

/** What the tokens of the next character depend on. */
interface Place {
  readonly previous: number
  /** Characters of the same kind in front of the previous one. */
  readonly run: number
  /** The run began behind a space or a line end. */
  readonly plainWord: boolean
}

function slotsOf({ previous, run, plainWord }: Place): number {
  return ((previous * (LONGEST_RUN + 1) + run) * 2 + (plainWord ? 1 : 0)) * SLOTS
}

const START = slotsOf({ previous: Kind.space, run: 0, plainWord: true })

/** By place and kind of the next character: twice the place that follows, and 1 for a token (beyond ASCII, for one more). */
const STEPS = makeSteps()

function makeSteps(): Uint16Array {
  const kinds = Object.values(Kind)
  const steps = new Uint16Array(kinds.length * (LONGEST_RUN + 1) * 2 * SLOTS)
  for (const previous of kinds) {
    for (let run = 0; run <= LONGEST_RUN; run++) {
      for (const plainWord of [false, true]) {
        const place = { previous, run, plainWord }
        for (const kind of kinds) steps[slotsOf(place) | kind] = stepOf(place, kind)
      }
    }
  }
  return steps
}

function stepOf(from: Place, kind: number): number {
  const { previous } = from
  const capitalised = kind === Kind.lower && previous === Kind.upper && from.run === 0
  const goesOn = kind === previous || capitalised
  const run = goesOn ? (from.run % LONGEST_RUN) + 1 : 0
  const plainWord = goesOn ? from.plainWord : previous === Kind.space || previous === Kind.lineEnd
  let token = true
  if (kind === Kind.lower) token = run % (plainWord ? 3 : 2) === 0
  else if (kind === Kind.upper) token = run % 2 === 0
  else if (kind === Kind.space) token = run % 4 === 1
  else if (kind === Kind.wide) token = previous === Kind.space
  return 2 * slotsOf({ previous: kind, run, plainWord }) + (token ? 1 : 0)
}

/** Tokens of a UTF-16 unit beyond ASCII. Half a surrogate pair is half of four bytes. */
function wideTokens(unit: number): number {
  if (unit < 0x100 || (unit >= 0x370 && unit < 0x800)) return 1
  if (unit < 0x370 || (unit >= 0xd800 && unit <= 0xdfff)) return 2
  const isEastAsian = (unit >= 0x3000 && unit <= 0x9fff) || (unit >= 0xac00 && unit <= 0xd7af) || unit >= 0xff00
  return isEastAsian ? 2 : 3
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}

function times(count: unknown): number {
  return isCount(count) ? count : 1
}
