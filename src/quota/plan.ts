import { lockoutKey } from '../auth/lockout-policy.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { Meter } from '../ports/state-store.ts'
import { LEASE_MS } from './leases.ts'
import {
  CHARGE_KINDS,
  type ChargeKind,
  type ClaimedLimits,
  type QuotaLimit,
  type QuotaMatch,
  type QuotaPart,
  type TokenUse,
} from './limit.ts'

/** Whom a request is charged to. */
export interface QuotaPrincipal {
  readonly team: string
  readonly app: string
  readonly env: string
  readonly tokenId: string
  /** Limits of its own, which count as far as the configuration lets them. */
  readonly limits?: ClaimedLimits
}

/** All that depends on the principal, the model and the address alone; `charges` go with `meters`, one by one. */
interface Outline {
  readonly tenant: string
  readonly meters: readonly Meter[]
  readonly charges: readonly Charge[]
  /** The meters among them that are held: they have to be renewed. Undefined where there are none. */
  readonly leases: readonly Meter[] | undefined
  /** The smallest limit that input counts towards; undefined where none does. */
  readonly inputLimit: number | undefined
}

/** What a limit counts of a request. */
export interface Charge {
  readonly limit: QuotaLimit
  readonly kind: ChargeKind
}

/** Everything one request takes from the limits that apply to it: an amount from each meter. */
export interface QuotaPlan extends Outline {
  readonly amounts: readonly number[]
}

/** Plans a request that may use so many tokens, of a caller at `address`. */
export type QuotaPlanner = (principal: QuotaPrincipal, model: string, use: TokenUse, address: string) => QuotaPlan

const MAX_KEY_LENGTH = 256
/** The tenant of all requests where a limit counts several teams together. No team's tenant is named like this. */
const EVERYBODY = 'all'

/** Models (with addresses) for which a principal's plans are remembered: what is beyond is planned anew each time. */
const MAX_REMEMBERED = 64

/**
 * Turns the configured limits into a planner. Every limit that matches applies, and all of them must have room.
 *
 * A limit counts under exactly what its `per` names: `per: [model]` is one window a model for the whole company. Only
 * `token` brings its team along, because the ids of tokens are the issuer's. Keys of one tenant are kept together, so
 * the tenant is the team where no limit crosses teams, and the same for everybody as soon as one does.
 *
 * What does not depend on the tokens is remembered for as long as the principal's object lives; a principal is not
 * changed once it has been planned for.
 *
 * Throws a RangeError for a limit below 1: no request could ever pass it.
 */
export function createQuotaPlanner(limits: readonly QuotaLimit[], hashing: Hashing): QuotaPlanner {
  const rules = limits.flatMap(limit => {
    const kinds = CHARGE_KINDS.filter(kind => limit[kind] !== undefined)
    return kinds.map(kind => ({ limit, kind, most: atLeastOne(limit, kind), start: `${encode(limit.name)}:${kind}` }))
  })
  const crossesTeams = limits.some(limit => !isWithinTeam(limit))
  const countsAddresses = limits.some(({ per }) => per.includes('address'))
  const bounded = (key: string) => (key.length <= MAX_KEY_LENGTH ? key : `%:${hashing.sha256(key)}`)
  const outlines = new WeakMap<QuotaPrincipal, Map<string, Outline>>()

  function outline(principal: QuotaPrincipal, model: string, address: string): Outline {
    const parts: Record<QuotaPart, string> = {
      team: encode(principal.team),
      app: encode(principal.app),
      env: encode(principal.env),
      token: `${encode(principal.team)}:${encode(principal.tokenId)}`,
      model: encode(model),
      address: encode(lockoutKey(address)),
    }
    const applying = rules.filter(({ limit }) => appliesTo(limit, principal, model))
    const meters = applying.map(({ limit, kind, most, start }): Meter => {
      const { onOutage } = limit
      return {
        key: bounded([start, ...limit.per.map(part => parts[part])].join(':')),
        limit: ownLimit(limit, kind, principal) ?? most,
        ...(kind === 'concurrent' ? { windowMs: LEASE_MS, lease: true } : { windowMs: limit.windowMs as number }),
        ...(onOutage !== undefined && onOutage !== 'deny' && { onOutage }),
      }
    })
    const leases = meters.filter(({ lease }) => lease)
    return {
      tenant: crossesTeams ? EVERYBODY : bounded(`team:${parts.team}`),
      charges: applying,
      meters,
      leases: leases.length > 0 ? leases : undefined,
      inputLimit: smallest(meters.filter((_, index) => countsInput(applying[index] as Charge))),
    }
  }

  function remembered(principal: QuotaPrincipal, model: string, address: string): Outline {
    const known = outlines.get(principal) ?? new Map<string, Outline>()
    const name = countsAddresses ? `${address} ${model}` : model
    let found = known.get(name)
    if (found === undefined) {
      found = outline(principal, model, address)
      if (known.size < MAX_REMEMBERED) outlines.set(principal, known.set(name, found))
    }
    return found
  }

  return function planQuota(principal, model, use, address) {
    const { tenant, charges, meters, leases, inputLimit } = remembered(principal, model, address)
    // More than the limit could never be admitted: a small limit lets one request pass at a time, which settles to what
    // it really took.
    const amounts = meters.map(({ limit }, index) => Math.min(amountOf(charges[index] as Charge, use, 1), limit))
    return { tenant, charges, meters, leases, inputLimit, amounts }
  }
}

