import { base36, digitAt } from './check-digits.ts'
import { digitsOf } from './digits.ts'
import { luhn } from './luhn.ts'

/** Values of the letters from A to Z; I, O and Q do not occur. */
const VIN_LETTERS = '12345678012345070923456789'
const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]

/** Whether the ninth character of a vehicle identification number is its check digit (49 CFR 565.15), and letters and digits mix. */
export function hasVinCheck(match: string): boolean {
  const text = match.toUpperCase()
  let sum = 0
  for (const [at, weight] of VIN_WEIGHTS.entries()) {
    const value = base36(text.charAt(at))
    sum += (value < 10 ? value : Number(VIN_LETTERS[value - 10])) * weight
  }
  return '0123456789X'[sum % 11] === text[8] && /^(?=.*[A-Z].*[A-Z]).*\d{4}$/.test(text)
}

/** Equipment identity: fifteen digits, Luhn (3GPP TS 23.003). */
export function isImei(match: string): boolean {
  const digits = digitsOf(match)
  return digitAt(digits, 0) !== 0 && luhn(digits)
}
