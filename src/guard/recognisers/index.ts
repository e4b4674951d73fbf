import type { RuleDefinition } from '../rule.ts'
import { ASIA_RULES } from './asia.ts'
import { ASSIGNMENT_RULES } from './assignment.ts'
import { CONNECTION_STRING_RULES } from './connection-string.ts'
import { CONTACT_RULES } from './contact.ts'
import { CRYPTO_RULES } from './crypto.ts'
import { EASTERN_EUROPE_RULES } from './eastern-europe.ts'
import { EU_VAT_RULES } from './eu-vat.ts'
import { FRANCE_BENELUX_RULES } from './france-benelux.ts'
import { GERMANY_RULES } from './germany.ts'
import { IBERIA_ITALY_RULES } from './iberia-italy.ts'
import { IDENTITY_RULES } from './identity.ts'
import { JWT_RULES } from './jwt.ts'
import { keyRule } from './key-form.ts'
import { CLOUD_KEYS } from './keys-cloud.ts'
import { CODE_KEYS } from './keys-code.ts'
import { SERVICE_KEYS } from './keys-service.ts'
import { LATIN_AMERICA_RULES } from './latin-america.ts'
import { NETWORK_RULES } from './network.ts'
import { NORDIC_RULES } from './nordic.ts'
import { NORTH_AMERICA_RULES } from './north-america.ts'
import { OCEANIA_AFRICA_RULES } from './oceania-africa.ts'
import { PASSPORT_RULES } from './passports.ts'
import { PAYMENT_RULES } from './payment.ts'
import { PLATE_RULES } from './plates.ts'
import { PRIVATE_KEY_RULES } from './private-key.ts'
import { UK_RULES } from './uk.ts'
import { US_RULES } from './us.ts'

/** All rules, in the order of precedence: among equally long matches the first wins, so the more specific stand in front. */
const RULES: readonly RuleDefinition[] = [
  ...PRIVATE_KEY_RULES,
  ...JWT_RULES,
  ...[...CODE_KEYS, ...CLOUD_KEYS, ...SERVICE_KEYS].map(keyRule),
  ...CONNECTION_STRING_RULES,
  ...PAYMENT_RULES,
  ...CRYPTO_RULES,
  ...UK_RULES,
  ...US_RULES,
  ...PASSPORT_RULES,
  ...IBERIA_ITALY_RULES,
  ...GERMANY_RULES,
  ...FRANCE_BENELUX_RULES,
  ...NORDIC_RULES,
  ...EASTERN_EUROPE_RULES,
  ...ASIA_RULES,
  ...OCEANIA_AFRICA_RULES,
  ...LATIN_AMERICA_RULES,
  ...NORTH_AMERICA_RULES,
  ...IDENTITY_RULES,
  ...EU_VAT_RULES,
  ...PLATE_RULES,
  ...NETWORK_RULES,
  ...CONTACT_RULES,
  ...ASSIGNMENT_RULES,
]

/** The rules that are on unless switched off. */
export const BUILT_IN_RULES: readonly RuleDefinition[] = RULES.filter(({ optional }) => optional !== true)

/** The rules that are off unless switched on by name. */
export const OPTIONAL_RULES: readonly RuleDefinition[] = RULES.filter(({ optional }) => optional === true)

/** The locales that rules belong to: each is a pack that can be switched. */
export const LOCALES: readonly string[] = [
  ...new Set(RULES.flatMap(({ locale }) => (locale === undefined ? [] : [locale]))),
].sort()
