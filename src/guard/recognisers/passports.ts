import type { RuleDefinition } from '../rule.ts'
import { phrases } from '../validators/context.ts'
import { isGermanDocument } from '../validators/europe-west.ts'
import { idRule } from './id-form.ts'

const ANY = phrases('passport, passports, passport no, travel document, travel documents, reisedokument')

/** Passports, behind a label: hardly one has a check digit outside its machine-readable lines. Specific forms in front. */
export const PASSPORT_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'DE_PASSPORT',
    locale: 'de',
    description:
      'German passport: nine characters, the last a check digit, behind a word that says so (ICAO Doc 9303).',
    pattern: '[A-Z][0-9A-Z]{7}\\d',
    exact: /^[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{7}/,
    check: isGermanDocument,
    said: phrases('reisepass*, pass nr, passnummer, passnr, german passport, deutscher pass'),
    examples: ['Reisepass «C01X00T41»', 'Pass-Nr.: «f12345671»'],
    counterExamples: ['C01X00T41', 'Reisepass C01X00T42', 'Reisepass A01X00T41'],
  }),
  idRule({
    name: 'KR_PASSPORT',
    locale: 'kr',
    description: 'Passport of the Republic of Korea: a type, seven or eight digits, perhaps a letter among them.',
    pattern: '[MSRODG]\\d{3}[A-Z]\\d{4}|[MSRODG]\\d{8}',
    labelled: phrases('korean passport, korea passport, 여권'),
    examples: ['Korean passport: «M456B7890»', '여권번호: «M12345678»'],
    counterExamples: ['M456B7890', 'Korean passport A123B4567', '여권 M12A4567'],
  }),
  idRule({
    name: 'ES_PASSPORT',
    locale: 'es',
    description: 'Spanish passport: three letters and six digits right behind a label.',
    pattern: '[A-Z]{3}\\d{6}',
    labelled: phrases('pasaporte*, passport, travel document'),
    examples: ['Mi pasaporte es «AAA123456»', 'passport «xyz987654»'],
    counterExamples: ['AAA123456', 'pasaporte AAAA12345', 'pasaporte AA123456'],
  }),
  idRule({
    name: 'IT_PASSPORT',
    locale: 'it',
    description: 'Italian passport: two letters and seven digits right behind a label.',
    pattern: '[A-Z]{2}\\d{7}',
    labelled: phrases('passaporto, italian passport'),
    examples: ['passaporto n. «AA1234567»', 'Passaporto: «yb7654321»'],
    counterExamples: ['AA1234567', 'passaporto AA123456', 'passaporto AAA123456'],
  }),
  idRule({
    name: 'UK_PASSPORT',
    locale: 'uk',
    description: 'Passport of the United Kingdom: nine digits, or two letters and seven digits, right behind a label.',
    pattern: '[A-Z]{2}\\d{7}',
    labelled: ANY,
    examples: ['My passport number is «CD7654321»', 'Passport No: «ab1234567»'],
    counterExamples: ['AB1234567', 'passport AB123456', 'passport, parcel AB1234567'],
  }),
  idRule({
    name: 'IN_PASSPORT',
    locale: 'in',
    description: 'Indian passport: a letter and seven digits of which the first is not 0, right behind a label.',
    pattern: '[A-Z]\\d{7}',
    exact: /^.[1-9]/,
    labelled: ANY,
    examples: ['my passport number is «T3569075»', 'passport number: «J6932157»'],
    counterExamples: ['T3569075', 'passport B0097650', 'passport T356907'],
  }),
  idRule({
    name: 'US_PASSPORT',
    locale: 'us',
    description: 'Passport of the United States: nine digits, or a letter and eight, right behind a label.',
    pattern: '[A-Z]?\\d{8}|\\d{9}',
    check: match => match.length === 9,
    labelled: ANY,
    examples: ['my travel passport is «A12803456»', '"passportNumber": "«912803456»"', 'US passport no. «Z12803456»'],
    counterExamples: ['order 912803456', 'passport 91280345', 'passport.js 0.5.2'],
  }),
  idRule({
    name: 'PASSPORT',
    description: 'Passport of any other country: six to nine digits with up to two letters, right behind a label.',
    pattern: '[A-Z]{0,2}\\d{6,9}[A-Z]{0,2}|\\d{2} ?\\d{2} ?\\d{6}|\\d{2}[A-Z]{2}\\d{5}',
    labelled: phrases(
      'passport number, passport no, passport nr, passport is, passeport*, pasaporte*, passaporte*, paspoort*',
      'reisepass*, passnummer, paszport*, pasaport*, passi, passnr, 旅券, 护照, 護照, паспорт*',
    ),
    examples: [
      'passeport n° «12AB34567»',
      'paspoortnummer «NX1234567»',
      'паспорт «4509 123456»',
      'Passport no. «NX123456»',
    ],
    counterExamples: ['passport to 1234', 'invoice 12AB34567', 'passport number and order, 1234567'],
  }),
]
