import type { RuleDefinition } from '../rule.ts'
import { isLabelled, phrases } from '../validators/context.ts'
import { isEuVat } from '../validators/eu-vat.ts'
import { idRule } from './id-form.ts'

const WORDS = phrases(
  'vat*, ust id*, ustid*, uid, tva, iva, btw*, moms*, momsnr, alv*, dic, dph, ic dph, adoszam, pvn, pvm, tax id, nip',
)

/** VAT numbers of the member states that have no rule of their own. */
export const EU_VAT_RULES: readonly RuleDefinition[] = [
  {
    ...idRule({
      name: 'EU_VAT_ID',
      locale: 'eu',
      description:
        'VAT number of a member state, with its check digits, or where none are known right behind a label (VIES).',
      pattern:
        'ATU\\d{8}|BE ?[01]\\d{3}[. ]?\\d{3}[. ]?\\d{3}|(?:DK|FI|HU|LU|MT|SI) ?\\d{8}|(?:EE|EL|GB|LT|PT) ?\\d{9}|PL ?\\d{10}|FR ?[0-9A-HJ-NP-Z]{2} ?\\d{9}|(?:HR|LV) ?\\d{11}|NL ?\\d{9}B\\d{2}|SE ?\\d{12}|IE ?\\d{7}[A-W][A-I]?|ES ?[A-Z0-9]\\d{7}[A-Z0-9]|(?:CZ|SK|RO|BG) ?\\d{8,10}|CHE-?\\d{3}\\.?\\d{3}\\.?\\d{3}',
      caseSensitive: true,
      examples: ['VAT: «ATU12345675»', '«NL123456782B12»', 'VAT no. «GB123456789»', '«FR40303265045»'],
      counterExamples: ['GB123456789', 'ATU1234567', 'NL123456789B12', 'FR41303265045'],
    }),
    validate: (match, before) => isEuVat(match) ?? isLabelled(before, WORDS),
  },
]
