import { isLetterOrDigit } from './digits.ts'

/** Shapes of numbers by their digits, separators and what stands right in front: those of telephones, and those of other things. */

/** North American shapes that nothing else is written in: `(201) 555-0123`, `201-555-0123`, `201.555.0123`. */
export const NANP = /^(?:\(\d{3}\)[ -]?|\d{3}([-. ]))\d{3}[-. ]\d{4}$/

/** Turkish and Russian shapes: `532-123-45-67`, `912 345 67 89`. */
export const PAIRED = /^\d{3}([- ])\d{3}\1\d{2}\1\d{2}$/

/** Mobile numbers of eleven digits that need neither separators nor a word: a zero in front is rare in other numbers. */
export const BARE_MOBILE = /^0(?:7[1-9]|9\d|5[0-5]|1[05-7]|[89]0)\d{8}$/

/** What begins with such a shape. */
export const NANP_START = beginning(NANP)
export const PAIRED_START = beginning(PAIRED)
export const BARE_MOBILE_START = beginning(BARE_MOBILE)
/** Two zeros, however they are parted: the prefix of international calls. */
export const INTERNATIONAL_START = /^0[^1-9]*0/

function beginning({ source }: RegExp): RegExp {
  return new RegExp(source.slice(0, -1))
}

/** The trunk prefix by itself, in front of an area code in parentheses: `0 (532) 123 45 67`. */
export const TRUNK_APART = /^[08] ?\(\d{3}\)/

/** A short area code in parentheses: `(2) 2123 4567`. */
export const SHORT_AREA = /^\(\d\)/

/** A zero behind the calling code, which only Italy dials: code points such as `0049 0020`. */
export const TRUNK_ZERO = /^00(?!39)(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])0/

/** Whether another group stands right in front: the match is the middle of something longer, such as a part number. */
export function isBehindGroup(before: string): boolean {
  const last = before.charCodeAt(before.length - 1)
  if (last === HASH) return true
  if (last === DASH || last === SLASH) return isLetterOrDigit(before.charCodeAt(before.length - 2))
  return last === SPACE && /\d[A-Za-z0-9]{0,3} $/.test(before.slice(-5))
}

/**
 * Whether the match is the end of a path, a part number, an entry in a list of faults, even where the text speaks of calls.
 */
export function isJoined(before: string): boolean {
  const last = before.charCodeAt(before.length - 1)
  return (last === DASH || last === SLASH || last === LOW_LINE) && isLetterOrDigit(before.charCodeAt(before.length - 2))
}

/** Whether a sign in front of the match is that of a sum: `count + 31536000000`. */
export function isSummand(before: string): boolean {
  return before.endsWith(' ') && /[\w)\]] $/.test(before.slice(-2))
}

const SPACE = 0x20
const HASH = 0x23
const DASH = 0x2d
const SLASH = 0x2f
const LOW_LINE = 0x5f

/** A number with a decimal point (not `785.8949`), unless the point stands behind a calling code as domain registries write it. */
const FRACTION = /^(?:\+(?!\d{1,3}\.\d{7,}$)|(?!\d{3}\.\d{4}$))\d+\.\d+$/

/** Dates and times with separators: `2024-05-06`, `06.05.2024`, `2024-05-06 12`, `05/06/24`, and years with a day: `1905 - 10`. */
const DATES = [
  '(?:19|20)\\d{2}[-./ ](?:0?[1-9]|1[0-2])(?:$|[-./ ](?:0?[1-9]|[12]\\d|3[01])(?!\\d))',
  '\\d{1,2}[-./ ]\\d{1,2}[-./ ](?:19|20)\\d{2}(?!\\d)',
  '\\d{1,2}/\\d{1,2}/\\d{2}(?!\\d)',
  '(?:1[4-9]|20)\\d{2}[ -]{1,3}\\d{1,2}$',
]
const DATE = new RegExp(`^(?:${DATES.join('|')})`)

/** An address, a part of one, or a version: up to four groups of at most three digits parted by dots. */
const DOTTED = /^\d{1,3}(?:\.\d{1,3}){1,3}$/

/** Whether a number is a date, a fraction, an address or a version. */
export function isOtherNumber(number: string): boolean {
  return DATE.test(number) || DOTTED.test(number) || FRACTION.test(number)
}

/** Bytes in a row: pairs of digits of which most begin with a zero. */
function areBytes(number: string): boolean {
  return /^\d\d(?: \d\d)+$/.test(number) && (number.match(/ 0/g)?.length ?? 0) > 2
}

/** Four digits and four digits more: code points in hexadecimal. */
const FOURS = /^0[1-79]\d\d(?: \d{4})+$/

/** A postal code of the United States behind a state: `MA 02110-1301`. */
const ZIP = /^\d{5}-\d{4}$/
const STATE = /(?:^|[^A-Za-z])[A-Z]{2},?[ #*/]{1,4}$/

/** Whether a number that begins with a zero is something else: bytes, code points, an American postal code. */
export function isOtherWithZero(number: string, before: string): boolean {
  return areBytes(number) || FOURS.test(number) || (ZIP.test(number) && STATE.test(before.slice(-9)))
}
