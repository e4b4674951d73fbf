import type { RuleDefinition } from '../rule.ts'
import { beginsCard, continuesOther, isCardNumber, isProductNumber, isTravelCard } from '../validators/card.ts'
import { isSaid, phrases } from '../validators/context.ts'
import { beginsIban, IBAN_COUNTRIES, isIban } from '../validators/iban.ts'

/**
 * In lower case the check digits have to touch the country: "it is 42 and so on" must not be held back as an Icelandic account.
 */
const UPPER_CASE = IBAN_COUNTRIES.join('|')
const ANY_CASE = IBAN_COUNTRIES.map(
  ([one = '', two = '']) => `[${one}${one.toLowerCase()}][${two}${two.toLowerCase()}]`,
).join('|')

const CARD_WORDS = phrases('card, credit card, uatp, airplus')

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
    begins: beginsCard,
    validate: (match, before) =>
      (isCardNumber(match) && !continuesOther(match, before) && !isProductNumber(match, before)) ||
      (isTravelCard(match) && isSaid(before, CARD_WORDS)),
    words: CARD_WORDS.list,
    examples: [
      'Card «4111 1111 1111 1111» exp 12/27',
      'Card «4111-1111-1111-1111», CVV 123',
      '«378282246310005»',
      'x«6011111111111117»x',
      '«４１１１　１１１１　１１１１　１１１１»',
      '«4111\u200b1111\u200b1111\u200b1111»',
      '«5555.5555.5555.4444»',
      'my credit card: «122000000000003»',
      '1 «4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1»',
    ],
    counterExamples: [
      '4111 1111 1111 1112',
      '1234567890123456',
      '41111111111111111111',
      '9999 9999 9999 9995',
      'PL28 4810 6584 4654 8213 9194 9041',
      '5-1-12-9-20-25 9-19 1-14 9',
      'EAN 4097390142067',
      '0x4000000000000002',
      '1.4901161193847656',
      '4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2',
      '[.4300.0020.0011.0002]',
    ],
  },
  {
    name: 'IBAN',
    group: 'pii',
    description:
      'International bank account number: a country with its length and the MOD 97-10 check digits (ISO 13616).',
    pattern: `(?:(?:${UPPER_CASE})[ .-]?\\d[ .-]?|(?:${ANY_CASE})\\d)\\d(?:[ .-]?[A-Za-z0-9]){11,29}`,
    caseSensitive: true,
    notAfter: '[A-Za-z0-9]',
    notBefore: '[A-Za-z0-9]',
    begins: beginsIban,
    validate: isIban,
    examples: [
      'IBAN «GB82 WEST 1234 5698 7654 32» please',
      '«DE89370400440532013000»',
      '«gb82west12345698765432»',
      '«Gb82 West 1234 5698 7654 32»',
      '«GB 82 WEST 1234 5698 7654 32»',
      '«NL91-ABNA-0417-1643-00».',
      '«ＤＥ89 3704 0044 0532 0130 00»',
      '«BE68 5390 0754 7034» and 12',
    ],
    counterExamples: [
      'GB82 WEST 1234 5698 7654 33',
      'DE8937040044053201300',
      'XX82 WEST 1234 5698 7654 32',
      'XGB82WEST12345698765432',
    ],
  },
]
