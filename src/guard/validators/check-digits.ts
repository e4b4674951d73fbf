import { luhn } from './luhn.ts'

/** The sum of each digit times its weight. */
export function weighted(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (const [at, weight] of weights.entries()) sum += (digits.charCodeAt(at) - 48) * weight
  return sum
}

/** The digit at a place, as a number. */
export function digitAt(digits: string, at: number): number {
  return digits.charCodeAt(at) - 48
}

/** Whether all characters are the same: what stands where a number would be. */
export function isUniform(digits: string): boolean {
  for (let at = 1; at < digits.length; at++) if (digits[at] !== digits[0]) return false
  return true
}

/** Luhn over digits of which not all are the same. */
export function luhnNumber(digits: string): boolean {
  return !isUniform(digits) && luhn(digits)
}

/** Whether the last of the digits is the check digit of ISO/IEC 7064, MOD 11,10. */
export function mod11And10(digits: string): boolean {
  let product = 10
  for (let at = 0; at < digits.length - 1; at++) {
    const sum = (digitAt(digits, at) + product) % 10 || 10
    product = (2 * sum) % 11
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1)
}

const VERHOEFF_PRODUCT = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
]
const VERHOEFF_PERMUTATION = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
]

/** Whether the last of the digits is their Verhoeff check digit (J. Verhoeff, 1969). */
export function verhoeff(digits: string): boolean {
  let check = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = digitAt(digits, digits.length - 1 - at)
    const permuted = Number(VERHOEFF_PERMUTATION[at % 8]?.[digit])
    check = Number(VERHOEFF_PRODUCT[check]?.[permuted])
  }
  return check === 0
}

/** Value of a digit or an upper-case letter (A is 10). */
export function base36(char: string): number {
  return Number.parseInt(char, 36)
}

/** Whether the last digit is the check digit of a machine-readable document number: weights 7, 3, 1 (ICAO Doc 9303). */
export function icaoCheck(text: string): boolean {
  let sum = 0
  for (let at = 0; at < text.length - 1; at++) sum += base36(text.charAt(at)) * ([7, 3, 1][at % 3] ?? 0)
  return sum % 10 === digitAt(text, text.length - 1)
}
