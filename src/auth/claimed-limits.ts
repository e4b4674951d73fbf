import { MAX_CLAIMED_LIMITS, MAX_NAME_CHARACTERS, MAX_TOKENS } from '../config/limits.ts'
import { CHARGE_KINDS, type ChargeKind, type ClaimedLimits } from '../quota/limit.ts'

/**
 * The `limits` claim: `{ "key-rate": { "requests": 60 } }`, by the name of a quota and what it counts. Undefined where the
 * value is none, or names what no quota counts: a token that says it wrong is refused, not served by another limit.
 */
export function parseLimits(value: unknown): ClaimedLimits | undefined {
  if (!isObject(value)) return undefined
  const quotas = Object.entries(value)
  const ok = ([name, counts]: [string, unknown]) =>
    /^[A-Za-z0-9._-]+$/.test(name) &&
    name.length <= MAX_NAME_CHARACTERS &&
    isObject(counts) &&
    Object.entries(counts).every(([kind, most]) => CHARGE_KINDS.includes(kind as ChargeKind) && isLimit(most))
  return quotas.length <= MAX_CLAIMED_LIMITS && quotas.every(ok) ? (value as ClaimedLimits) : undefined
}

/** One limit as a command is given it: `key-rate.requests=60`; undefined where the text is none. */
export function parseLimit(text: string): ClaimedLimits | undefined {
  const [, name = '', kind = '', most = ''] = /^([^=]+)\.([^.=]+)=(\d{1,16})$/.exec(text) ?? []
  return parseLimits({ [name]: { [kind]: Number(most) } })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isLimit(most: unknown): boolean {
  return Number.isSafeInteger(most) && (most as number) >= 1 && (most as number) <= MAX_TOKENS
}
