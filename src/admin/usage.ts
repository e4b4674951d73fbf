import * as v from 'valibot'
import { MAX_LISTED_TOKENS, MAX_USAGE_METERS } from '../config/limits.ts'
import { inTurns, type Steps } from '../guard/turns.ts'
import { type Meter, StoreUnavailableError } from '../ports/state-store.ts'
import { CHARGE_KINDS, type ChargeKind, NOTHING_USED } from '../quota/limit.ts'
import type { Charge, QuotaPrincipal } from '../quota/plan.ts'
import type { Used } from '../quota/usage-totals.ts'
import { granted, refused, route } from './route.ts'
import { described, iso, modelId, moment, NOTHING, name, tokenId } from './schemas.ts'
import type { AdminServices } from './services.ts'

const count = v.pipe(v.number(), v.integer())
const used = {
  requests: count,
  refused: v.pipe(count, described('Of these requests, those that were refused.')),
  inputTokens: count,
  outputTokens: count,
}
const who = {
  team: v.exactOptional(v.string()),
  app: v.exactOptional(v.string()),
  env: v.exactOptional(v.string()),
  token: v.exactOptional(v.string()),
  model: v.exactOptional(v.string()),
}

/** What is answered. */
export const USAGE = v.strictObject({
  limits: v.pipe(
    v.array(
      v.strictObject({
        limit: v.string(),
        counts: v.picklist(CHARGE_KINDS),
        per: v.pipe(v.strictObject(who), described('Whose window it is; empty: that of all.')),
        used: v.pipe(
          count,
          described('Of all instances; may exceed the limit by what answers took beyond the reserved.'),
        ),
        of: count,
        windowMs: v.pipe(count, described('Of requests at the same time: how long one that is gone is still counted.')),
        resetMs: v.pipe(count, described('Until nothing of it counts any more.')),
      }),
    ),
    described(
      'The limits as they stand for the callers that this instance has seen and the tokens that are registered. What ' +
        'counts by address is left out.',
    ),
  ),
  complete: v.pipe(v.boolean(), described('False: there are more windows than are shown; name a team or a limit.')),
  totals: v.strictObject({
    since: moment,
    rows: v.array(v.strictObject({ team: v.string(), app: v.string(), env: v.string(), model: v.string(), ...used })),
    others: v.pipe(v.strictObject(used), described('Of callers for whom there was no row left; not filtered.')),
  }),
})

export type Usage = v.InferOutput<typeof USAGE>

export const SHOW_USAGE = route({
  method: 'GET',
  path: '/admin/usage',
  scopes: ['usage:read'],
  action: 'usage.show',
  summary: 'How far each limit is used up now, and what was used since this instance started',
  params: NOTHING,
  query: v.strictObject({
    team: v.exactOptional(name),
    app: v.exactOptional(name),
    env: v.exactOptional(name),
    token: v.exactOptional(
      v.pipe(tokenId, described('A token’s id; goes with team, app and env where it is not registered.')),
    ),
    model: v.exactOptional(modelId),
    limit: v.exactOptional(v.pipe(name, described('The name of one limit.'))),
  }),
  body: undefined,
  answer: USAGE,
  status: 200,
  changes: false,
  async run({ query }, services) {
    const { totals, store } = services
    const rows = totals
      .rows()
      .filter(row => (['team', 'app', 'env', 'model'] as const).every(part => (query[part] ?? row[part]) === row[part]))
    const callers = await tokensOf(services, query)
    const turns = { now: () => services.clock.monotonic(), isOver: () => false }
    const { windows, complete } = (await inTurns(windowsOf(services, query, rows, callers), turns)) ?? NO_WINDOWS
    try {
      const levels = await Promise.all(
        [...Map.groupBy(windows, ({ tenant }) => tenant)].map(async ([tenant, ofTenant]) => {
          const usage = await store.usage(
            tenant,
            ofTenant.map(({ meter }) => meter),
          )
          return ofTenant.map(({ limit: limitName, kind, per, meter }, index) => ({
            limit: limitName,
            counts: kind,
            per,
            used: usage[index]?.used ?? 0,
            of: meter.limit,
            windowMs: meter.windowMs,
            resetMs: usage[index]?.resetMs ?? 0,
          }))
        }),
      )
      const { others } = totals
      const shownTotals = { since: iso(totals.sinceMs), rows: [...rows], others: { ...others } }
      return granted({ limits: levels.flat(), complete, totals: shownTotals })
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      return refused({ code: 'quota_unavailable', reason: error.message })
    }
  },
})

