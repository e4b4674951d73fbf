import { isLabelled, type Phrases, phrases } from './context.ts'
import { continuesNumber, digitsOf } from './digits.ts'

/** Words for bare numbers. */
export const SSN_WORDS = phrases('ssn, ssns, social security, ss')
export const ITIN_WORDS = phrases('itin, taxpayer, tax id, tin, ssn, ssns, social security, ss')

/** Numbers printed on wallet inserts and in advertising, never issued (Social Security Administration). */
const NEVER_ISSUED = new Set(['078051120', '219099999'])

/**
 * Whether the match is a Social Security number that may have been issued: area neither 000, 666 nor 900-999, group not 00,
 * serial not 0000 (20 CFR 422.103). Without separators it also needs a word such as "SSN" in front.
 */
export function isSsn(match: string, before: string): boolean {
  const digits = digitsOf(match)
  const area = digits.slice(0, 3)
  if (area === '000' || area === '666' || area >= '900') return false
  if (digits.slice(3, 5) === '00' || digits.slice(5) === '0000' || NEVER_ISSUED.has(digits)) return false
  return inPlace(match, before, SSN_WORDS)
}

/** Whether the match is an Individual Taxpayer Identification Number: 9xx, group 50-65, 70-88, 90-92 or 94-99 (IRS). */
export function isItin(match: string, before: string): boolean {
  const digits = digitsOf(match)
  const group = Number(digits.slice(3, 5))
  const issued = (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group !== 93)
  return issued && inPlace(match, before, ITIN_WORDS)
}

/** What a number with spaces goes on from: an address, a row of numbers. */
const UNIT = /(?:suite|ste|apt|apartment|unit|box|room|floor|flat|no|#)[. ]{1,2}$|\d $/i

/** Separators make the form; bare digits need a word that says what they are. */
function inPlace(match: string, before: string, words: Phrases): boolean {
  if (continuesNumber(before)) return false
  if (match[3] === ' ' && UNIT.test(before.slice(-12)) && !isLabelled(before, words, match)) return false
  if (match.length === 9 && /[a-z]$/i.test(before.slice(-1))) return false
  if (match.length === 11) return match[3] === match[6]
  return match.length === 9 && isLabelled(before, words, match)
}
