import { mentions } from './context.ts'
import { continuesNumber, digitsOf, isDigit } from './digits.ts'
import { isNationalNumber, isPossibleInternational } from './phone-plan.ts'

const PHONE_WORDS: ReadonlySet<string> = new Set(
  [
    'phone phones telephone tel mobile cell cellphone fax call calling called dial ring whatsapp sms hotline',
    'phonenumber telefon teléfono telefono téléphone handy mobil móvil portable telefoon',
    'rufnummer rückruf celular cellulare telemóvel telefone gsm tlf tfno puhelin telepono telefonu cep viber phn',
    'тел телефон 电话 電話 手机 手機 携帯 전화 휴대폰 הטלפון هاتف फ़ोन',
  ].flatMap(line => line.split(' ')),
)

/** Words that speak of many other things too: they count only shortly in front of seven digits or more. */
const NEAR_WORDS: ReadonlySet<string> = new Set('reach contact answer answering text office'.split(' '))
const NEAR = 24

/** North American shapes that nothing else is written in: `(201) 555-0123`, `201-555-0123`, `201.555.0123`. */
const NANP = /^(?:\(\d{3}\)[ -]?|\d{3}([-. ]))\d{3}[-. ]\d{4}$/

/** Turkish and Russian shapes: `532-123-45-67`, `912 345 67 89`. */
const PAIRED = /^\d{3}([- ])\d{3}\1\d{2}\1\d{2}$/

/** Dates and times with separators: `2024-05-06`, `06.05.2024`, `2024-05-06 12`. */
const DATE =
  /^(?:\d{1,2}\/\d{1,2}\/\d{2}(?!\d)|1[4-9]\d{2}[ -]{1,3}\d{1,2}$|20\d{2}[ -]{1,3}\d{1,2}$|(?:19|20)\d{2}[-./ ](?:0?[1-9]|1[0-2])(?:$|[-./ ](?:0?[1-9]|[12]\d|3[01])(?!\d))|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d{2}(?!\d))/

/** Another group right in front: the match is the middle of something longer, such as a part number. */
/** A number with a decimal point that is no `785.8949`, and the form of domain registries with a point behind the calling code. */
const FRACTION = /^\+?(?!\d{3}\.\d{4}$)\d+\.\d+$/
const DOTTED_INTERNATIONAL = /^\+\d{1,3}\.\d{7,}$/

/** The name of an American state, behind which `02110-1301` is a postal code. */
const STATE = /(?:^|[^A-Za-z])[A-Z]{2},?[ #*/]{1,4}$/

/** Four digits and four digits more: code points in hexadecimal. */
const FOURS = /^0[1-79]\d\d(?: \d{4})+$/

/** A sum: `count + 31536000000`. A sign with a space behind it is the one of a number only where nothing is added to. */
const SUMMAND = /[\w)\]] $/

/** Behind a word for a telephone as well: a path, a part number, a year's entry in a list of faults. */
const JOINED = /[A-Za-z0-9][-/_]$/

const GROUP_BEFORE = /\d[A-Za-z0-9]{0,3} $|[A-Za-z0-9][-/]$|#$/

/** A zero behind the calling code, which only Italy dials: code points such as `0049 0020`. */
const TRUNK_ZERO = /^00(?!39)(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])0/

/** The trunk prefix by itself, in front of an area code in parentheses: `0 (532) 123 45 67`. */
const TRUNK_APART = /^[08] ?\(\d{3}\)/

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
  if (international) {
    if (FRACTION.test(number) && !DOTTED_INTERNATIONAL.test(number)) return false
    if (match[1] === ' ' && SUMMAND.test(before) && !isCalled(before)) return false
    return isPossibleInternational(digits)
  }
  if (digits.startsWith('00')) {
    return (
      digits.length >= 10 &&
      (number.includes('(') || !TRUNK_ZERO.test(digits)) &&
      isPossibleInternational(digits.slice(2))
    )
  }
  const groups = groupsOf(number)
  if (!groups.every(size => size >= 2) && !TRUNK_APART.test(number)) return false
  if (DATE.test(number) || DOTTED.test(number) || FRACTION.test(number)) return false
  if (NANP.test(number)) {
    return at < match.length || number[0] === '(' || isNationalNumber(digits) || isCalled(before)
  }
  if (PAIRED.test(number) && !GROUP_BEFORE.test(before) && isNationalNumber(digits)) return true
  return (
    shapedNational(number, digits, groups, before) ||
    (plausible(digits, groups) && !JOINED.test(before) && isCalled(before))
  )
}

/** National forms that show what they are: an area code in parentheses, or groups after a leading zero. */
function shapedNational(number: string, digits: string, groups: readonly number[], before: string): boolean {
  if (groups.length === 1) return BARE_MOBILE.test(number) && !JOINED.test(before) && isNationalNumber(digits)
  if (digits.length < 8 || digits.length > 11) return false
  if (number[0] === '(' || TRUNK_APART.test(number)) return (groups[0] ?? 0) <= 5
  if (isByteList(number) || FOURS.test(number) || (/^\d{5}-\d{4}$/.test(number) && STATE.test(before))) return false
  return digits[0] === '0' && !GROUP_BEFORE.test(before) && isNationalNumber(digits)
}

/** Mobile numbers of eleven digits that need neither separators nor a word: a zero in front is rare in other numbers. */
const BARE_MOBILE = /^0(?:7[1-9]|9\d|5[0-5]|1[05-7]|[89]0)\d{8}$/

/** Pairs of digits of which most begin with a zero: bytes in a row. */
function isByteList(number: string): boolean {
  return /^\d\d(?: \d\d)+$/.test(number) && (number.match(/ 0/g)?.length ?? 0) > 2
}

let lastBefore = ''
let lastCalled = false

/** Whether the clause in front speaks of a telephone. Remembers the last answer: every end of a candidate asks the same. */
function isCalled(before: string): boolean {
  if (before !== lastBefore) {
    const clause = clauseOf(before)
    lastCalled = mentions(clause, PHONE_WORDS) || mentions(clause.slice(-NEAR), NEAR_WORDS)
    lastBefore = before
  }
  return lastCalled
}

/** The end of the text in front that speaks of the same thing: behind the last line break, comma, bar or full stop. */
function clauseOf(before: string): string {
  const text = before.replace(/[\s|*`"'_]+$/, '')
  for (let at = text.length - 1; at >= 0; at--) {
    const unit = text[at]
    if (unit === '.' ? endsSentence(text, at) : unit !== undefined && '\n,;|#'.includes(unit)) return text.slice(at + 1)
  }
  return text
}

/** A full stop in front of a space, unless behind an abbreviation such as `tel` or `no`. */
function endsSentence(text: string, at: number): boolean {
  return text[at + 1] === ' ' && !/(?:^|[^a-z])[a-z]{1,3}$/i.test(text.slice(Math.max(0, at - 4), at))
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
