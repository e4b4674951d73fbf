import type { RuleDefinition } from '../rule.ts'
import { CONTACT_RULES } from './contact.ts'
import { PAYMENT_RULES } from './payment.ts'
import { US_RULES } from './us.ts'

/** All rules that come with Sallyport; among equally long matches the first wins. */
export const BUILT_IN_RULES: readonly RuleDefinition[] = [...PAYMENT_RULES, ...US_RULES, ...CONTACT_RULES]
