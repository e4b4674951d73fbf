const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether a month has such a day (February 29 always counts). */
export function isMonthDay(month: number, day: number): boolean {
  return day >= 1 && day <= (DAYS[month - 1] ?? 0)
}

/** Whether four digits from `at` on are a month and a day. */
export function hasMonthDay(digits: string, at: number): boolean {
  return isMonthDay(Number(digits.slice(at, at + 2)), Number(digits.slice(at + 2, at + 4)))
}

/** Whether four digits from `at` on are a day and a month. */
export function hasDayMonth(digits: string, at: number): boolean {
  return isMonthDay(Number(digits.slice(at + 2, at + 4)), Number(digits.slice(at, at + 2)))
}

/** Years of birth of the living. */
export function isBirthYear(year: number): boolean {
  return year >= 1900 && year <= 2035
}

/** Beginnings of the names of the months, without accents, in the languages of western and northern Europe. */
const MONTHS = [
  'jan gen ene',
  'feb fev fév',
  'mar mär maa mrt',
  'apr avr abr huh',
  'may mai mag mei maj tou',
  'jun jui giu kes',
  'jul juil lug hei',
  'aug aou aoû ago elo',
  'sep set syy',
  'oct okt ott out lok',
  'nov mar',
  'dec dez dic déc des jou',
].map(line => line.split(' '))

/** The month that a name means, or 0. */
export function monthOf(name: string): number {
  const lower = name.toLowerCase()
  if (lower.startsWith('juil')) return 7
  return MONTHS.findIndex(starts => starts.some(start => lower.startsWith(start))) + 1
}

/**
 * Whether a text is a date of somebody's birth in one of the usual forms: year first, day or month first, with a month's
 * name, or in Japanese, Chinese and Korean with a word behind each number.
 */
export function isBirthDate(match: string): boolean {
  const numbers = (match.match(/\d{1,4}/g) ?? []).map(Number)
  const name = /\p{L}{3,}/u.exec(match.replace(/^\d{1,2}(?:st|nd|rd|th)/i, ''))?.[0]
  if (name !== undefined) {
    const [day = 0, year = 0] = numbers
    return isMonthDay(monthOf(name), day) && isYear(year)
  }
  const [one = 0, two = 0, three = 0] = numbers
  if (/^\d{4}/.test(match)) return isBirthYear(one) && (isMonthDay(two, three) || isMonthDay(three, two))
  return isYear(three) && (isMonthDay(one, two) || isMonthDay(two, one))
}

function isYear(year: number): boolean {
  return year < 100 || isBirthYear(year)
}
