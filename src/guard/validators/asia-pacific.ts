import { base36, digitAt, isUniform, luhnNumber, verhoeff, weighted } from './check-digits.ts'
import { hasDayMonth, hasMonthDay, isBirthYear } from './dates.ts'
import { digitsOf } from './digits.ts'
import { luhn } from './luhn.ts'

/** Aadhaar: twelve digits, not starting with 0 or 1, Verhoeff, no palindrome (UIDAI). */
export function isAadhaar(match: string): boolean {
  const digits = digitsOf(match)
  return digits !== [...digits].reverse().join('') && verhoeff(digits)
}

/** GSTIN: state code 01 to 38 (or 97, 99), a PAN, an entity, Z, a check character. */
export function isGstin(match: string): boolean {
  const state = Number(match.slice(0, 2))
  return (state >= 1 && state <= 38) || state === 97 || state === 99
}

const VEHICLE_STATES = new Set(
  'AN AP AR AS BH BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TN TR TS UK UP WB'.split(
    ' ',
  ),
)

/** Indian vehicle registration of a state or union territory. */
export function isIndianVehicle(match: string): boolean {
  return VEHICLE_STATES.has(match.slice(0, 2))
}

/** Tax file number: nine digits, modulo 11 (Australian Taxation Office). */
export function isTfn(match: string): boolean {
  const digits = digitsOf(match)
  return !isUniform(digits) && weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0
}

