import { isSaid, mentions, phrases } from './context.ts'
import { continuesNumber, digitsOf, isDigit } from './digits.ts'
import { isNationalNumber, isPossibleInternational } from './phone-plan.ts'

const PHONE_WORDS: ReadonlySet<string> = new Set(
  [
    'phone phones telephone tel mobile cell cellphone fax call calling called dial ring reach whatsapp sms contact hotline',
    'answer answering phonenumber text office telefon teléfono telefono téléphone handy mobil móvil portable telefoon',
  ].flatMap(line => line.split(' ')),
)

/** The same for a first look, which many rules share. */
const PHONE_PHRASES = phrases([...PHONE_WORDS].join())

/** North American shapes that nothing else is written in: `(201) 555-0123`, `201-555-0123`, `201.555.0123`. */
const NANP = /^(?:\(\d{3}\)[ -]?|\d{3}([-. ]))\d{3}[-. ]\d{4}$/

/** Dates and times with separators: `2024-05-06`, `06.05.2024`, `2024-05-06 12`. */
const DATE =
  /^(?:(?:19|20)\d{2}[-./ ](?:0?[1-9]|1[0-2])(?:$|[-./ ](?:0?[1-9]|[12]\d|3[01])(?!\d))|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d{2}(?!\d))/

/** Another group right in front: the match is the middle of something longer, such as a part number. */
const GROUP_BEFORE = /\d[A-Za-z0-9]{0,3} $|[A-Za-z0-9][-/]$/

/** A zero behind the calling code, which only Italy dials: code points such as `0049 0020`. */
const TRUNK_ZERO = /^00(?!39)(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])0/

/** An address, a part of one, or a version: up to four groups of at most three digits parted by dots. */
const DOTTED = /^\d{1,3}(?:\.\d{1,3}){1,3}$/

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
  if (digits.length < 6 || digits.length > 15 || !balanced(number)) return false
  if (international) return isPossibleInternational(digits)
  if (digits.startsWith('00')) {
    return (
      digits.length >= 10 &&
      (number.includes('(') || !TRUNK_ZERO.test(digits)) &&
      isPossibleInternational(digits.slice(2))
    )
  }
  const groups = groupsOf(number)
  if (!groups.every(size => size >= 2) || DATE.test(number) || DOTTED.test(number)) return false
  if (NANP.test(number)) {
    return at < match.length || number[0] === '(' || isNationalNumber(digits) || isCalled(before)
  }
  return shapedNational(number, digits, groups, before) || (plausible(digits, groups) && isCalled(before))
}

/** The beginning of `NANP`. */
const NANP_START = /^\(?\d{3}\)?[-. ]?\d{3}[-. ]\d/

/** Whether a telephone number may begin where the match does: what `isPhone` says of the place, and of the first characters. */
export function beginsPhone(match: string, before: string): boolean {
  if (match.charCodeAt(0) === 43) return true
  if (continuesNumber(before)) return false
  if (match[0] === '(' || NANP_START.test(match)) return true
  if (match[0] === '0' && (match[1] === '0' || !GROUP_BEFORE.test(before))) return true
  return isCalled(before)
}

/** National forms that show what they are: an area code in parentheses, or groups after a leading zero. */
function shapedNational(number: string, digits: string, groups: readonly number[], before: string): boolean {
  if (digits.length < 8 || digits.length > 11 || groups.length < 2) return false
  if (number[0] === '(') return (groups[0] ?? 0) <= 5
  return digits[0] === '0' && !GROUP_BEFORE.test(before) && isNationalNumber(digits)
}

let lastBefore = ''
let lastCalled = false

/** Whether the clause in front speaks of a telephone. Remembers the last answer: every end of a candidate asks the same. */
function isCalled(before: string): boolean {
  if (before !== lastBefore) {
    lastCalled = isSaid(before, PHONE_PHRASES) && mentions(clauseOf(before), PHONE_WORDS)
    lastBefore = before
  }
  return lastCalled
}

/** The end of the text in front that speaks of the same thing: behind the last line break, comma, bar or full stop. */
function clauseOf(before: string): string {
  const text = before.trimEnd()
  for (let at = text.length - 1; at >= 0; at--) {
    const unit = text[at]
    if (unit === '.' ? text[at + 1] === ' ' : unit !== undefined && '\n,;|#'.includes(unit)) return text.slice(at + 1)
  }
  return text
}

/** What may be a number behind a word for it: some groups, or one run that a plan has. */
function plausible(digits: string, groups: readonly number[]): boolean {
  if (groups.length > 1) return digits.length <= 12 && (digits.length > 6 || groups.length !== 2 || groups[1] !== 4)
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
