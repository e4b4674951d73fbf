import type { RuleDefinition } from '../rule.ts'
import { continuesNumber } from '../validators/digits.ts'
import { ITIN_WORDS, isItin, isSsn, SSN_WORDS } from '../validators/us.ts'

/** National numbers of the United States. */
export const US_RULES: readonly RuleDefinition[] = [
  {
    name: 'US_SSN',
    group: 'pii',
    locale: 'us',
    description:
      'United States Social Security number, AAA-GG-SSSS (20 CFR 422.103); bare digits need a word in front.',
    pattern: '[0-8]\\d{2}[ .-]?\\d{2}[ .-]?\\d{4}',
    caseSensitive: true,
    notAfter: '\\d',
    notBefore: '\\d',
    begins: (_, before) => !continuesNumber(before),
    validate: isSsn,
    words: SSN_WORDS.list,
    examples: [
      'My SSN is «123-45-6789».',
      'ssn=«123456789»',
      '«219 45 6789»',
      'x«123-45-6789»x',
      'SSN «１２３－４５－６７８９»',
      'SSN: «12\u200b3-45-67\u200d89»',
      '«123\u201145\u20116789»',
    ],
    counterExamples: [
      '000-12-3456',
      '666-12-3456',
      '123-00-4567',
      '123-45-0000',
      '078-05-1120',
      'order 123456789',
      'Suite 680 36 4022 Oakridge Lane',
      'SSN file sha256:0e4ce272816829f9ae',
      '1123-45-6789',
      '123-45-67890',
      '12-123-45-6789',
      '2024-10-1234',
    ],
  },
  {
    name: 'US_ITIN',
    group: 'pii',
    locale: 'us',
    description:
      'United States Individual Taxpayer Identification Number, 9xx-GG-xxxx (IRS); bare digits need a word in front.',
    pattern: '9\\d{2}[ .-]?[5-9]\\d[ .-]?\\d{4}',
    caseSensitive: true,
    notAfter: '\\d',
    notBefore: '\\d',
    begins: (_, before) => !continuesNumber(before),
    validate: isItin,
    words: ITIN_WORDS.list,
    examples: ['ITIN «912-70-1234»', 'itin «912701234»', '«999 88 1234»'],
    counterExamples: ['912-66-1234', '912-93-1234', '812-70-1234', 'number 912701234'],
  },
]
