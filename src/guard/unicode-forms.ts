/**
 * What the characters of Unicode are for a recogniser that knows ASCII: which are other ways to write a digit, a letter, a
 * space, a dash, and which cannot be seen at all.
 */

type Range = readonly [first: number, last: number]

/** First code points (digit zero) of the decimal digits (general category Nd), Unicode 17. */
const DIGIT_ZEROS = [
  [0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50],
  [0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50],
  [0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0],
  [0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950],
  [0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0],
  [0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0],
].flat()

/** Digits one to nine in circles, which are no compatibility forms: white on black, sans-serif, doubled. */
const CIRCLED_ONES = [0x2776, 0x2780, 0x278a, 0x24f5]
/** Letters A in circles and squares, likewise. */
const ENCLOSED_LETTERS = [0x1f150, 0x1f170]

/**
 * Where compatibility forms of single ASCII characters stand (Unicode normalisation form KC): super- and subscript, circled,
 * squared, letter-like, small and full-width ones, mathematical alphabets.
 */
const COMPATIBLE: readonly Range[] = [
  [0x00b2, 0x00b3],
  [0x00b9, 0x00b9],
  [0x1d2c, 0x1d6a],
  [0x2024, 0x2024],
  [0x2070, 0x209c],
  [0x2102, 0x2149],
  [0x2460, 0x24ea],
  [0xfe50, 0xfe6b],
  [0xff01, 0xff5e],
  [0x1ccd6, 0x1ccef],
  [0x1d400, 0x1d6a3],
  [0x1f12b, 0x1f149],
]

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

/** Full stops of Chinese and Japanese, which domain names may be written with (RFC 3490, section 3.1). */
const DOTS: readonly Range[] = [
  [0x3002, 0x3002],
  [0xff61, 0xff61],
]

/** Characters that take no room: soft hyphen, joiners, direction marks, variation selectors, tags, byte-order mark. */
const INVISIBLE: readonly Range[] = [
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xe0000, 0xe01ef],
]

/** What an invisible code point folds to. */
export const NOTHING = 0

/** By code point, the ASCII character that it is a form of, or `NOTHING`; only those that are not themselves. */
export const FORMS: ReadonlyMap<number, number> = forms()

function forms(): Map<number, number> {
  const map = new Map<number, number>()
  for (const [first, last] of COMPATIBLE) {
    for (let code = first; code <= last; code++) {
      const plain = String.fromCodePoint(code).normalize('NFKC')
      if (plain.length === 1 && plain < '\x7f') map.set(code, plain.charCodeAt(0))
    }
  }
  const run = (first: number, size: number, plain: number) => {
    for (let at = 0; at < size; at++) map.set(first + at, plain + at)
  }
  for (const zero of DIGIT_ZEROS) run(zero, 10, 0x30)
  for (const one of CIRCLED_ONES) run(one, 9, 0x31)
  for (const letter of ENCLOSED_LETTERS) run(letter, 26, 0x41)
  map.set(0x24ff, 0x30)
  const set = (ranges: readonly Range[], plain: number) => {
    for (const [first, last] of ranges) for (let code = first; code <= last; code++) map.set(code, plain)
  }
  set(SPACES, 0x20)
  set(DASHES, 0x2d)
  set(DOTS, 0x2e)
  set(INVISIBLE, NOTHING)
  return map
}
