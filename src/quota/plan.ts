import type { Hashing } from '../ports/hashing.ts'
import type { Meter } from '../ports/state-store.ts'
import type { QuotaLimit } from './limit.ts'

/** Whom a request is charged to. */
export interface QuotaPrincipal {
  readonly team: string
  readonly app: string
  readonly env: string
  readonly tokenId: string
}

export type ChargeKind = 'tokens' | 'requests'

/** All that depends on the principal and the model alone; `kinds` and `limits` go with `meters`, one by one. */
interface Outline {
  readonly tenant: string
  readonly meters: readonly Meter[]
  readonly kinds: readonly ChargeKind[]
  /** The names of the limits, for headers, metrics and the audit log. */
  readonly limits: readonly string[]
}

/** Everything one request takes from the limits that apply to it: an amount from each meter. */
export interface QuotaPlan extends Outline {
  readonly amounts: readonly number[]
}

/** Plans a request that is estimated to take `tokens`, input and output together. */
export type QuotaPlanner = (principal: QuotaPrincipal, model: string, tokens: number) => QuotaPlan

const MAX_KEY_LENGTH = 256
/** The tenant of all requests where a limit counts several teams together. No team's tenant is named like this. */
const EVERYBODY = 'all'

/** Models for which a principal's plans are remembered: what is asked for beyond them is planned anew each time. */
const MAX_REMEMBERED_MODELS = 64

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
    const kinds = (['tokens', 'requests'] as const).filter(kind => limit[kind] !== undefined)
    return kinds.map(kind => ({ limit, kind, most: atLeastOne(limit, kind), start: `${encode(limit.name)}:${kind}` }))
  })
  const crossesTeams = limits.some(limit => !isWithinTeam(limit))
  const bounded = (key: string) => (key.length <= MAX_KEY_LENGTH ? key : `%:${hashing.sha256(key)}`)
  const outlines = new WeakMap<QuotaPrincipal, Map<string, Outline>>()

  function outline(principal: QuotaPrincipal, model: string): Outline {
    const parts = {
      team: encode(principal.team),
      app: encode(principal.app),
      env: encode(principal.env),
      token: `${encode(principal.team)}:${encode(principal.tokenId)}`,
      model: encode(model),
    }
    const applying = rules.filter(({ limit }) => appliesTo(limit, principal, model))
    return {
      tenant: crossesTeams ? EVERYBODY : bounded(`team:${parts.team}`),
      kinds: applying.map(({ kind }) => kind),
      limits: applying.map(({ limit }) => limit.name),
      meters: applying.map(({ limit, most, start }) => ({
        key: bounded([start, ...limit.per.map(part => parts[part])].join(':')),
        limit: most,
        windowMs: limit.windowMs,
      })),
    }
  }

  function remembered(principal: QuotaPrincipal, model: string): Outline {
    const ofModels = outlines.get(principal) ?? new Map<string, Outline>()
    let found = ofModels.get(model)
    if (found === undefined) {
      found = outline(principal, model)
      if (ofModels.size < MAX_REMEMBERED_MODELS) outlines.set(principal, ofModels.set(model, found))
    }
    return found
  }

  return function planQuota(principal, model, tokens) {
    const { tenant, kinds, limits: names, meters } = remembered(principal, model)
    // More than the limit could never be admitted: a small limit lets one request pass at a time, which settles to what
    // it really took.
    const amounts = meters.map(({ limit }, index) => (kinds[index] === 'tokens' ? Math.min(tokens, limit) : 1))
    return { tenant, kinds, limits: names, meters, amounts }
  }
}

/** The amounts to settle a plan's meters to. True ones, which may exceed the limit: debt counts. */
export function settlementOf(plan: QuotaPlan, tokens: number, requests = 1): number[] {
  return plan.kinds.map(kind => (kind === 'tokens' ? tokens : requests))
}

function atLeastOne(limit: QuotaLimit, kind: ChargeKind): number {
  const most = limit[kind] ?? 0
  if (!Number.isSafeInteger(most) || most < 1) throw new RangeError(`${kind} of quota ${limit.name} must be at least 1`)
  return most
}

function isWithinTeam({ per, match }: QuotaLimit): boolean {
  return per.includes('team') || per.includes('token') || match?.team !== undefined
}

/** Whether a limit counts the requests of a caller for a model; what is not known equals nothing. */
export function appliesTo(
  { match }: QuotaLimit,
  { team, app, env }: Partial<QuotaPrincipal>,
  model: string | undefined,
): boolean {
  if (match === undefined) return true
  return (
    (match.team ?? team) === team &&
    (match.app ?? app) === app &&
    (match.env ?? env) === env &&
    (match.model ?? model) === model
  )
}

/**
 * A name as part of a key: every UTF-16 unit outside `[\w.-]` becomes `%` and four digits, so that two names never
 * look the same and none contains the `:` that separates parts.
 */
function encode(name: string): string {
  return name.replace(/[^\w.-]/g, unit => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
