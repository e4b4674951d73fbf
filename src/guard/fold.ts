/**
 * Folding: what the recognisers see instead of the raw text, so that writing a card number in full-width or Arabic digits,
 * with odd dashes, or with zero-width characters in between does not hide it. It works on single UTF-16 units, so that it
 * can run on a stream one unit at a time.
 */

/** In a run of ignorable characters this many are taken out; further ones stay, so that a candidate's length is bounded. */
export const MAX_IGNORABLE_RUN = 8

/** First code points (digit zero) of the decimal digits (general category Nd) of the basic plane, Unicode 16. */
const DIGIT_ZEROS = [
  0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50,
  0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
  0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
]

type Range = readonly [first: number, last: number]

const SPACES: readonly Range[] = [
  [0x00a0, 0x00a0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
]

const DASHES: readonly Range[] = [
  [0x2010, 0x2015],
  [0x2043, 0x2043],
  [0x2212, 0x2212],
  [0xfe58, 0xfe58],
  [0xfe63, 0xfe63],
]

/** Characters that take no room: soft hyphen, joiners, direction marks, variation selectors, byte-order mark. */
const IGNORABLES: readonly Range[] = [
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
]

/** What each unit folds to that does not fold to itself; ignorable ones to 0. */
const CHANGES = changes()

/** The units that do not fold to themselves, ignorable ones among them. */
export const FOLDED_UNITS: readonly number[] = [...CHANGES.keys()]

/** The folded unit of every unit; 0 at the ignorable ones (and at NUL, which folds to itself). */
const TABLE = buildTable()

function changes(): Map<number, number> {
  const map = new Map<number, number>()
  const set = (ranges: readonly Range[], value: number) => {
    for (const [first, last] of ranges) for (let unit = first; unit <= last; unit++) map.set(unit, value)
  }
  for (let unit = 0xff01; unit <= 0xff5e; unit++) map.set(unit, unit - 0xfee0)
  for (const zero of DIGIT_ZEROS) for (let digit = 0; digit < 10; digit++) map.set(zero + digit, 0x30 + digit)
  set(SPACES, 0x20)
  set(DASHES, 0x2d)
  set([[0xfe52, 0xfe52]], 0x2e)
  set([[0xfe6b, 0xfe6b]], 0x40)
  set(IGNORABLES, 0)
  return map
}

function buildTable(): Uint16Array {
  const table = new Uint16Array(0x10000)
  for (let unit = 0; unit < 0x10000; unit++) table[unit] = unit
  for (const [unit, folded] of CHANGES) table[unit] = folded
  return table
}

/** The folded form of one UTF-16 unit; ignorable units, and all that need no folding, come back as they are. */
export function foldCode(unit: number): number {
  return TABLE[unit] || unit
}

/** Whether the unit is invisible and is taken out of what the recognisers see. */
export function isIgnorable(unit: number): boolean {
  return TABLE[unit] === 0 && unit !== 0
}

/** A whole text folded. */
export interface Folded {
  readonly text: string
  /**
   * Raw index of each folded unit, and the raw length behind the last; undefined when every index is its own.
   * A match of the folded `[from, to)` is the raw `[starts[from], starts[to - 1] + 1)`: ignorables inside belong to it,
   * those around it do not.
   */
  readonly starts: Int32Array | undefined
}

/** Folds a whole text; a text in which nothing folds comes back as the same string. */
export function fold(text: string): Folded {
  const length = text.length
  let first = 0
  while (first < length) {
    const unit = text.charCodeAt(first)
    if (TABLE[unit] !== unit) break
    first++
  }
  if (first === length) return { text, starts: undefined }
  const units = new Uint16Array(length)
  const starts = new Int32Array(length + 1)
  let size = 0
  let run = 0
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at)
    if (isIgnorable(unit)) {
      run++
      if (run <= MAX_IGNORABLE_RUN) continue
    } else {
      run = 0
    }
    units[size] = foldCode(unit)
    starts[size] = at
    size++
  }
  starts[size] = length
  return { text: decode(units.subarray(0, size)), starts: starts.subarray(0, size + 1) }
}

/** UTF-16 units to a string, lone surrogates kept (a TextDecoder would replace them). */
function decode(units: Uint16Array): string {
  let text = ''
  for (let at = 0; at < units.length; at += 4096) text += String.fromCharCode(...units.subarray(at, at + 4096))
  return text
}
