import type { RuleDefinition } from '../rule.ts'
import { isNhsNumber, isNino } from '../validators/uk.ts'

/** National numbers of the United Kingdom. */
export const UK_RULES: readonly RuleDefinition[] = [
  {
    name: 'UK_NHS',
    group: 'pii',
    description:
      'NHS number: ten digits with a modulus-11 check digit, behind a word that says so (NHS Data Dictionary).',
    pattern: '\\d{3}[ -]?\\d{3}[ -]?\\d{4}',
    caseSensitive: true,
    notAfter: '\\d',
    notBefore: '\\d',
    validate: isNhsNumber,
    examples: ['NHS number: «943 476 5919»', 'nhs «943-476-5919»', 'NHS no. «9434765919»', 'uk_nhs = "«943 476 5919»"'],
    counterExamples: ['943 476 5919', 'NHS number 943 476 5918', 'NHS 1943 476 5919'],
  },
  {
    name: 'UK_NINO',
    group: 'pii',
    description: 'National Insurance number: two letters, six digits, a suffix A to D (HMRC, NIM39110).',
    pattern: '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\\d{2}[ -]?\\d{2}[ -]?\\d{2}[ -]?[A-D]',
    notAfter: '[A-Za-z0-9]',
    notBefore: '[A-Za-z0-9]',
    validate: isNino,
    examples: ['NINO «AB 12 34 56 C»', '«ab123456c»', '«JG-10-37-59-A»'],
    counterExamples: ['GB 12 34 56 C', 'AB 12 34 56 E', 'QQ 12 34 56 C', 'XAB 12 34 56 C', 'AO123456C'],
  },
]
