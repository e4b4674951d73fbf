import { base36, digitAt } from './check-digits.ts'
import { digitsOf } from './digits.ts'
import { luhn } from './luhn.ts'

const VIN_VALUES: Readonly<Record<string, number>> = Object.fromEntries(
  ['A1B2C3D4E5F6G7H8', 'J1K2L3M4N5P7R9', 'S2T3U4V5W6X7Y8Z9'].flatMap(row =>
    [...row.matchAll(/(.)(.)/g)].map(([, letter, value]) => [letter, Number(value)]),
  ),
)
const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]

/** Whether the ninth character of a vehicle identification number is its check digit (49 CFR 565.15), and letters and digits mix. */
export function hasVinCheck(match: string): boolean {
  const text = match.toUpperCase()
  let sum = 0
  for (const [at, weight] of VIN_WEIGHTS.entries())
    sum += (VIN_VALUES[text.charAt(at)] ?? base36(text.charAt(at))) * weight
  return '0123456789X'[sum % 11] === text[8] && /^(?=.*[A-Z].*[A-Z]).*\d{4}$/.test(text)
}

/** Equipment identity: fifteen digits, Luhn (3GPP TS 23.003). */
export function isImei(match: string): boolean {
  const digits = digitsOf(match)
  return digitAt(digits, 0) !== 0 && luhn(digits)
}
