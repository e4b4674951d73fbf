import type { RuleDefinition } from '../rule.ts'
import { phrases } from '../validators/context.ts'
import { isAhv, isAustrianInsurance, isBelgianNumber, isBsn, isNir, isPps, isSiren } from '../validators/europe-west.ts'
import { idRule } from './id-form.ts'

/** Numbers of France, the Netherlands, Belgium, Austria, Switzerland and Ireland. */
export const FRANCE_BENELUX_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'FR_NIR',
    locale: 'fr',
    description: 'French social security number: sex, year, month, place, order and a key modulo 97 (INSEE).',
    pattern: '[1-478] ?\\d{2} ?\\d{2} ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3} ?\\d{2}',
    check: isNir,
    strong: true,
    examples: ['n° de sécu «2 55 08 14 168 025 38»', '«255081416802538»'],
    counterExamples: ['2 55 08 14 168 025 39', '2 55 13 14 168 025 38', '25508141680253'],
  }),
  idRule({
    name: 'FR_SIRET',
    locale: 'fr',
    description: 'SIRET (fourteen digits) or SIREN (nine) of a French company: Luhn, behind a word (INSEE).',
    pattern: '\\d{3} ?\\d{3} ?\\d{3}(?: ?\\d{5})?',
    check: isSiren,
    said: phrases('siren, siret, rcs, siren siret, numero siret, numero siren'),
    examples: ['SIREN «732 829 320»', 'SIRET : «73282932000074»'],
    counterExamples: ['732 829 320', 'SIREN 732 829 321', 'SIRET 00000000000000'],
  }),
  idRule({
    name: 'NL_BSN',
    locale: 'nl',
    description: 'Burgerservicenummer: nine digits, weights 9 to 2 and -1 modulo 11, behind a word (Rijksdienst).',
    pattern: '\\d{9}|\\d{4}[ .]\\d{2}[ .]\\d{3}|\\d{3}[ .]\\d{3}[ .]\\d{3}',
    check: isBsn,
    said: phrases('bsn, burgerservice*, sofinummer, sofi nummer, citizen service'),
    examples: ['BSN: «111222333»', 'burgerservicenummer «1112.22.333»'],
    counterExamples: ['111222333', 'BSN 111222334'],
  }),
  idRule({
    name: 'BE_NATIONAL_NUMBER',
    locale: 'be',
    description: 'Belgian national number: date of birth, serial and a key modulo 97 (Rijksregister).',
    pattern: '\\d{2}[.]?\\d{2}[.]?\\d{2}[- ]?\\d{3}[. ]?\\d{2}',
    check: isBelgianNumber,
    strong: true,
    examples: ['rijksregisternummer «85.07.30-033.28»', '«85073003328»'],
    counterExamples: ['85.07.30-033.29', '85.13.30-033.28'],
  }),
  idRule({
    name: 'AT_SVNR',
    locale: 'at',
    description: 'Austrian social insurance number: serial, check digit, date of birth, behind a word.',
    pattern: '[1-9]\\d{3}[ -]?\\d{6}',
    check: isAustrianInsurance,
    said: phrases('svnr, sv nr, sv nummer, sozialversicherung*, versicherungsnummer, vsnr, e card, ecard'),
    examples: ['SVNR «1237 010180»', 'Sozialversicherungsnummer: «1237010180»'],
    counterExamples: ['1237 010180', 'SVNR 1236 010180', 'SVNR 1237 320180'],
  }),
  idRule({
    name: 'CH_AHV',
    locale: 'ch',
    description: 'Swiss AHV number: 756, nine digits and the check digit of EAN-13 (ZAS).',
    pattern: '756[. ]?\\d{4}[. ]?\\d{4}[. ]?\\d{2}',
    check: isAhv,
    strong: true,
    examples: ['AHV-Nr. «756.9217.0769.85»', '«7569217076985»'],
    counterExamples: ['756.9217.0769.86', '757.9217.0769.85'],
  }),
  idRule({
    name: 'IE_PPS',
    locale: 'ie',
    description: 'Irish personal public service number: seven digits and a check letter, behind a word (DSP).',
    pattern: '\\d{7}[A-W][A-IW]?',
    check: isPps,
    said: phrases('pps, ppsn, pps number, personal public service'),
    examples: ['PPS number «1234567T»', 'PPSN: «1234567FA»'],
    counterExamples: ['1234567T', 'PPS 1234567U'],
  }),
]
