import { isLabelled, phrases } from './context.ts'
import { digitsOf, isDigit } from './digits.ts'
import { luhn } from './luhn.ts'

/** Issuer prefixes as `[first, last, lengths]` ranges of the leading digits (ISO/IEC 7812 issuer identification numbers). */
const ISSUERS: readonly (readonly [first: number, last: number, lengths: readonly number[]])[] = [
  [4, 4, [13, 16, 19]], // Visa
  [51, 55, [16]], // Mastercard
  [2221, 2720, [16]], // Mastercard
  [34, 34, [15]], // American Express
  [37, 37, [15]],
  [6011, 6011, [16, 17, 18, 19]], // Discover
  [622126, 622925, [16, 17, 18, 19]],
  [644, 649, [16, 17, 18, 19]],
  [65, 65, [16, 17, 18, 19]],
  [300, 305, [14, 16, 17, 18, 19]], // Diners Club
  [3095, 3095, [14, 16, 17, 18, 19]],
  [36, 36, [14, 16, 17, 18, 19]],
  [38, 39, [14, 16, 17, 18, 19]],
  [3528, 3589, [16, 17, 18, 19]], // JCB
  [2131, 2131, [15]],
  [1800, 1800, [15]],
  [62, 62, [16, 17, 18, 19]], // UnionPay
  [81, 81, [16, 17, 18, 19]],
  [2200, 2204, [16, 17, 18, 19]], // Mir
  [60, 60, [16]], // RuPay
  [82, 82, [16]],
  [508, 508, [16]],
  [9792, 9792, [16]], // Troy
  [50, 50, [13, 14, 15, 16, 17, 18, 19]], // Maestro
  [56, 58, [13, 14, 15, 16, 17, 18, 19]],
  [63, 63, [13, 14, 15, 16, 17, 18, 19]],
  [67, 67, [13, 14, 15, 16, 17, 18, 19]],
]

/**
 * Whether the digits of the match are a payment card number: a known issuer's prefix, its length, the Luhn check digit.
 * Dots part only groups of at most six digits; everything else with a dot is a fraction.
 */
export function isCardNumber(match: string): boolean {
  if (!((issuerLengths(match) >> digitCount(match)) & 1) || !luhn(match)) return false
  if (match.includes('.') && /\d{7}/.test(match)) return false
  return evenGroups(match) && !isCount(digitsOf(match))
}

/** Whether a card number, or the number of a travel card, may begin like the match, of all that begin there the longest. */
export function beginsCard(match: string): boolean {
  const lengths = match.startsWith('1') ? 1 << 15 : issuerLengths(match)
  if (lengths === 0) return false
  // The Luhn sums of all beginnings at once: of those with an even and with an odd number of digits.
  let evens = 0
  let odds = 0
  let count = 0
  for (let at = 0; at < match.length; at++) {
    const digit = match.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) continue
    const double = digit > 4 ? 2 * digit - 9 : 2 * digit
    const even = count % 2 === 0
    evens += even ? double : digit
    odds += even ? digit : double
    count++
    if ((lengths >> count) & 1 && (even ? odds : evens) % 10 === 0) return true
  }
  return false
}

/**
 * Whether the digits stand in groups as on a card: two, or of one size but for the last, or four and six in front; groups of
 * other sizes are numbers of a list.
 */
function evenGroups(match: string): boolean {
  const [first = 0, second = 0, ...rest] = (match.match(/\d+/g) ?? []).map(group => group.length)
  if (rest.length === 0 || (first === 4 && second === 6)) return true
  return rest.every((size, at) => size === second || at === rest.length - 1) && (first === second || first === 4)
}

/** Whether the digits count up or down: a ruler, a list, a row of keys. */
function isCount(digits: string): boolean {
  const step = (digits.charCodeAt(1) - digits.charCodeAt(0) + 10) % 10
  if (step !== 1 && step !== 9) return false
  for (let at = 2; at < digits.length; at++) {
    if ((digits.charCodeAt(at) - digits.charCodeAt(at - 1) + 10) % 10 !== step) return false
  }
  return true
}

/** Words behind which thirteen digits are the number of a product. */
const PRODUCT_WORDS = phrases('ean, ean13, gtin, gtin 13, isbn, isbn13, upc, barcode, bar code, jan')

/** Whether the match is of the length that product numbers have, and such a word stands right in front. */
export function isProductNumber(match: string, before: string): boolean {
  return /^\d{13}$/.test(match) && isLabelled(before, PRODUCT_WORDS)
}

/** The country and check digits of an IBAN; `0x`; hexadecimal digits that go on in the match. */
const OTHER = /(?:^|[^a-z0-9])(?:[a-z]{2}\d{2}[ -]|0x)$|[0-9a-f]{7}[a-f]$/i

/** Whether what follows `before` is the rest of something else, such as an IBAN, a hash, a fraction, a row of groups. */
export function continuesOther(match: string, before: string): boolean {
  const last = before.charAt(before.length - 1)
  const behindDigit = isDigit(before.charCodeAt(before.length - 2))
  if ((last === '.' && behindDigit) || ((last === '.' || last === '*') && match.includes('.'))) return true
  return (last === '-' && behindDigit && match.includes('-')) || OTHER.test(before.slice(-8))
}

/** Universal Air Travel Plan: fifteen digits from 1 on. Only a word in front tells it from any other number. */
export function isTravelCard(match: string): boolean {
  return match.startsWith('1') && luhn(match)
}

/** Ranges of issuers by their first two digits: the first six digits from and to, and a bit for each length. */
const BY_TWO = byTwo()

function byTwo(): readonly (readonly (readonly [first: number, last: number, lengths: number])[])[] {
  const scaled = ISSUERS.map(([first, last, lengths]) => {
    const scale = 10 ** (6 - String(first).length)
    return [first * scale, (last + 1) * scale - 1, lengths.reduce((bits, length) => bits | (1 << length), 0)] as const
  })
  return Array.from({ length: 100 }, (_, two) =>
    scaled.filter(([first, last]) => first <= two * 10_000 + 9999 && last >= two * 10_000),
  )
}

/** The lengths that card numbers have which begin like the match, a bit for each; 0 for none. */
function issuerLengths(match: string): number {
  let prefix = 0
  let size = 0
  for (let at = 0; size < 6 && at < match.length; at++) {
    const digit = match.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) continue
    prefix = prefix * 10 + digit
    size++
  }
  let lengths = 0
  for (const [first, last, bits] of BY_TWO[Math.floor(prefix / 10_000)] ?? []) {
    if (prefix >= first && prefix <= last) lengths |= bits
  }
  return lengths
}

function digitCount(match: string): number {
  let count = 0
  for (let at = 0; at < match.length; at++) if (isDigit(match.charCodeAt(at))) count++
  return count
}
