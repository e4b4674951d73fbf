import { EMPTY_HASH, hashOn, type Vocabulary } from './vocabulary.ts'

// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/** Words that are kept at least: the one looked at and those behind it. A power of two. */
export const KEPT_WORDS = 64
const MASK = KEPT_WORDS - 1
/** Of what stands between two words this much is looked at. */
const BETWEEN = 32

/**
 * The words of a normalised text, read in order: runs of letters and digits, with an apostrophe inside that does not count
 * (`don't` is `dont`). The last ones stay at hand. What stands around a word is looked at only when asked for: mostly, it is not.
 */
export class WordReader {
  /** Words read so far. */
  count = 0
  private text = ''
  private at = 0
  private readonly vocabulary: Vocabulary
  private readonly ids = new Uint16Array(KEPT_WORDS)
  private readonly starts = new Int32Array(KEPT_WORDS)
  private readonly ends = new Int32Array(KEPT_WORDS)
  /** Where the word in front ends; 0 for the first. */
  private readonly previousEnds = new Int32Array(KEPT_WORDS)

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary
  }

  /** Begins a text. */
  open(text: string): void {
    this.text = text
    this.at = 0
    this.count = 0
  }

  /** Reads the next word; false where there is none. */
  read(): boolean {
    const { text } = this
    const { length } = text
    const previousEnd = this.at
    let at = previousEnd
    let size = 0
    while (at < length && (size = wordUnits(text, at)) === 0) at++
    if (at === length) return false
    const start = at
    let hash = EMPTY_HASH
    do {
      hash = hashOn(hash, charCodeAt.call(text, at))
      if (size === 2) hash = hashOn(hash, charCodeAt.call(text, at + 1))
      at += size
    } while (at < length && (size = wordUnits(text, at)) > 0)
    let apostrophe = -1
    const mark = at < length ? charCodeAt.call(text, at) : 0
    if ((mark === 0x27 || mark === 0x2019) && isLowerCase(charCodeAt.call(text, at + 1))) {
      apostrophe = at
      for (at++; isLowerCase(charCodeAt.call(text, at)); at++) hash = hashOn(hash, charCodeAt.call(text, at))
    }
    const slot = this.count & MASK
    this.ids[slot] = this.vocabulary.findIn(text, start, at, apostrophe, hash)
    this.starts[slot] = start
    this.ends[slot] = at
    this.previousEnds[slot] = previousEnd
    this.count++
    this.at = at
    return true
  }

  /** The number of the word in the vocabulary, or 0. */
  id(word: number): number {
    return this.ids[word & MASK] as number
  }

  /** Whether a line, a sentence, a clause, a bracket or a quotation begins with the word. */
  opens(word: number): boolean {
    if (this.isFirst(word)) return true
    const start = this.starts[word & MASK] as number
    for (let at = this.betweenFrom(word); at < start; at++) {
      const unit = charCodeAt.call(this.text, at)
      if (unit === LINE_END || !isSpace(unit)) return true
    }
    return false
  }

  /** Whether a line or a sentence begins with it. */
  startsLine(word: number): boolean {
    if (this.isFirst(word)) return true
    const from = this.betweenFrom(word)
    for (let at = (this.starts[word & MASK] as number) - 1; at >= from; at--) {
      const unit = charCodeAt.call(this.text, at)
      if (endsSentence(unit)) return true
      if (!isSpace(unit) && !MARKS_IN_FRONT.has(unit)) return false
    }
    return false
  }

  /** Whether a sentence ended in front of it. */
  startsSentence(word: number): boolean {
    const start = this.starts[word & MASK] as number
    for (let at = this.betweenFrom(word); at < start; at++) {
      if (endsSentence(charCodeAt.call(this.text, at))) return true
    }
    return false
  }

  /** Whether the first character behind it that is no space is a colon. */
  hasColon(word: number): boolean {
    const end = this.ends[word & MASK] as number
    let at = end
    while (at < end + BETWEEN && charCodeAt.call(this.text, at) === 0x20) at++
    return charCodeAt.call(this.text, at) === 0x3a
  }

  private isFirst(word: number): boolean {
    return this.previousEnds[word & MASK] === 0
  }

  /** Where what is looked at in front of the word begins. */
  private betweenFrom(word: number): number {
    return Math.max(this.previousEnds[word & MASK] as number, (this.starts[word & MASK] as number) - BETWEEN)
  }
}

const LETTER = /[\p{L}\p{N}]/u
const YES = 1
const NO = 2
const HIGH_SURROGATE = 3
/** By unit, what has been asked before: asking the expression each time costs twenty times as much. */
const KINDS = new Uint8Array(0x10000).fill(HIGH_SURROGATE, 0xd800, 0xdc00)

/** Units of the letter or digit at `at`; 0 where none stands. */
function wordUnits(text: string, at: number): number {
  const unit = charCodeAt.call(text, at)
  const kind = KINDS[unit] as number
  if (kind === YES) return 1
  if (kind === NO) return 0
  if (kind === HIGH_SURROGATE) {
    const point = text.codePointAt(at) as number
    return point > 0xffff && LETTER.test(String.fromCodePoint(point)) ? 2 : 0
  }
  const found = LETTER.test(String.fromCharCode(unit))
  KINDS[unit] = found ? YES : NO
  return found ? 1 : 0
}

const LINE_END = 0x0a
/** Marks that may stand between the beginning of a line or sentence and its first word. */
const MARKS_IN_FRONT: ReadonlySet<number> = new Set(Array.from('#*>"\'`([{_-', mark => mark.charCodeAt(0)))

function endsSentence(unit: number): boolean {
  return unit === LINE_END || unit === 0x2e || unit === 0x21 || unit === 0x3f
}

/** White space, as a regular expression has it. */
function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || (unit >= 0xa0 && WIDE_SPACE.test(String.fromCharCode(unit)))
}

const WIDE_SPACE = /\s/

function isLowerCase(unit: number): boolean {
  return unit >= 0x61 && unit <= 0x7a
}
