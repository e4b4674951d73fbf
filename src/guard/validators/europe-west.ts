import { base36, digitAt, icaoCheck, isUniform, luhnNumber, mod11And10, weighted } from './check-digits.ts'
import { hasDayMonth, hasMonthDay, isMonthDay } from './dates.ts'
import { digitsOf } from './digits.ts'
import { luhn } from './luhn.ts'

const NIF_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE'

/** DNI number and letter: modulo 23 (Ministerio del Interior). NIE: X, Y, Z stand for 0, 1, 2. */
export function isNif(match: string): boolean {
  const text = match.replace(/[ .-]/g, '')
  const digits = text.slice(0, -1).replace(/^[XYZ]/, first => String('XYZ'.indexOf(first)))
  return NIF_LETTERS[Number(digits) % 23] === text.at(-1)
}

/** CIF of a company: a letter, seven digits, a check digit or its letter. */
export function isCif(match: string): boolean {
  const text = match.replace(/[ .-]/g, '')
  let sum = 0
  for (let at = 1; at <= 7; at++) {
    const digit = digitAt(text, at)
    sum += at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  const check = (10 - (sum % 10)) % 10
  return text.endsWith(String(check)) || text.at(-1) === 'JABCDEFGHI'[check]
}

const FISCAL_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
const FISCAL_MONTHS = 'ABCDEHLMPRST'
const OMOCODE = 'LMNPQRSTUV'

/** Codice fiscale: names, year, month letter, day (+40 for women), municipality, a check letter modulo 26 (DM 23/12/1976). */
export function isFiscalCode(match: string): boolean {
  const day = [9, 10].map(at =>
    OMOCODE.indexOf(match.charAt(at)) === -1 ? match.charAt(at) : OMOCODE.indexOf(match.charAt(at)),
  )
  if (!isMonthDay(FISCAL_MONTHS.indexOf(match.charAt(8)) + 1, Number(day.join('')) % 40)) return false
  let sum = 0
  for (let at = 0; at < 15; at++) {
    const char = match.charAt(at)
    const value = char >= 'A' ? char.charCodeAt(0) - 65 : Number(char)
    sum += at % 2 === 0 ? (FISCAL_ODD[value] ?? 0) : value
  }
  return String.fromCharCode(65 + (sum % 26)) === match.at(-1)
}

/** Partita IVA: eleven digits, Luhn, an office in use. */
export function isPartitaIva(match: string): boolean {
  const digits = digitsOf(match)
  const office = Number(digits.slice(7, 10))
  return ((office >= 1 && office <= 121) || office === 888 || office === 999) && luhnNumber(digits)
}

/** Steuerliche Identifikationsnummer: eleven digits, ISO 7064 MOD 11,10, no digit thrice in a row (section 139b AO). */
export function isGermanTaxId(match: string): boolean {
  const digits = digitsOf(match)
  return digits[0] !== '0' && mod11And10(digits) && !/(\d)\1\1/.test(digits.slice(0, 10))
}

/** Number of an identity card or passport: nine characters, the last an ICAO check digit. */
export function isGermanDocument(match: string): boolean {
  return /\d/.test(match.slice(1, -1)) && icaoCheck(match)
}

/** Rentenversicherungsnummer: area, date of birth, initial, serial, a check digit (section 147 SGB VI). */
export function isGermanPensionNumber(match: string): boolean {
  const text = match.replace(/ /g, '')
  const letter = String(text.charCodeAt(8) - 64).padStart(2, '0')
  const digits = text.slice(0, 8) + letter + text.slice(9, 11)
  const day = Number(text.slice(2, 4))
  if (!isMonthDay(Number(text.slice(4, 6)), day > 50 ? day - 50 : day)) return false
  let sum = 0
  for (const [at, weight] of [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1].entries()) {
    const product = digitAt(digits, at) * weight
    sum += Math.floor(product / 10) + (product % 10)
  }
  return sum % 10 === digitAt(text, 11)
}

/** Krankenversichertennummer: a letter as two digits, eight digits, a check digit modulo 10 with weights 1 and 2. */
export function isGermanHealthNumber(match: string): boolean {
  const digits = String(match.charCodeAt(0) - 64).padStart(2, '0') + match.slice(1)
  let sum = 0
  for (let at = 0; at < 10; at++) {
    const product = digitAt(digits, at) * (1 + (at % 2))
    sum += Math.floor(product / 10) + (product % 10)
  }
  return sum % 10 === digitAt(digits, 10)
}

/** Lifelong doctor's number: six digits, a check digit with weights 4 and 9, two digits of the field. */
export function isGermanDoctor(match: string): boolean {
  const digits = digitsOf(match)
  return (10 - (weighted(digits, [4, 9, 4, 9, 4, 9]) % 10)) % 10 === digitAt(digits, 6)
}

/** Establishment number of a practice: a region of the statutory physicians, not all zero. */
export function isGermanPractice(match: string): boolean {
  return !isUniform(match)
}

/** Umsatzsteuer-Identifikationsnummer: DE and nine digits, ISO 7064 MOD 11,10. */
export function isGermanVat(match: string): boolean {
  return mod11And10(digitsOf(match))
}

/** Numéro de sécurité sociale (NIR): sex, year, month, place, order, and 97 less the rest modulo 97 (INSEE). */
export function isNir(match: string): boolean {
  const text = match.replace(/[ .-]/g, '')
  const month = Number(text.slice(3, 5))
  if ((month < 1 || month > 12) && (month < 20 || month > 42) && month < 50) return false
  const number = Number(text.slice(0, 13).replace('2A', '19').replace('2B', '18'))
  return 97 - (number % 97) === Number(text.slice(13))
}

/** SIREN (nine digits) or SIRET (fourteen): Luhn (INSEE). */
export function isSiren(match: string): boolean {
  return luhnNumber(digitsOf(match))
}

/** Burgerservicenummer: nine digits, weights 9 to 2 and -1, modulo 11. */
export function isBsn(match: string): boolean {
  const digits = digitsOf(match)
  return !isUniform(digits) && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0
}

/** Belgian national number: date of birth, serial, 97 less the rest modulo 97, with a 2 in front from 2000 on. */
export function isBelgianNumber(match: string): boolean {
  const digits = digitsOf(match)
  const month = Number(digits.slice(2, 4))
  if (!isMonthDay(month > 40 ? month - 40 : month > 20 ? month - 20 : month, Number(digits.slice(4, 6)))) return false
  const check = Number(digits.slice(9))
  return [`${digits.slice(0, 9)}`, `2${digits.slice(0, 9)}`].some(text => 97 - (Number(text) % 97) === check)
}

/** Portuguese tax number: nine digits, modulo 11. */
export function isPortugueseNif(match: string): boolean {
  const digits = digitsOf(match)
  const check = 11 - (weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11)
  return !isUniform(digits) && /^(?:[1235689]|45|7[0-9])/.test(digits) && (check > 9 ? 0 : check) === digitAt(digits, 8)
}

/** AHV number: 756, nine digits, the EAN-13 check digit (Zentrale Ausgleichsstelle). */
export function isAhv(match: string): boolean {
  const digits = digitsOf(match)
  return (10 - (weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === digitAt(digits, 12)
}

/** Austrian social insurance number: serial, check digit modulo 11, date of birth. */
export function isAustrianInsurance(match: string): boolean {
  const digits = digitsOf(match)
  return hasDayMonth(digits, 4) && weighted(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === digitAt(digits, 3)
}

/** Personal public service number: seven digits, a check letter modulo 23, perhaps a second letter (weight 9). */
export function isPps(match: string): boolean {
  const second = match[8] === undefined || match[8] === 'W' ? 0 : base36(match[8]) - 9
  const sum = weighted(match, [8, 7, 6, 5, 4, 3, 2]) + second * 9
  return 'WABCDEFGHIJKLMNOPQRSTUV'[sum % 23] === match[7]
}

/** Finnish personal identity code: date of birth, century sign, serial, one of 31 check characters. */
export function isHetu(match: string): boolean {
  const number = Number(match.slice(0, 6) + match.slice(7, 10))
  return (
    hasDayMonth(match, 0) &&
    Number(match.slice(7, 10)) >= 2 &&
    '0123456789ABCDEFHJKLMNPRSTUVWXY'[number % 31] === match[10]
  )
}

/** Swedish personal number (or a coordination number, day + 60): date of birth, serial, Luhn. */
export function isPersonnummer(match: string): boolean {
  const digits = digitsOf(match).slice(-10)
  const day = Number(digits.slice(4, 6))
  return isMonthDay(Number(digits.slice(2, 4)), day > 60 ? day - 60 : day) && luhn(digits)
}

/** Swedish organisation number: a third digit of at least 2, Luhn. */
export function isOrganisationsnummer(match: string): boolean {
  return luhnNumber(digitsOf(match))
}

/** Danish CPR number: date of birth and a serial; the check digit has been given up. */
export function isCpr(match: string): boolean {
  return hasDayMonth(match, 0)
}

/** Norwegian birth number (D-number: day + 40): date of birth, serial, two check digits modulo 11. */
export function isFodselsnummer(match: string): boolean {
  const digits = digitsOf(match)
  const day = Number(digits.slice(0, 2))
  if (!isMonthDay(Number(digits.slice(2, 4)) % 40, day > 40 ? day - 40 : day)) return false
  const first = weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11
  return first === 0 && weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
}

/** Icelandic kennitala: date of birth, serial, a check digit modulo 11, the century. */
export function isKennitala(match: string): boolean {
  const digits = digitsOf(match)
  return hasDayMonth(digits, 0) && weighted(digits, [3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
}

/** Driving licence of Great Britain: surname, decade, month (+50 for women), day, year, initials, two check characters. */
export function isBritishDriver(match: string): boolean {
  return hasMonthDay(`${Number(match[6]) % 5}${match.slice(7, 10)}`, 0)
}
