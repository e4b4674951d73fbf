import type { RuleDefinition } from '../rule.ts'
import { isAbaRouting, isCanadianSin, isDeaNumber, isNpi } from '../validators/americas.ts'
import { phrases } from '../validators/context.ts'
import { idRule } from './id-form.ts'

const DRIVER = phrases(
  'driver license, driver licence, drivers license, drivers licence, driver s license, driver s licence, driving license',
  'driving licence, license number, licence number, license no, licence no, license id, drivers lic, driver lic, dl, dln',
)

/** Documents, banking and health numbers of the United States, and the Canadian number. */
export const NORTH_AMERICA_RULES: readonly RuleDefinition[] = [
  idRule({
    name: 'US_MBI',
    locale: 'us',
    description: 'Medicare Beneficiary Identifier: eleven characters in a fixed order of letters and digits (CMS).',
    pattern:
      '[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\\d-?[AC-HJKMNP-RT-Y]{2}\\d{2}',
    check: match => match.length !== 12,
    strong: true,
    examples: ['MBI «1EG4-TE5-MK73»', 'the card says «1EG4TE5MK73».'],
    counterExamples: ['1SG4-TE5-MK73', '1EG4-TE5-OK73', '1EG4TE5MK7', '1EG4-TE5MK73'],
  }),
  idRule({
    name: 'MEDICAL_LICENSE',
    locale: 'us',
    description: 'DEA registration of a practitioner: two letters and seven digits with a check digit (21 CFR 1301).',
    pattern: '[A-Z][0-9A-Z]\\d{7}',
    exact: /^[ABCDEFGHJKLMPRSTUX][A-Z9]/,
    check: isDeaNumber,
    said: phrases(
      'dea, medical license, medical licence, medical certificate, prescriber, practitioner, physician, license number',
      'certificate number, controlled substance, controlled substances, registration number',
    ),
    examples: ['DEA number «GL0285191»', 'Prescriber (DEA): «bb1388568»'],
    counterExamples: ['GL0285191', 'DEA number GL0285192', 'DEA number BG8207031'],
  }),
  idRule({
    name: 'ABA_ROUTING_NUMBER',
    locale: 'us',
    description: 'Routing transit number of a bank: nine digits, a Federal Reserve prefix and a check digit (ABA).',
    pattern: '\\d{4}-?\\d{4}-?\\d',
    check: isAbaRouting,
    strong: match => match.length === 11,
    said: phrases('routing, aba, rtn, transit, bank routing, rtn number, aba number, fedwire, ach'),
    examples: ['routing number: «121000358»', '«3222-7162-7»', '{"abaRouting": "«021000021»"}'],
    counterExamples: ['order 121000358', 'routing number 121000359', 'routing number 421042111'],
  }),
  idRule({
    name: 'US_NPI',
    locale: 'us',
    description: 'National Provider Identifier: ten digits from 1 or 2 on, Luhn behind 80840 (45 CFR 162.406).',
    pattern: '\\d{4}[ -]?\\d{3}[ -]?\\d{3}',
    exact: /^[12]/,
    check: isNpi,
    said: phrases('npi, national provider, provider id, provider identifier, provider number, prescriber, hcp'),
    examples: ['NPI: «1234567893»', 'provider identifier «1245-319-599»'],
    counterExamples: ['call 1234567893', 'NPI 1234567890', 'NPI 3234567893'],
  }),
  idRule({
    name: 'CA_SIN',
    locale: 'ca',
    description: 'Social Insurance Number of Canada: nine digits, Luhn, behind a word that says so (Service Canada).',
    pattern: '\\d{3}[ -]?\\d{3}[ -]?\\d{3}',
    check: isCanadianSin,
    said: phrases('sin, sins, social insurance, nas, assurance sociale, canada revenue, cra, t4'),
    examples: ['my SIN is «130-692-544»', 'mon NAS: «258 933 688»', 'sin="«130692544»"'],
    counterExamples: ['130 692 544', 'SIN 130 692 545', 'SIN 812 345 678', 'SIN 130-692 544'],
  }),
  idRule({
    name: 'US_DRIVER_LICENSE',
    locale: 'us',
    description: "Driver's licence of a state, right behind a label: a letter and digits, or digits (AAMVA formats).",
    pattern:
      '[A-Z]{1,3}-?\\d{3,14}|[A-Z]\\d{3}[ -]\\d{3,4}[ -]\\d{2,4}(?:[ -]\\d{3}[ -]\\d)?|\\d{7,12}|\\d{2,3}[ -]\\d{3}[ -]\\d{3,4}|[A-Z]\\d{6}R|\\d{7}[A-Z]|\\d{3}[A-Z]{2}\\d{4}',
    check: match => match.replace(/\D/g, '').length >= 5,
    labelled: DRIVER,
    examples: [
      "driver's license number «H12234567»",
      'DL: «D400-7836-0001»',
      'Driver license «12345678»',
      '"driversLicense": "«S530-460-80-903-0»"',
    ],
    counterExamples: ['order H12234567', 'licence MIT 2.0', 'a driver license, invoice 12345678', 'DL 12'],
  }),
  idRule({
    name: 'US_BANK_NUMBER',
    description: 'Number of a bank account: 8 to 17 digits right behind a label.',
    pattern: '\\d{8,17}|\\d{3,5}[ -]\\d{3,5}[ -]\\d{2,6}',
    labelled: phrases(
      'account number, account no, account num, acct number, acct no, acct, account, bank account, checking, savings',
      'kontonummer, konto nr, konto, numero de cuenta, cuenta, numero de compte, compte bancaire, conto corrente',
      'rekeningnummer, kontonr',
    ),
    check: match => !/^(?:19|20)\d{2}[ -](?:0?[1-9]|1[0-2])[ -]/.test(match),
    examples: ['account number: «945456787654»', 'Acct# «123456789»', 'bank account no. «000123456789»'],
    counterExamples: [
      'number 945456787654',
      'the account, order 945456787654',
      'account 1234567',
      'account since 2024-05-06',
    ],
  }),
]
