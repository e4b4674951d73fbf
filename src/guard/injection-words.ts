import { isAsciiInto } from './ascii.ts'
import { EMPTY_HASH, hashOn, type Vocabulary } from './vocabulary.ts'

// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/** Words that are kept at least: the one looked at and those behind it. A power of two. */
export const KEPT_WORDS = 64
const MASK = KEPT_WORDS - 1
/** Of what stands between two words this much is looked at. */
const BETWEEN = 32
/** Room for longer texts is not kept, in units. */
const MAX_ROOM = 1 << 16

/**
 * The words of a normalised text, read in order: runs of letters and digits, with an apostrophe inside that does not count
 * (`don't` is `dont`). The last ones stay at hand. What stands around a word is looked at only when asked for: mostly, it is not.
 */
export class WordReader {
  /** Words read so far. */
  count = 0
  /** The text, and behind it a 0. An array, because each character of a string costs a call. */
  private units = new Uint16Array(1024)
  private bytes = new Uint8Array(1024)
  private length = 0
  private at = 0
  private continues = false
  private readonly vocabulary: Vocabulary
  private readonly ids = new Uint16Array(KEPT_WORDS)
  private readonly starts = new Int32Array(KEPT_WORDS)
  private readonly ends = new Int32Array(KEPT_WORDS)
  /** Where the word in front ends; 0 for the first. */
  private readonly previousEnds = new Int32Array(KEPT_WORDS)

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary
  }

  /** Begins a text that is normalised, or, where it `continues`, the next piece of one. */
  open(text: string, continues = false): void {
    const units = this.begin(text.length, continues)
    for (let at = 0; at < text.length; at++) units[at] = charCodeAt.call(text, at)
  }

  /** Begins a text of ASCII that is normalised but for its capitals; false where the text is another one. */
  openAscii(text: string, continues = false): boolean {
    const units = this.begin(text.length, continues)
    const { bytes } = this
    if (!isAsciiInto(text, bytes)) return false
    for (let at = 0; at < text.length; at++) units[at] = LOWER[bytes[at] as number] as number
    return true
  }

  /** Ends a text: nothing of a long one is kept. */
  close(): void {
    this.begin(0, false)
    if (this.units.length <= MAX_ROOM) return
    this.units = new Uint16Array(1024)
    this.bytes = new Uint8Array(1024)
  }

  private begin(length: number, continues: boolean): Uint16Array {
    this.continues = continues
    this.at = 0
    this.count = 0
    this.length = length
    if (length >= this.units.length) {
      const room = length < MAX_ROOM ? 2 ** Math.ceil(Math.log2(length + 1)) : length + 1
      this.units = new Uint16Array(room)
      this.bytes = new Uint8Array(room)
    }
    this.units[length] = 0
    return this.units
  }

  /** Reads the next word; false where there is none. */
  read(): boolean {
    const { units, length } = this
    const previousEnd = this.at
    let at = previousEnd
    let size = 0
    while (at < length && (size = wordUnits(units, at)) === 0) at++
    if (at === length) return false
    const start = at
    let hash = EMPTY_HASH
    do {
      hash = hashOn(hash, units[at] as number)
      if (size === 2) hash = hashOn(hash, units[at + 1] as number)
      at += size
    } while (at < length && (size = wordUnits(units, at)) > 0)
    let apostrophe = -1
    const mark = units[at]
    if ((mark === 0x27 || mark === 0x2019) && isLowerCase(units[at + 1] as number)) {
      apostrophe = at
      for (at++; isLowerCase(units[at] as number); at++) hash = hashOn(hash, units[at] as number)
    }
    const slot = this.count & MASK
    this.ids[slot] = this.vocabulary.findIn(units, start, at, apostrophe, hash)
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
      const unit = this.units[at] as number
      if (unit === LINE_END || !isSpace(unit)) return true
    }
    return false
  }

  /** Whether a quotation mark, and no colon or end of a line, stands between the word and the one in front. */
  isQuoted(word: number): boolean {
    const start = this.starts[word & MASK] as number
    let quoted = false
    for (let at = this.betweenFrom(word); at < start; at++) {
      const unit = this.units[at] as number
      if (unit === COLON || unit === LINE_END) return false
      if (QUOTES.has(unit)) quoted = true
    }
    return quoted
  }

  /** Whether a line or a sentence begins with it. */
  startsLine(word: number): boolean {
    if (this.isFirst(word)) return true
    const from = this.betweenFrom(word)
    for (let at = (this.starts[word & MASK] as number) - 1; at >= from; at--) {
      const unit = this.units[at] as number
      if (endsSentence(unit)) return true
      if (!isSpace(unit) && !MARKS_IN_FRONT.has(unit)) return false
    }
    return false
  }

  /** Whether a sentence ended in front of it. */
  startsSentence(word: number): boolean {
    const start = this.starts[word & MASK] as number
    for (let at = this.betweenFrom(word); at < start; at++) {
      if (endsSentence(this.units[at] as number)) return true
    }
    return false
  }

  /** Whether the first character behind it that is no space is a colon. */
  hasColon(word: number): boolean {
    const end = this.ends[word & MASK] as number
    let at = end
    while (at < end + BETWEEN && this.units[at] === 0x20) at++
    return this.units[at] === COLON
  }

  private isFirst(word: number): boolean {
    return !this.continues && this.previousEnds[word & MASK] === 0
  }

  /** Where what is looked at in front of the word begins. */
  private betweenFrom(word: number): number {
    return Math.max(this.previousEnds[word & MASK] as number, (this.starts[word & MASK] as number) - BETWEEN)
  }
}

const LOWER = Uint8Array.from({ length: 128 }, (_, unit) => (unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit))

const LETTER = /[\p{L}\p{N}]/u
const YES = 1
const NO = 2
const HIGH_SURROGATE = 3
/** By unit, what has been asked before: asking the expression each time costs twenty times as much. */
const KINDS = new Uint8Array(0x10000).fill(HIGH_SURROGATE, 0xd800, 0xdc00)

/** Units of the letter or digit at `at`; 0 where none stands. */
function wordUnits(units: Uint16Array, at: number): number {
  const unit = units[at] as number
  const kind = KINDS[unit] as number
  if (kind === YES) return 1
  if (kind === NO) return 0
  if (kind === HIGH_SURROGATE) {
    const low = units[at + 1] as number
    const isPair = (low & 0xfc00) === 0xdc00
    return isPair && LETTER.test(String.fromCharCode(unit, low)) ? 2 : 0
  }
  const found = LETTER.test(String.fromCharCode(unit))
  KINDS[unit] = found ? YES : NO
  return found ? 1 : 0
}

const LINE_END = 0x0a
const COLON = 0x3a
const QUOTES: ReadonlySet<number> = new Set(Array.from('"\'`“”‘’„«»', mark => mark.charCodeAt(0)))
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
