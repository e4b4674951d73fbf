import type { RuleDefinition } from '../rule.ts'
import { phrases } from '../validators/context.ts'
import { isBirthDate } from '../validators/dates.ts'
import { hasVinCheck, isImei } from '../validators/documents.ts'
import { idRule } from './id-form.ts'

/** Beginnings of the months in the languages of western and northern Europe. */
const MONTHS =
  'jan gen ene feb fev fév mar mär maa mrt apr avr abr huh may mai mag mei maj tou jun jui giu kes jul lug hei aug aou aoû ago elo ' +
  'sep set syy oct okt ott out lok nov dec dez dic déc des jou'

/** A month by its beginning and the rest of its name, the first letter in either case. */
const MONTH = `(?:${MONTHS.split(' ')
  .map(([first = '', ...rest]) => `[${first}${first.toUpperCase()}](?:${rest.join('')}|${rest.join('').toUpperCase()})`)
  .join('|')})[A-Za-zäûéçô]{0,7}`

/** English months in front of a day; in lower case only those that are no other words, which would have to wait. */
const LEADING =
  '(?:Jan|JAN|Feb|FEB|Mar|MAR|Apr|APR|May|MAY|Jun|JUN|Jul|JUL|Aug|AUG|Sep|SEP|Oct|OCT|Nov|NOV|Dec|DEC)[A-Za-z]{0,6}|' +
  'january|february|april|june|july|august|september|october|november|december'

/** What belongs to one person or thing anywhere: birth dates, vehicles, devices, bank codes. */
export const IDENTITY_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'DATE_OF_BIRTH',
    description: 'Date in any of the usual forms, right behind a word such as "born" or "DOB".',
    pattern: `\\d{4}[-./]\\d{1,2}[-./]\\d{1,2}|\\d{1,2}[-./ ]{1,2}\\d{1,2}[-./ ]{1,2}(?:\\d{4}|\\d{2})|\\d{1,2}(?:st|nd|rd|th|\\.|er)?[ -](?:of |de |the )?${MONTH}[.,]?[ -](?:de |of )?\\d{4}|(?:${LEADING})\\.? \\d{1,2}(?:st|nd|rd|th)?,? \\d{4}|\\d{4} ?[年년] ?\\d{1,2} ?[月월] ?\\d{1,2} ?[日일]`,
    caseSensitive: true,
    check: isBirthDate,
    labelled: phrases(
      'born, date of birth, dob, d o b, birth date, birthdate, birthday, bday, birth, geboren, geburtsdatum, geburtstag, geb',
      'ne le, nee le, ne e le, date de naissance, naissance, nacido, nacida, nacio, fecha de nacimiento, nacimiento, nato, nata',
      'data di nascita, nascita, nascido, nascida, nasceu, data de nascimento, nascimento, geboortedatum, fodselsdato, fødselsdato',
      'født, fodd, fodelsedatum, syntynyt, syntymaaika, data urodzenia, urodzony, urodzona, urodzon*, narozen*, dogum tarihi, dogum*',
      'дата рождения, родился, родилась, 生年月日, 出生, 생년월일',
    ),
    examples: [
      'DOB: «1985-03-12»',
      'She was born on «12 March 1985» in Bonn',
      'date of birth «03/12/1985»',
      'geboren am «12.03.1985»',
      'née le «5 mai 1985»',
      'born in Leeds on «May 5th, 1985»',
      '"dateOfBirth": "«1985-03-12»"',
      '生年月日：«1985年3月12日»',
    ],
    counterExamples: ['on 1985-03-12', 'DOB 1985-13-32', 'born to run, released 1975-08-25', 'born 3 little pigs 2020'],
  }),
  idRule({
    name: 'VIN',
    description:
      'Vehicle identification number: seventeen characters, with its check digit or behind a word (ISO 3779).',
    pattern: '[A-Z0-9]{17}',
    exact: /^[^IOQ]{17}$/,
    caseSensitive: true,
    check: match => /\d.*\d.*\d/.test(match) && /[A-Z]/.test(match),
    strong: match => match === match.toUpperCase() && hasVinCheck(match),
    said: phrases('vin, vehicle identification, chassis, fahrgestell*, fin, numero de chasis, telaio'),
    examples: ['VIN «1HGCM82633A004352»', 'chassis no. «WVWZZZ1KZ6W000001»', '«1HGCM82633A004352»'],
    counterExamples: ['WVWZZZ1KZ6W000001', 'VIN 1HGCM82633A00435', 'VIN IOQCM82633A004352'],
  }),
  idRule({
    name: 'IMEI',
    description: 'Equipment identity of a mobile device: fifteen digits, Luhn, behind a word (3GPP TS 23.003).',
    pattern: '\\d{15}|\\d{2}[ -]\\d{6}[ -]\\d{6}[ -]\\d',
    check: isImei,
    said: phrases('imei*, device id, handset'),
    examples: ['IMEI: «490154203237518»', 'imei «49-015420-323751-8»'],
    counterExamples: ['490154203237518', 'IMEI 490154203237519'],
  }),
  idRule({
    name: 'SWIFT_BIC',
    description: 'Business identifier code of a bank, right behind a label (ISO 9362).',
    pattern: '[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?',
    caseSensitive: true,
    // Its own label has the form, behind words that introduce one.
    check: match => match !== 'REDACTED',
    labelled: phrases('bic, swift, swift code, bic code, swift bic, bic swift'),
    examples: ['BIC: «DEUTDEFF500»', 'SWIFT code «NEDSZAJJ»'],
    counterExamples: ['DEUTDEFF500', 'BIC DEUTDEF', 'the SWIFT compiler', 'BIC: [SWIFT_BIC_REDACTED]'],
  }),
]
