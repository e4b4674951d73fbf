import type { RuleDefinition } from '../rule.ts'
import { isCardNumber } from '../validators/card.ts'

/** Numbers that move money. */
export const PAYMENT_RULES: readonly RuleDefinition[] = [
  {
    name: 'CREDIT_CARD',
    group: 'pii',
    description:
      'Payment card number: 13 to 19 digits, an issuer prefix with its lengths and the Luhn digit (ISO/IEC 7812-1).',
    pattern: '[2-9](?:[ .-]{0,2}\\d){12,18}|1(?:[ .-]{0,2}\\d){14}',
    caseSensitive: true,
    notAfter: '\\d',
    notBefore: '\\d',
    validate: isCardNumber,
    examples: [
      'Card «4111 1111 1111 1111» exp 12/27',
      'Card «4111-1111-1111-1111», CVV 123',
      '«378282246310005»',
      'x«6011111111111117»x',
      '«４１１１　１１１１　１１１１　１１１１»',
      '«4111\u200b1111\u200b1111\u200b1111»',
      '«5555.5555.5555.4444»',
      '1 «4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1»',
    ],
    counterExamples: ['4111 1111 1111 1112', '1234567890123456', '41111111111111111111', '9999 9999 9999 9995'],
  },
]
