import { type Context, Hono } from 'hono'
import type { Refusal } from './errors/refusal.ts'
import { plainAnswer, plainRefusal } from './http/plain-answer.ts'
import { ENDPOINTS, MODELS } from './openai/endpoints.ts'
import { announce } from './pipeline/announce.ts'
import { abandon, answerBody, answerStream, refuse } from './pipeline/answer.ts'
import { applyFirewall } from './pipeline/apply-firewall.ts'
import { authenticate, REVOKED } from './pipeline/authenticate.ts'
import { authoriseModel, authoriseScope } from './pipeline/authorise.ts'
import { Exchange } from './pipeline/exchange.ts'
import { forward } from './pipeline/forward.ts'
import { guardInput } from './pipeline/guard-input.ts'
import { listModels } from './pipeline/list-models.ts'
import { placeOf } from './pipeline/place-of.ts'
import { readRequest } from './pipeline/read-request.ts'
import { ready } from './pipeline/readiness.ts'
import { requestIdOf } from './pipeline/request-id.ts'
import { reserveQuota } from './pipeline/reserve-quota.ts'
import type { Services } from './pipeline/services.ts'
import { beginTrace } from './pipeline/trace-request.ts'
import { validateInput } from './pipeline/validate-input.ts'
import type { Answer, Transport } from './ports/transport.ts'

type Stage = (exchange: Exchange, services: Services) => Refusal | undefined | Promise<Refusal | undefined>

/**
 * What a request passes, in order, before a model server hears of it, and what a trace calls it where it waits. The first
 * refusal ends it.
 */
const ADMISSION: readonly (readonly [span: string, Stage])[] = [
  ['authenticate', authenticate],
  ['trace', beginTrace],
  ['authorise scope', authoriseScope],
  ['read request', readRequest],
  ['authorise model', authoriseModel],
  ['apply firewall', applyFirewall],
  ['guard input', guardInput],
  ['audit writable', auditWritable],
  ['reserve quota', reserveQuota],
  ['announce', announce],
  ['validate input', validateInput],
]

/** A wait of a request, as a span of its trace where it has one. */
function waited<T>({ trace }: Exchange, span: string, work: Promise<T>): Promise<T> {
  return trace ? trace.during(span, work) : work
}

/**
 * The whole path of a request:
 * authenticate → authorise → read and check → firewall → guard input → reserve quota → announce → validate input → forward → guard output →
 * validate output → restore stand-ins → settle → record.
 */
async function handle(exchange: Exchange, services: Services): Promise<Response> {
  try {
    // By index: an iterator would be kept, and collected, for each request that waits.
    for (let at = 0; at < ADMISSION.length; at++) {
      const [span, stage] = ADMISSION[at] as (typeof ADMISSION)[number]
      const result = stage(exchange, services)
      const refusal = result instanceof Promise ? await waited(exchange, span, result) : result
      if (exchange.gone) return await abandon(exchange, services)
      if (exchange.revoked) return await refuse(exchange, services, REVOKED)
      if (refusal) return await refuse(exchange, services, refusal)
    }
    const forwarded = await forward(exchange, services)
    if (exchange.inputCheck) {
      const refusal = await waited(exchange, 'validate input', exchange.inputCheck.late)
      exchange.inputCheck = undefined
      if (refusal && !exchange.revoked) return await refuse(exchange, services, refusal)
      if (exchange.gone) return await abandon(exchange, services)
    }
    if (exchange.revoked) return await refuse(exchange, services, REVOKED)
    switch (forwarded.kind) {
      case 'refused':
        return await refuse(exchange, services, forwarded.refusal)
      case 'aborted':
        return await abandon(exchange, services)
      case 'body':
        return await answerBody(exchange, services, forwarded.bytes)
      case 'stream':
        return answerStream(exchange, services, forwarded.stream)
    }
  } catch (error) {
    services.telemetry.log('error', 'internal_error', { requestId: exchange.requestId, where: placeOf(error) })
    return refuse(exchange, services, { code: 'internal_error', reason: 'exception' })
  }
}

/** With `audit.onFailure: deny`, nothing is sent to a model while the log cannot be written. */
function auditWritable(_: Exchange, services: Services): Promise<Refusal | undefined> | undefined {
  if (services.config.audit.onFailure === 'serve' || !services.audit.broken) return undefined
  return services.audit.ready().then(ready => (ready ? undefined : { code: 'audit_unavailable' }))
}

/** The gateway as a Hono app: its routes, and nothing behind them that is not named here. */
export function createGateway(services: Services, transport: Transport<Context>): Hono {
  const app = new Hono()
  // By the transport: it knows what to do about a body that nobody has read.
  const answer = (c: Context, make: (requestId: string) => Answer) => {
    const connection = transport.connection(c)
    return connection.respond(make(requestIdOf(connection)))
  }
  const fail = (c: Context, refusal: Refusal) => answer(c, id => plainRefusal(id, refusal))

  // One handler a route: with several, Hono would put each request through a chain of promises.
  for (const endpoint of ENDPOINTS) {
    app.all(endpoint.path, c =>
      c.req.method === 'POST'
        ? handle(new Exchange('POST', endpoint, transport.connection(c), services.clock), services)
        : fail(c, { code: 'method_not_allowed', headers: { allow: 'POST' } }),
    )
  }

  for (const path of ['/v1/models', '/v1/models/:id{.+}']) {
    app.all(path, c => {
      const { method } = c.req
      if (method !== 'GET' && method !== 'HEAD')
        return fail(c, { code: 'method_not_allowed', headers: { allow: 'GET' } })
      const exchange = new Exchange(method, MODELS, transport.connection(c), services.clock)
      return listModels(exchange, services, c.req.param('id'))
    })
  }

  app.get('/healthz', c => answer(c, id => plainAnswer(id, { status: 'ok' })))
  app.get('/readyz', async c => {
    const state = await ready(services)
    return answer(c, id => plainAnswer(id, state, state.ready ? 200 : 503))
  })

  app.notFound(c => fail(c, { code: 'not_found' }))
  app.onError((error, c) => {
    services.telemetry.log('error', 'internal_error', { kind: error.name, where: placeOf(error) })
    return fail(c, { code: 'internal_error' })
  })
  return app
}