/** The amounts to settle a plan's meters to. True ones, which may exceed the limit: debt counts. Leases are let go. */
export function settlementOf(plan: QuotaPlan, use: TokenUse, requests = 1): number[] {
  return plan.charges.map(charge => (charge.kind === 'concurrent' ? 0 : amountOf(charge, use, requests)))
}

/** What a request of so many tokens takes of a limit: a whole number, on the strict side. */
export function amountOf({ limit: { weigh }, kind }: Charge, use: TokenUse, requests: number): number {
  switch (kind) {
    case 'tokens':
      return weigh
        ? Math.ceil(weigh.input * use.inputTokens + weigh.output * use.outputTokens)
        : use.inputTokens + use.outputTokens
    case 'inputTokens':
      return use.inputTokens
    case 'outputTokens':
      return use.outputTokens
    default:
      return requests
  }
}

function countsInput({ limit: { weigh }, kind }: Charge): boolean {
  return kind === 'inputTokens' || (kind === 'tokens' && weigh?.input !== 0)
}

function smallest(meters: readonly Meter[]): number | undefined {
  return meters.length === 0 ? undefined : Math.min(...meters.map(({ limit }) => limit))
}

function atLeastOne(limit: QuotaLimit, kind: ChargeKind): number {
  const most = limit[kind] ?? 0
  if (!Number.isSafeInteger(most) || most < 1) throw new RangeError(`${kind} of quota ${limit.name} must be at least 1`)
  return most
}

/** What the token says for itself, at most as much as the limit allows; undefined where it may say nothing. */
function ownLimit({ name, override }: QuotaLimit, kind: ChargeKind, { limits }: QuotaPrincipal): number | undefined {
  const most = override?.[kind]
  const own = limits && Object.hasOwn(limits, name) ? limits[name]?.[kind] : undefined
  return most === undefined || own === undefined ? undefined : Math.min(own, most)
}

function isWithinTeam({ per, match }: QuotaLimit): boolean {
  return per.includes('team') || per.includes('token') || match?.team?.length === 1
}

/** Whether a limit counts the requests of a caller for a model; what is not known equals nothing. */
export function appliesTo(
  { match, except }: QuotaLimit,
  { team, app, env }: Partial<QuotaPrincipal>,
  model: string | undefined,
): boolean {
  const request = { team, app, env, model }
  return (!match || matches(match, request)) && !except?.some(each => matches(each, request))
}

function matches(match: QuotaMatch, request: Readonly<Record<keyof QuotaMatch, string | undefined>>): boolean {
  return (Object.keys(match) as (keyof QuotaMatch)[]).every(key => {
    const value = request[key]
    return value !== undefined && match[key]?.includes(value)
  })
}

/**
 * A name as part of a key: every UTF-16 unit outside `[\w.-]` becomes `%` and four digits, so that two names never
 * look the same and none contains the `:` that separates parts.
 */
function encode(name: string): string {
  return name.replace(/[^\w.-]/g, unit => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
