import type { RuleDefinition } from '../rule.ts'
import { phrases } from '../validators/context.ts'
import { isBritishDriver } from '../validators/europe-west.ts'
import { isNhsNumber, isNino, isPostcode, NHS_WORDS } from '../validators/uk.ts'
import { idRule } from './id-form.ts'

/** National numbers of the United Kingdom. */
export const UK_RULES: readonly RuleDefinition[] = [
  {
    name: 'UK_POSTCODE',
    group: 'pii',
    locale: 'uk',
    optional: true,
    description: "Postcode: an outward and an inward code (BS 7666). It tells somebody's address to a few houses.",
    pattern: '[A-Z]{1,2}\\d[A-Z0-9]? ?\\d[A-Z]{2}|GIR ?0AA',
    caseSensitive: true,
    notAfter: '[A-Za-z0-9-]',
    notBefore: '[A-Za-z0-9-]',
    validate: isPostcode,
    examples: ['My address is «SW1A 1AA» in London', '«M1 1AA»', 'postcode «EC1A1BB»', '«GIR 0AA»'],
    counterExamples: ['SW1A 1CA', 'Q1 1AA', 'sw1a 1aa', 'A12 34B'],
  },
  {
    name: 'UK_NHS',
    group: 'pii',
    locale: 'uk',
    description:
      'NHS number: ten digits with a modulus-11 check digit, behind a word that says so (NHS Data Dictionary).',
    pattern: '\\d{3}[ -]?\\d{3}[ -]?\\d{4}',
    caseSensitive: true,
    notAfter: '\\d',
    notBefore: '\\d',
    needsWords: true,
    validate: isNhsNumber,
    words: NHS_WORDS.list,
    examples: ['NHS number: «943 476 5919»', 'nhs «943-476-5919»', 'NHS no. «9434765919»', 'uk_nhs = "«943 476 5919»"'],
    counterExamples: ['943 476 5919', 'NHS number 943 476 5918', 'NHS 1943 476 5919'],
  },
  {
    name: 'UK_NINO',
    group: 'pii',
    locale: 'uk',
    description: 'National Insurance number: two letters, six digits, a suffix A to D (HMRC, NIM39110).',
    pattern: '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\\d{2}[ -]?\\d{2}[ -]?\\d{2}[ -]?[A-D]',
    notAfter: '[A-Za-z0-9]',
    notBefore: '[A-Za-z0-9]',
    validate: isNino,
    examples: ['NINO «AB 12 34 56 C»', '«ab123456c»', '«JG-10-37-59-A»'],
    counterExamples: ['GB 12 34 56 C', 'AB 12 34 56 E', 'QQ 12 34 56 C', 'XAB 12 34 56 C', 'AO123456C'],
  },
  idRule({
    name: 'UK_DRIVING_LICENCE',
    locale: 'uk',
    description:
      'Driving licence of Great Britain: sixteen characters with surname, date of birth and initials (DVLA).',
    pattern: '[A-Z9]{5}\\d[0156]\\d{4}[A-Z9]{2}[A-Z0-9][A-Z]{2}',
    check: match => /^[A-Z]+9*\d{6}/.test(match) && isBritishDriver(match),
    strong: true,
    examples: ['licence «MORGA657054SM9IJ»', '«smith802290ab1cd»'],
    counterExamples: ['MORGA673054SM9IJ', 'MORGA657054SM9I', '99999657054SM9IJ'],
  }),
  idRule({
    name: 'UK_UTR',
    locale: 'uk',
    description: 'Unique taxpayer reference: ten digits, perhaps with a K, right behind a label (HMRC).',
    pattern: '\\d{5} ?\\d{5}K?',
    labelled: phrases('utr, unique taxpayer reference, self assessment, hmrc reference'),
    examples: ['UTR: «12345 67890»', 'unique taxpayer reference «1234567890K»'],
    counterExamples: ['1234567890', 'UTR 123456789'],
  }),
  idRule({
    name: 'UK_SORT_CODE',
    locale: 'uk',
    description: 'Sort code of a bank: six digits in pairs right behind a label.',
    pattern: '\\d{2}[- ]\\d{2}[- ]\\d{2}|\\d{6}',
    labelled: phrases('sort code, sortcode, sort codes'),
    examples: ['sort code «20-00-00»', '"sortCode": "«200000»"'],
    counterExamples: ['20-00-00', 'sort code 2000'],
  }),
]
