import type { Context } from 'hono'
import { accepts } from 'hono/accepts'
import type * as v from 'valibot'
import { MAX_TARGET_CHARACTERS } from '../config/limits.ts'
import { CATALOGUE } from '../errors/catalogue.ts'
import { PROBLEM_TYPE, problemOf } from '../errors/problem.ts'
import { openAiError, type Refusal } from '../errors/refusal.ts'
import type { Endpoint } from '../openai/endpoints.ts'
import { authenticate, REVOKED } from '../pipeline/authenticate.ts'
import { authoriseScope } from '../pipeline/authorise.ts'
import { Exchange } from '../pipeline/exchange.ts'
import { placeOf } from '../pipeline/place-of.ts'
import { PROCESSING, record } from '../pipeline/record.ts'
import { StoreUnavailableError } from '../ports/state-store.ts'
import type { Connection } from '../ports/transport.ts'
import { checked, readJson, readQuery } from './input.ts'
import type { AdminRoute, Call, Result } from './route.ts'
import type { AdminServices } from './services.ts'

type AnyCall = Call<unknown, unknown, unknown>
type Admitted = { readonly ok: true; readonly call: AnyCall } | { readonly ok: false; readonly refusal: Refusal }

/** What the stages that admin and data path share know of a route. */
export function endpointOf({ path, scopes }: Pick<AdminRoute, 'path' | 'scopes'>): Endpoint {
  const nothing = { fields: {}, required: [], prompt: [], answer: {}, outputFields: [] }
  const flags = { metered: false, asksForUsage: false, takesApiKey: false }
  return { ...nothing, ...flags, path, scopes, errorBody: openAiError }
}

/**
 * The whole path of a call: authenticate → authorise → count → read and check → record the intent, of what changes something → run →
 * record → answer. With `audit.onFailure: deny` nothing is changed and nothing is told while the log cannot be written.
 */
export async function handle(
  c: Context,
  route: AdminRoute,
  endpoint: Endpoint,
  connection: Connection,
  services: AdminServices,
): Promise<Response> {
  const exchange = new Exchange(c.req.method, endpoint, connection, services.clock)
  const { action } = route
  let target: string | undefined
  const end = async (result: Result<unknown>): Promise<Response> => {
    if (result.ok) {
      const recorded = await record(exchange, services, {
        status: route.status,
        outcome: 'served',
        action,
        target: bounded(result.target ?? target),
      })
      return recorded ? answer(c, exchange, route.status, result) : problem(c, exchange, UNRECORDED)
    }
    const { refusal, members } = result
    const { status } = CATALOGUE[refusal.code]
    exchange.errorCode = refusal.code
    exchange.reason = refusal.reason
    const outcome = status >= 500 ? 'failed' : 'refused'
    const recorded = await record(exchange, services, { status, outcome, action, target: bounded(target) })
    return problem(c, exchange, recorded ? refusal : UNRECORDED, recorded ? members : undefined)
  }
  try {
    const admitted = await admit(c, route, exchange, services)
    if (!admitted.ok) return await end(admitted)
    // While its body was on its way.
    if (exchange.revoked) return await end({ ok: false, refusal: REVOKED })
    const { call } = admitted
    target = route.target?.(call as never)
    if (route.changes) {
      const intent = { status: PROCESSING, outcome: 'begun', action, target: bounded(target) } as const
      if (!(await record(exchange, services, intent))) return problem(c, exchange, UNRECORDED)
    }
    return await end(await route.run(call as never, services))
  } catch (error) {
    if (error instanceof StoreUnavailableError) {
      return end({ ok: false, refusal: { code: 'registry_unavailable', reason: error.message } })
    }
    services.telemetry.log('error', 'internal_error', { requestId: exchange.requestId, where: placeOf(error) })
    return end({ ok: false, refusal: { code: 'internal_error', reason: 'exception' } })
  }
}

const UNRECORDED: Refusal = { code: 'audit_unavailable' }

async function admit(c: Context, route: AdminRoute, exchange: Exchange, services: AdminServices): Promise<Admitted> {
  const refusal = (await authenticate(exchange, services)) ?? authoriseScope(exchange)
  const by = exchange.principal
  if (refusal) return { ok: false, refusal }
  if (!by) throw new Error('authenticate names who calls, or refuses')
  const waitMs = await services.limitCalls(by.tokenId)
  if (waitMs > 0) {
    const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) }
    return { ok: false, refusal: { code: 'rate_limit_exceeded', reason: 'admin_calls', headers } }
  }
  const params = checked(route.params, c.req.param())
  if (!params.ok) return params
  const query = readQuery(route.query, c.req.url)
  if (!query.ok) return query
  const body = route.body ? await readJson(route.body as v.GenericSchema, exchange.connection) : undefined
  if (body?.ok === false) return body
  const wantsPage = route.hasPage === true && prefersPage(c)
  return { ok: true, call: { params: params.value, query: query.value, body: body?.value, by, wantsPage } }
}

function bounded(target: string | undefined): string | undefined {
  return target?.slice(0, MAX_TARGET_CHARACTERS)
}

function prefersPage(c: Context): boolean {
  const supports = ['application/json', 'text/html']
  return accepts(c, { header: 'Accept', supports, default: 'application/json' }) === 'text/html'
}

function answer(
  c: Context,
  { requestId, expires }: Exchange,
  status: 200 | 201,
  { value, page }: Extract<Result<unknown>, { ok: true }>,
): Response {
  c.header('x-request-id', requestId)
  if (expires !== undefined) c.header('x-sallyport-token-expires', expires)
  return page === undefined ? c.json(value as object, status) : c.html(page, status)
}

/** An error answer; `members` are added to those of RFC 9457. */
export function problem(
  c: Context,
  { requestId }: Pick<Exchange, 'requestId'>,
  refusal: Refusal,
  members?: object,
): Response {
  const { status } = CATALOGUE[refusal.code]
  c.header('x-request-id', requestId)
  if (status === 401) c.header('www-authenticate', 'Bearer')
  for (const [name, value] of Object.entries(refusal.headers ?? {})) c.header(name, value)
  const body = JSON.stringify({ ...problemOf(refusal, requestId), ...members })
  return c.body(body, status, { 'content-type': PROBLEM_TYPE })
}
