import { type Context, Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { base64OfHex } from '../audit/checkpoint.ts'
import { PAGE_STYLE } from '../checklist/pages.ts'
import type { Refusal } from '../errors/refusal.ts'
import { metricsText } from '../metrics/text.ts'
import { placeOf } from '../pipeline/place-of.ts'
import { ready } from '../pipeline/readiness.ts'
import { requestIdOf } from '../pipeline/request-id.ts'
import type { Transport } from '../ports/transport.ts'
import { SHOW_CHECKLIST } from './checklist.ts'
import { endpointOf, handle, problem } from './handle.ts'
import { ROUTES } from './routes.ts'
import type { AdminServices } from './services.ts'

/** Six months: what browsers take as lasting. */
const HSTS = 'max-age=15552000; includeSubDomains'

/**
 * The admin listener as a Hono app: the admin API, `/metrics`, and the probes.
 * @param encrypted whether callers come over TLS
 */
export function createAdmin(services: AdminServices, transport: Transport<Context>, encrypted: boolean): Hono {
  const app = new Hono()
  const fail = (c: Context, refusal: Refusal) =>
    problem(c, { requestId: requestIdOf(transport.connection(c)) }, refusal)

  const headers = (more: { readonly styleSrc?: string[] } = {}) =>
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], ...more },
      strictTransportSecurity: encrypted ? HSTS : false,
      xFrameOptions: 'DENY',
    })
  // The one page: what is registered first sets its headers last.
  const styleHash = base64OfHex(services.hashing.sha256(PAGE_STYLE))
  app.use(SHOW_CHECKLIST.path, headers({ styleSrc: [`'sha256-${styleHash}'`] }))
  app.use(headers())
  app.use(async (c, next) => {
    c.header('cache-control', 'no-store')
    c.header('x-request-id', requestIdOf(transport.connection(c)))
    await next()
  })

  for (const [path, routes] of Map.groupBy(ROUTES, route => route.path)) {
    const byMethod = new Map(routes.map(route => [route.method as string, { route, endpoint: endpointOf(route) }]))
    const allow = [...byMethod.keys()].join(', ')
    app.all(path, c => {
      const { method } = c.req
      const found = byMethod.get(method === 'HEAD' ? 'GET' : method)
      if (!found) return fail(c, { code: 'method_not_allowed', headers: { allow } })
      return handle(c, found.route, found.endpoint, transport.connection(c), services)
    })
  }

  app.get('/healthz', c => c.json({ status: 'ok' }))
  app.get('/readyz', async c => {
    const state = await ready(services)
    return c.json(state, state.ready ? 200 : 503)
  })
  const { counters } = services
  if (counters) {
    const headers = { 'content-type': 'text/plain; version=0.0.4' }
    app.get('/metrics', async c => c.body(metricsText(await counters()), 200, headers))
  }

  app.notFound(c => fail(c, { code: 'not_found' }))
  app.onError((error, c) => {
    services.telemetry.log('error', 'internal_error', { kind: error.name, where: placeOf(error) })
    return fail(c, { code: 'internal_error' })
  })
  return app
}