interface Window {
  readonly tenant: string
  readonly limit: string
  readonly kind: ChargeKind
  readonly per: Readonly<Record<string, string>>
  readonly meter: Meter
}

interface Query {
  readonly team?: string
  readonly app?: string
  readonly env?: string
  readonly token?: string
  readonly model?: string
  readonly limit?: string
}

interface Windows {
  readonly windows: readonly Window[]
  readonly complete: boolean
}

const NO_WINDOWS: Windows = { windows: [], complete: false }

/**
 * The windows of the limits that apply to callers who were seen, whose tokens are registered, or who are named in full. There
 * may be ten thousand tokens, with many models each, and requests that do not wait for this: it can be left at each of them.
 */
function* windowsOf(
  services: AdminServices,
  query: Query,
  rows: readonly (Omit<QuotaPrincipal, 'tokenId'> & { readonly model: string } & Used)[],
  callers: readonly QuotaPrincipal[],
): Steps<Windows> {
  const { config, planQuota } = services
  const found = new Map<string, Window>()
  /** Adds those of one caller; false where there is no room for one of them. */
  const add = (caller: QuotaPrincipal, model: string, withToken: boolean): boolean => {
    const { tenant, charges, meters } = planQuota({ ...caller }, model, NOTHING_USED, '')
    for (const [index, meter] of meters.entries()) {
      const { limit: quota, kind } = charges[index] as Charge
      const { name: limitName, per } = quota
      if (per.includes('address')) continue
      if ((query.limit ?? limitName) !== limitName || (per.includes('token') && !withToken)) continue
      // A window that others share is not that of one token.
      if (query.token !== undefined && !per.includes('token')) continue
      const key = `${tenant} ${meter.key}`
      if (found.has(key)) continue
      if (found.size >= MAX_USAGE_METERS) return false
      const { team, app, env, tokenId: token } = caller
      const parts: Readonly<Record<string, string>> = { team, app, env, token, model }
      const named = Object.fromEntries(per.map(part => [part, parts[part] as string]))
      found.set(key, { tenant, limit: limitName, kind, per: named, meter })
    }
    return true
  }
  const tellsTokens = config.quotas.some(({ per }) => per.includes('token'))
  const looked = new Set<string>()
  const ended = (complete: boolean): Windows => ({ windows: [...found.values()], complete })
  for (const row of rows) {
    yield
    if (!add({ ...row, tokenId: '' }, row.model, false)) return ended(false)
  }
  for (const caller of callers) {
    const name = [caller.team, caller.app, caller.env].join(' ')
    if (!tellsTokens && looked.has(name)) continue
    looked.add(name)
    for (const { id } of config.models) {
      yield
      if ((query.model ?? id) === id && !add(caller, id, true)) return ended(false)
    }
  }
  return ended(true)
}

async function tokensOf({ registry }: AdminServices, query: Query): Promise<readonly QuotaPrincipal[]> {
  const { team, app, env, token } = query
  if (token !== undefined && team !== undefined && app !== undefined && env !== undefined) {
    return [{ team, app, env, tokenId: token }]
  }
  const filter = {
    ...(team !== undefined && { team }),
    ...(app !== undefined && { app }),
    ...(env !== undefined && { env }),
  }
  const tokens = await registry.list(filter, MAX_LISTED_TOKENS)
  return token === undefined ? tokens : tokens.filter(one => one.tokenId === token)
}
