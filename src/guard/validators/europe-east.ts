import { digitAt, isUniform, luhnNumber, mod11And10, weighted } from './check-digits.ts'
import { hasDayMonth, hasMonthDay, isMonthDay } from './dates.ts'
import { digitsOf } from './digits.ts'

/** PESEL: date of birth (the century is added to the month), serial, weights 1, 3, 7, 9. */
export function isPesel(match: string): boolean {
  return (
    isMonthDay(Number(match.slice(2, 4)) % 20, Number(match.slice(4, 6))) &&
    weighted(match, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
  )
}

/** NIP: ten digits, modulo 11. */
export function isNip(match: string): boolean {
  const digits = digitsOf(match)
  return !isUniform(digits) && weighted(digits, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === digitAt(digits, 9)
}

/** REGON: nine digits, modulo 11. */
export function isRegon(match: string): boolean {
  return !isUniform(match) && (weighted(match, [8, 9, 2, 3, 4, 5, 6, 7]) % 11) % 10 === digitAt(match, 8)
}

/** Rodné číslo: date of birth (month + 50 for women, + 20 where numbers ran out), ten digits divisible by 11. */
export function isRodneCislo(match: string): boolean {
  const digits = digitsOf(match)
  const month = Number(digits.slice(2, 4)) % 50
  if (!isMonthDay(month > 20 ? month - 20 : month, Number(digits.slice(4, 6)))) return false
  return Number(digits) % 11 === 0 || (Number(digits.slice(0, 9)) % 11 === 10 && digits[9] === '0')
}

/** Cod numeric personal: sex and century, date of birth, county, serial, modulo 11. */
export function isCnp(match: string): boolean {
  const rest = weighted(match, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
  const county = Number(match.slice(7, 9))
  return hasMonthDay(match, 3) && county >= 1 && county <= 52 && (rest === 10 ? 1 : rest) === digitAt(match, 12)
}

/** EGN: date of birth (month + 20 before 1900, + 40 from 2000 on), serial, modulo 11. */
export function isEgn(match: string): boolean {
  const rest = weighted(match, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11
  return isMonthDay(Number(match.slice(2, 4)) % 20, Number(match.slice(4, 6))) && rest % 10 === digitAt(match, 9)
}

/** Personal code of Estonia and Lithuania: sex and century, date of birth, serial, modulo 11 in two rounds. */
export function isBalticCode(match: string): boolean {
  if (!hasMonthDay(match, 3)) return false
  let rest = weighted(match, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
  if (rest === 10) rest = weighted(match, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11
  return rest % 10 === digitAt(match, 10)
}

/** OIB: eleven digits, ISO 7064 MOD 11,10. */
export function isOib(match: string): boolean {
  return !isUniform(match) && mod11And10(match)
}

/** JMBG and EMSO: date of birth with three digits of the year, region, serial, modulo 11. */
export function isJmbg(match: string): boolean {
  const rest = weighted(match, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
  return hasDayMonth(match, 0) && /^.{4}[09]/.test(match) && (rest === 0 ? 0 : 11 - rest) === digitAt(match, 12)
}

/** Hungarian personal number: sex and century, date of birth, serial, modulo 11 with weights 1 to 10 or 10 to 1. */
export function isHungarianNumber(match: string): boolean {
  const digits = digitsOf(match)
  if (!hasMonthDay(digits, 3)) return false
  const up = weighted(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) % 11
  const down = weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11
  return [up, down].includes(digitAt(digits, 10))
}

/** Hungarian social insurance number: nine digits, weights 3 and 7. */
export function isTaj(match: string): boolean {
  const digits = digitsOf(match)
  return !isUniform(digits) && weighted(digits, [3, 7, 3, 7, 3, 7, 3, 7]) % 10 === digitAt(digits, 8)
}

/** AMKA: date of birth, serial, Luhn. */
export function isAmka(match: string): boolean {
  return hasDayMonth(match, 0) && luhnNumber(match)
}

/** AFM: nine digits, powers of two, modulo 11. */
export function isAfm(match: string): boolean {
  return !isUniform(match) && (weighted(match, [256, 128, 64, 32, 16, 8, 4, 2]) % 11) % 10 === digitAt(match, 8)
}

/** T.C. kimlik no: eleven digits, two check digits (Vatandaşlık İşleri). */
export function isTcKimlik(match: string): boolean {
  const odd = weighted(match, [1, 0, 1, 0, 1, 0, 1, 0, 1])
  const even = weighted(match, [0, 1, 0, 1, 0, 1, 0, 1])
  const tenth = (((odd * 7 - even) % 10) + 10) % 10
  return tenth === digitAt(match, 9) && (odd + even + tenth) % 10 === digitAt(match, 10)
}

/** Russian taxpayer number of a person: twelve digits, the last two each modulo 11. */
export function isInn(match: string): boolean {
  const first = (weighted(match, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10
  const second = (weighted(match, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10
  return !isUniform(match) && first === digitAt(match, 10) && second === digitAt(match, 11)
}

/** SNILS: nine digits with weights 9 to 1, modulo 101. */
export function isSnils(match: string): boolean {
  const digits = digitsOf(match)
  const check = (weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100
  return !isUniform(digits.slice(0, 9)) && check === Number(digits.slice(9))
}
