import { continuesNumber, digitsOf, isDigit } from './digits.ts'
import { isNationalNumber, isPossibleInternational } from './phone-plan.ts'
import {
  BARE_MOBILE,
  BARE_MOBILE_START,
  INTERNATIONAL_START,
  isBehindGroup,
  isJoined,
  isOtherNumber,
  isOtherWithZero,
  isSummand,
  NANP,
  NANP_START,
  PAIRED,
  PAIRED_START,
  SHORT_AREA,
  TRUNK_APART,
  TRUNK_ZERO,
} from './phone-shapes.ts'
import { isCalled } from './phone-words.ts'

/**
 * Whether a match of the form is a telephone number. A `+` or `00` prefix needs a country's calling code and length
 * (libphonenumber); national forms are taken by their shape, if a listed region has such numbers, and all others only
 * behind a word such as "phone".
 */
export function isPhone(match: string, before: string): boolean {
  const international = match.charCodeAt(0) === 43
  if (!international && continuesNumber(before)) return false
  const at = extensionStart(match)
  const number = match.slice(0, at).trimEnd()
  const digits = digitsOf(number)
  if (digits.length < 6 || digits.length > 15 || !balanced(number) || isOtherNumber(number)) return false
  if (international) {
    // A sign with a space behind it may be that of a sum.
    if (match[1] === ' ' && isSummand(before) && !isCalled(before)) return false
    return isPossibleInternational(digits)
  }
  if (digits.startsWith('00')) {
    return (
      digits.length >= 10 &&
      (number.includes('(') || !TRUNK_ZERO.test(digits)) &&
      isPossibleInternational(digits.slice(2))
    )
  }
  if (NANP.test(number)) {
    return at < match.length || number[0] === '(' || isNationalNumber(digits) || isCalled(before)
  }
  const groups = groupsOf(number)
  if (!groups.every(size => size >= 2) && !TRUNK_APART.test(number) && !SHORT_AREA.test(number)) return false
  return (
    shapedNational(number, digits, groups, before) ||
    (plausible(digits, groups) && !isJoined(before) && isCalled(before))
  )
}

/** Whether a telephone number may begin where the match does: what `isPhone` says of the place, and of the first characters. */
export function beginsPhone(match: string, before: string): boolean {
  const [first, second] = match
  if (first === '+') return second !== ' ' || !isSummand(before) || isCalled(before)
  if (continuesNumber(before)) return false
  if (first === '(') return true
  const zero = first === '0'
  const threes = isSeparator(match.charCodeAt(3))
  if (threes && NANP_START.test(match)) return true
  if ((zero || first === '8') && TRUNK_APART.test(match)) return true
  if (zero && INTERNATIONAL_START.test(match)) return true
  if ((zero || (threes && PAIRED_START.test(match))) && !isBehindGroup(before)) return true
  return !isJoined(before) && ((zero && BARE_MOBILE_START.test(match)) || isCalled(before))
}

/** Whether the unit parts groups: a space, a hyphen, a full stop. */
function isSeparator(code: number): boolean {
  return code === 0x20 || code === 0x2d || code === 0x2e
}

/** National forms that show what they are: mobile numbers, an area code in parentheses, groups of a kind or after a zero. */
function shapedNational(number: string, digits: string, groups: readonly number[], before: string): boolean {
  const [first = 0] = groups
  if (groups.length === 1) return BARE_MOBILE.test(number) && !isJoined(before) && isNationalNumber(digits)
  if (digits.length < 8 || digits.length > 11) return false
  if (TRUNK_APART.test(number)) return true
  if (number[0] === '(') return first >= 2 && first <= 5
  if (isBehindGroup(before) || !isNationalNumber(digits)) return false
  return PAIRED.test(number) || (digits[0] === '0' && !isOtherWithZero(number, before))
}

/** What may be a number behind a word for it: some groups, or one run that a plan has. */
function plausible(digits: string, groups: readonly number[]): boolean {
  if (groups.length > 1) return digits.length <= 13 && (digits.length > 6 || groups.length !== 2 || groups[1] !== 4)
  return digits.length >= 7 && (isNationalNumber(digits) || isPossibleInternational(digits))
}

/** Where the extension (`x123`, `ext. 123`) begins, or the length. */
function extensionStart(match: string): number {
  for (let at = 0; at < match.length; at++) {
    const code = match.charCodeAt(at) | 32
    if (code === 120 || code === 101) return at
  }
  return match.length
}

function balanced(number: string): boolean {
  const open = number.indexOf('(')
  const close = number.indexOf(')')
  if (open === -1 && close === -1) return true
  return open < close && open === number.lastIndexOf('(') && close === number.lastIndexOf(')') && close - open <= 6
}

/** Sizes of the runs of digits. */
function groupsOf(number: string): number[] {
  const groups: number[] = []
  let size = 0
  for (let at = 0; at <= number.length; at++) {
    if (at < number.length && isDigit(number.charCodeAt(at))) {
      size++
    } else if (size > 0) {
      groups.push(size)
      size = 0
    }
  }
  return groups
}
