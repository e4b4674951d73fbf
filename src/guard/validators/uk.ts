import { isSaid, phrases } from './context.ts'
import { continuesNumber, digitsOf } from './digits.ts'

/** Words that have to stand in front. */
export const NHS_WORDS = phrases('nhs, national health, health service, patient')

/** Prefixes that are not used (HMRC, NIM39110). */
const UNUSED_PREFIXES = new Set(['BG', 'GB', 'NK', 'KN', 'TN', 'NT', 'ZZ'])

/** Whether the match is an NHS number: ten digits, the last a modulus-11 check digit, and a word that says so in front. */
export function isNhsNumber(match: string, before: string): boolean {
  const digits = digitsOf(match)
  let sum = 0
  for (let at = 0; at < 9; at++) sum += Number(digits[at]) * (10 - at)
  const check = (11 - (sum % 11)) % 11
  return check === Number(digits[9]) && !continuesNumber(before) && isSaid(before, NHS_WORDS)
}

/** Whether the match is a National Insurance number with a prefix in use. */
export function isNino(match: string): boolean {
  return !UNUSED_PREFIXES.has(match.slice(0, 2).toUpperCase())
}

/** Letters that a postcode's places do not use (BS 7666); all areas begin with one of the others. */
const POSTCODE =
  /^(?:GIR ?0AA|[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]{1,2}|[0-9][A-HJKPS-UW]|[A-HK-Y][0-9][ABEHMNPRV-Y]) ?[0-9][ABD-HJLNP-UW-Z]{2})$/

/** Whether a match of the form has letters only where a postcode has them. */
export function isPostcode(match: string): boolean {
  return POSTCODE.test(match)
}
