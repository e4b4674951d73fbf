import type { RuleDefinition } from '../rule.ts'
import { ASSIGNMENT_RULES } from './assignment.ts'
import { CONNECTION_STRING_RULES } from './connection-string.ts'
import { CONTACT_RULES } from './contact.ts'
import { CRYPTO_RULES } from './crypto.ts'
import { JWT_RULES } from './jwt.ts'
import { keyRule } from './key-form.ts'
import { CLOUD_KEYS } from './keys-cloud.ts'
import { CODE_KEYS } from './keys-code.ts'
import { SERVICE_KEYS } from './keys-service.ts'
import { NETWORK_RULES } from './network.ts'
import { PAYMENT_RULES } from './payment.ts'
import { PRIVATE_KEY_RULES } from './private-key.ts'
import { UK_RULES } from './uk.ts'
import { US_RULES } from './us.ts'

/** All rules that come with Sallyport. Among equally long matches the first wins: the more specific stand in front. */
export const BUILT_IN_RULES: readonly RuleDefinition[] = [
  ...PRIVATE_KEY_RULES,
  ...JWT_RULES,
  ...[...CODE_KEYS, ...CLOUD_KEYS, ...SERVICE_KEYS].map(keyRule),
  ...CONNECTION_STRING_RULES,
  ...PAYMENT_RULES,
  ...CRYPTO_RULES,
  ...UK_RULES,
  ...US_RULES,
  ...NETWORK_RULES,
  ...CONTACT_RULES,
  ...ASSIGNMENT_RULES,
]
