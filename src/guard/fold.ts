import { FORMS, NOTHING } from './unicode-forms.ts'

// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/**
 * Folding: what the recognisers see instead of the raw text, so that writing a card number in full-width or Arabic digits,
 * with odd dashes, or with zero-width characters in between does not hide it. A code point folds by itself, so that a text
 * may be folded piece by piece.
 */

/** In a run of invisible characters this many are taken out; further ones stay, so that a candidate's length is bounded. */
export const MAX_INVISIBLE_RUN = 8

/** In the table: the unit may fold together with the one behind it. No unit folds to this. */
const PAIR = 0xffff

/** The folded unit of every unit; 0 at invisible ones and at NUL, `PAIR` at the first halves of code points that fold. */
const TABLE = buildTable()

function buildTable(): Uint16Array {
  const table = Uint16Array.from({ length: 0x10000 }, (_, unit) => unit)
  for (const [code, plain] of FORMS) {
    if (code < 0x10000) table[code] = plain
    else table[highSurrogate(code)] = PAIR
  }
  return table
}

function highSurrogate(code: number): number {
  return 0xd800 + ((code - 0x10000) >> 10)
}

/** The folded form of one UTF-16 unit by itself; what is invisible, and all that needs no folding, comes back as it is. */
export function foldCode(unit: number): number {
  const folded = TABLE[unit] as number
  return folded === PAIR ? unit : folded || unit
}

/** Whether the unit is its own folded form, whatever stands next to it. */
export function isFoldedCode(unit: number): boolean {
  return TABLE[unit] === unit && unit !== PAIR
}

/** Whether the unit is invisible and is taken out of what the recognisers see. */
export function isInvisible(unit: number): boolean {
  return TABLE[unit] === NOTHING && unit !== 0
}

/** Whether the unit may fold together with the one behind it. */
export function opensPair(unit: number): boolean {
  return TABLE[unit] === PAIR && unit !== PAIR
}

/** What a code point of two units folds to, `NOTHING` for invisible ones; undefined if it does not fold. */
function foldPair(high: number, low: number): number | undefined {
  if ((low & 0xfc00) !== 0xdc00) return undefined
  return FORMS.get(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

/** A text folded. */
export interface Folded {
  readonly text: string
  /** Raw index of each folded unit, and the raw length behind the last; undefined when every index is its own. */
  readonly starts: Int32Array | undefined
  /** Invisible characters at the end, without what is in front counted: `run` of the text that follows. */
  readonly run: number
}

/**
 * Folds a text; one in which nothing folds comes back as the same string.
 * @param run invisible characters at the end of the text that this one continues
 */
export function fold(text: string, run = 0): Folded {
  if (!/[^\x00-\x7f]/.test(text)) return { text, starts: undefined, run: text === '' ? run : 0 }
  return foldSlowly(text, run)
}

function foldSlowly(text: string, before: number): Folded {
  const { length } = text
  const units = new Uint16Array(length)
  const starts = new Int32Array(length + 1)
  let size = 0
  let run = before
  let changed = false
  for (let at = 0; at < length; ) {
    const unit = charCodeAt.call(text, at)
    let folded = TABLE[unit] as number
    let width = 1
    if (folded === PAIR) {
      const pair = foldPair(unit, charCodeAt.call(text, at + 1))
      folded = pair ?? unit
      if (pair !== undefined) width = 2
    }
    if (folded !== NOTHING || unit === 0) {
      run = 0
    } else if (++run <= MAX_INVISIBLE_RUN) {
      at += width
      continue
    } else {
      // Kept: of a pair, its first half stands for both.
      folded = unit
    }
    changed ||= folded !== unit
    units[size] = folded
    starts[size] = at
    size++
    at += width
  }
  if (size === length) return { text: changed ? decode(units) : text, starts: undefined, run }
  starts[size] = length
  return { text: decode(units.subarray(0, size)), starts: starts.subarray(0, size + 1), run }
}

/** Where the raw text of the folded units in front of `end` ends: invisible characters behind them do not belong to it. */
export function rawEnd(raw: string, starts: Int32Array | undefined, end: number): number {
  if (!starts || end === 0) return end
  const last = starts[end - 1] as number
  const unit = charCodeAt.call(raw, last)
  return opensPair(unit) && foldPair(unit, charCodeAt.call(raw, last + 1)) !== undefined ? last + 2 : last + 1
}

/** UTF-16 units to a string, lone surrogates kept (a TextDecoder would replace them). */
function decode(units: Uint16Array): string {
  let text = ''
  for (let at = 0; at < units.length; at += 4096) text += String.fromCharCode(...units.subarray(at, at + 4096))
  return text
}
