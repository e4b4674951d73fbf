import { isLetterOrDigit } from './digits.ts'

/** Length of an IBAN by country (SWIFT IBAN Registry). */
const LENGTHS: Readonly<Record<string, number>> = {
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BI: 27,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DJ: 27,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FK: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GI: 23,
  GL: 18,
  GR: 27,
  GT: 28,
  HN: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IQ: 23,
  IS: 26,
  IT: 27,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MN: 20,
  MR: 27,
  MT: 31,
  MU: 30,
  NI: 28,
  NL: 18,
  NO: 15,
  OM: 23,
  PK: 24,
  PL: 28,
  PS: 29,
  PT: 25,
  QA: 29,
  RO: 24,
  RS: 22,
  RU: 33,
  SA: 24,
  SC: 31,
  SD: 18,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  SO: 23,
  ST: 25,
  SV: 28,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  XK: 20,
  YE: 30,
}

/** The countries that issue IBANs. */
export const IBAN_COUNTRIES: readonly string[] = Object.keys(LENGTHS)

/** Whether the match, its separators apart, has its country's length and the remainder 1 of ISO 7064 MOD 97-10 (ISO 13616). */
export function isIban(match: string): boolean {
  const length = LENGTHS[match.slice(0, 2).toUpperCase()]
  return length !== undefined && match.length >= length && signsOf(match) === length && beginsIban(match)
}

/** Whether an IBAN begins like the match: its check digits are right when its country's length is reached. */
export function beginsIban(match: string): boolean {
  const length = LENGTHS[match.slice(0, 2).toUpperCase()]
  if (length === undefined) return false
  let rest = 0
  let count = 0
  for (let at = 0; at < match.length && count < length; at++) {
    const code = match.charCodeAt(at)
    if (!isLetterOrDigit(code)) continue
    if (count >= 4) rest = appended(rest, code)
    count++
  }
  if (count < length) return false
  // The country and the check digits count last.
  count = 0
  for (let at = 0; count < 4; at++) {
    const code = match.charCodeAt(at)
    if (!isLetterOrDigit(code)) continue
    rest = appended(rest, code)
    count++
  }
  return rest === 1
}

/** The remainder by 97 of a number with the value of one more sign behind it. */
function appended(rest: number, code: number): number {
  return code < 58 ? (rest * 10 + code - 48) % 97 : (rest * 100 + (code | 32) - 87) % 97
}

function signsOf(match: string): number {
  let count = 0
  for (let at = 0; at < match.length; at++) if (isLetterOrDigit(match.charCodeAt(at))) count++
  return count
}