/** Australian business number: eleven digits, the first less one, modulo 89. */
export function isAbn(match: string): boolean {
  const digits = digitsOf(match)
  return digits[0] !== '0' && (weighted(digits, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0
}

/** Australian company number: nine digits, weights 8 to 1, modulo 10. */
export function isAcn(match: string): boolean {
  const digits = digitsOf(match)
  return !isUniform(digits) && (10 - (weighted(digits, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === digitAt(digits, 8)
}

/** Medicare card: starts with 2 to 6, weights 1, 3, 7, 9, modulo 10, an issue number. */
export function isAustralianMedicare(match: string): boolean {
  const digits = digitsOf(match)
  return weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digitAt(digits, 8)
}

/** Inland Revenue number of New Zealand: eight or nine digits, modulo 11 with two sets of weights. */
export function isIrd(match: string): boolean {
  const digits = digitsOf(match).padStart(9, '0')
  const check = (weights: readonly number[]) => (11 - (weighted(digits, weights) % 11)) % 11
  const first = check([3, 2, 7, 6, 5, 4, 3, 2])
  return (first < 10 ? first : check([7, 4, 3, 2, 5, 2, 7, 6])) === digitAt(digits, 8)
}

const NRIC_LETTERS: Readonly<Record<string, string>> = {
  S: 'JZIHGFEDCBA',
  T: 'GFEDCBAJZIH',
  F: 'XWUTRQPNMLK',
  G: 'RQPNMLKXWUT',
  M: 'KLJNPQRTUWX',
}

/** NRIC or FIN: S, T, F, G or M, seven digits, a check letter modulo 11. */
export function isNric(match: string): boolean {
  const series = match.charAt(0)
  const sum = weighted(match.slice(1), [2, 7, 6, 5, 4, 3, 2])
  const place = series === 'M' ? 10 - ((sum + 3) % 11) : sum % 11
  return NRIC_LETTERS[series]?.[place] === match[8]
}

/** Unique entity number: eight digits and a letter, a year with five digits and a letter, or T08LL1234A. */
export function isUen(match: string): boolean {
  if (match.length === 9) return 'XMKECAWLJDB'[weighted(match, [10, 4, 9, 3, 8, 2, 7, 1]) % 11] === match[8]
  if (/^\d/.test(match))
    return (
      isBirthYear(Number(match.slice(0, 4))) &&
      'ZKCMDNERGWH'[weighted(match, [10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11] === match[9]
    )
  return /^(?:LP|LL|FC|PF|RF|MQ|MM|NB|CC|CS|MB|FM|GS|DP|CP|NR|CM|CD|MD|HS|VH|CH|MH|CL|XL|CX|HC|RP|TU|TC|FB|FN|PA|PB|SS|MC|SM|GA|GB)$/.test(
    match.slice(3, 5),
  )
}

/** Korean resident (or, with 5 to 8, foreigner's) registration: date of birth and a sign of sex and century. */
export function isKoreanRegistration(match: string): boolean {
  const digits = digitsOf(match)
  return hasMonthDay(digits, 2) && Number(digits.slice(7, 9)) <= 96
}

/** Korean business registration: ten digits, weights 1, 3, 7, modulo 10. */
export function isKoreanBusiness(match: string): boolean {
  const digits = digitsOf(match)
  const sum = weighted(digits, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((digitAt(digits, 8) * 5) / 10)
  return (10 - (sum % 10)) % 10 === digitAt(digits, 9)
}

/** Korean driver's licence: a region from 11 to 28. */
export function isKoreanDriver(match: string): boolean {
  const region = Number(match.slice(0, 2))
  return region >= 11 && region <= 28
}

/** Resident identity number of China: region, date of birth, serial, ISO 7064 MOD 11-2 (GB 11643). */
export function isChineseId(match: string): boolean {
  const region = Number(match.slice(0, 2))
  if (region < 11 || region > 82 || !isBirthYear(Number(match.slice(6, 10))) || !hasMonthDay(match, 10)) return false
  return '10X98765432'[weighted(match, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] === match[17]
}

/** Individual number of Japan: twelve digits, modulo 11. */
export function isMyNumber(match: string): boolean {
  const digits = digitsOf(match)
  const rest = weighted(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
  return !isUniform(digits) && (rest <= 1 ? 0 : 11 - rest) === digitAt(digits, 11)
}

/** Identity card of Taiwan: a letter as two digits, nine digits, modulo 10. */
export function isTaiwaneseId(match: string): boolean {
  const value = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(match.charAt(0)) + 10
  const sum = Math.floor(value / 10) + (value % 10) * 9 + weighted(match.slice(1), [8, 7, 6, 5, 4, 3, 2, 1, 1])
  return sum % 10 === 0
}

/** Identity card of Hong Kong: one or two letters, six digits, a check character modulo 11 in parentheses. */
export function isHongKongId(match: string): boolean {
  const text = match.replace(/[()]/g, '').padStart(9, ' ')
  let sum = 0
  for (let at = 0; at < 9; at++) {
    const char = text.charAt(at)
    sum += (char === ' ' ? 36 : base36(char)) * (9 - at)
  }
  return sum % 11 === 0
}

/** Codes of the provinces of Thailand (ISO 3166-2:TH). */
const THAI_PROVINCE = /^(?:1\d|2[0-7]|[34]\d|5[0-8]|6[0-7]|7[0-7]|8[0-6]|9[0-6])$/

/** Thai national identity number: thirteen digits, modulo 11. */
export function isThaiId(match: string): boolean {
  const digits = digitsOf(match)
  const check = (11 - (weighted(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10
  return THAI_PROVINCE.test(digits.slice(1, 3)) && !isUniform(digits) && check === digitAt(digits, 12)
}

/** MyKad: date of birth, place of birth, serial. */
export function isMyKad(match: string): boolean {
  const digits = digitsOf(match)
  const place = Number(digits.slice(6, 8))
  return hasMonthDay(digits, 2) && ((place >= 1 && place <= 16) || (place >= 21 && place <= 59) || place >= 60)
}

/** NIK: a province from 11 to 96, date of birth (day + 40 for women) from the seventh digit on. */
export function isNik(match: string): boolean {
  const digits = digitsOf(match)
  const day = Number(digits.slice(6, 8))
  return hasDayMonth(`${String(day > 40 ? day - 40 : day).padStart(2, '0')}${digits.slice(8, 10)}`, 0)
}

/** South African identity number: date of birth, serial, citizenship, Luhn. */
export function isSouthAfricanId(match: string): boolean {
  return hasMonthDay(match, 2) && luhn(match)
}

/** Israeli identity number: nine digits, Luhn. */
export function isIsraeliId(match: string): boolean {
  return luhnNumber(digitsOf(match))
}

/** Saudi identity or residence number: ten digits from 1 or 2 on, Luhn. */
export function isSaudiId(match: string): boolean {
  return luhnNumber(match)
}

/** Emirates ID: 784, a year of birth, seven digits, Luhn. */
export function isEmiratesId(match: string): boolean {
  const digits = digitsOf(match)
  return isBirthYear(Number(digits.slice(3, 7))) && luhn(digits)
}

/** Egyptian national number: century, date of birth, governorate. */
export function isEgyptianId(match: string): boolean {
  const governorate = Number(match.slice(7, 9))
  return hasMonthDay(match, 3) && ((governorate >= 1 && governorate <= 35) || governorate === 88)
}

/** Taxpayer number of the Philippines: eight digits, a check digit modulo 11, perhaps a branch (BIR). */
export function isPhilippineTin(digits: string): boolean {
  return weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11 === digitAt(digits, 8)
}
