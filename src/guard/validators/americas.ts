import { digitAt, isUniform, luhnNumber, weighted } from './check-digits.ts'
import { hasMonthDay } from './dates.ts'
import { digitsOf } from './digits.ts'
import { luhn } from './luhn.ts'

/** Canadian Social Insurance Number: nine digits, Luhn, first digit neither 0 nor 8 (Service Canada). */
export function isCanadianSin(match: string): boolean {
  const digits = digitsOf(match)
  return digits[0] !== '0' && digits[0] !== '8' && sameSeparators(match) && luhnNumber(digits)
}

/** CPF: eleven digits, the last two each modulo 11 over all in front (Receita Federal). */
export function isCpf(match: string): boolean {
  const digits = digitsOf(match)
  if (isUniform(digits)) return false
  const check = (size: number) => {
    let sum = 0
    for (let at = 0; at < size; at++) sum += digitAt(digits, at) * (size + 1 - at)
    return ((sum * 10) % 11) % 10
  }
  return check(9) === digitAt(digits, 9) && check(10) === digitAt(digits, 10)
}

/** CNPJ: twelve letters or digits and two check digits, modulo 11 over character codes less 48 (IN RFB 2.229/2024). */
export function isCnpj(match: string): boolean {
  const text = match.replace(/[./ -]/g, '')
  if (isUniform(text)) return false
  const check = (size: number) => {
    let sum = 0
    for (let at = 0; at < size; at++) sum += digitAt(text, at) * (2 + ((size - 1 - at) % 8))
    const rest = sum % 11
    return rest < 2 ? 0 : 11 - rest
  }
  return check(12) === digitAt(text, 12) && check(13) === digitAt(text, 13)
}

/** CUIT or CUIL: type, eight digits, modulo 11 (AFIP). */
export function isCuit(match: string): boolean {
  const digits = digitsOf(match)
  if (!['20', '23', '24', '25', '26', '27', '30', '33', '34'].includes(digits.slice(0, 2))) return false
  const check = (11 - (weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11
  return check === digitAt(digits, 10)
}

/** RUT: seven or eight digits and one of 0 to 9 or K, modulo 11 with weights 2 to 7 from the right. */
export function isRut(match: string): boolean {
  const text = match.replace(/[. -]/g, '')
  const body = text.slice(0, -1)
  let sum = 0
  for (let at = 0; at < body.length; at++) sum += digitAt(body, body.length - 1 - at) * (2 + (at % 6))
  return !isUniform(body) && '0123456789K0'[11 - (sum % 11)] === text.at(-1)
}

const CURP_CHARACTERS = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ'

/** CURP: initials, date of birth, sex, state, consonants, a check digit modulo 10 (RENAPO). */
export function isCurp(match: string): boolean {
  if (!hasMonthDay(match, 6)) return false
  let sum = 0
  for (let at = 0; at < 17; at++) sum += CURP_CHARACTERS.indexOf(match.charAt(at)) * (18 - at)
  return (10 - (sum % 10)) % 10 === digitAt(match, 17)
}

/** RFC: three or four letters, a date, three characters of which the last is a check of modulo 11 (SAT). */
export function isRfc(match: string): boolean {
  const characters = '0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ'
  const text = match.padStart(13, ' ')
  if (!hasMonthDay(text, 6)) return false
  let sum = 0
  for (let at = 0; at < 12; at++) sum += characters.indexOf(text.charAt(at)) * (13 - at)
  return '0123456789A'[(11 - (sum % 11)) % 11] === text.at(-1)
}

/** American Bankers Association routing number: a Federal Reserve prefix and weights 3, 7, 1. */
export function isAbaRouting(match: string): boolean {
  const digits = digitsOf(match)
  const prefix = Number(digits.slice(0, 2))
  const known = prefix <= 12 || (prefix >= 21 && prefix <= 32) || (prefix >= 61 && prefix <= 72) || prefix === 80
  return known && !isUniform(digits) && weighted(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
}

/** DEA registration: two letters (or a letter and 9) and seven digits: (1st + 3rd + 5th) + 2 (2nd + 4th + 6th), last digit. */
export function isDeaNumber(match: string): boolean {
  const digits = match.slice(2)
  return weighted(digits, [1, 2, 1, 2, 1, 2]) % 10 === digitAt(digits, 6)
}

/** National Provider Identifier: ten digits, Luhn behind the prefix 80840 (45 CFR 162.406). */
export function isNpi(match: string): boolean {
  const digits = digitsOf(match)
  return !isUniform(digits.slice(0, 9)) && luhn(`80840${digits}`)
}

/** All separators of a match are the same. */
export function sameSeparators(match: string): boolean {
  return new Set(match.match(/[ .-]/g) ?? []).size <= 1
}
