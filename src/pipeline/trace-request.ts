import type { UpstreamConfig } from '../config/config.ts'
import type { CallerMatch } from '../config/telemetry-config.ts'
import type { Attributes } from '../tracing/span.ts'
import { parseTraceParent } from '../tracing/traceparent.ts'
import type { Ending } from './ending.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/**
 * Is this request traced? Sets `trace`. Behind authentication, so that nobody without a token fills the collector, and a
 * caller's own trace goes on only where the configuration names the caller.
 */
export function beginTrace(exchange: Exchange, { tracer, config }: Services): undefined {
  if (!tracer) return
  const callers = config.telemetry?.otlp?.traces.callers ?? []
  const isTrusted = callers.some(match => fits(match, exchange))
  const parent = isTrusted ? parseTraceParent(exchange.connection.header('traceparent')) : undefined
  exchange.trace = tracer.begin(parent, exchange.startedAt)
}

function fits({ team, app, env }: CallerMatch, { principal }: Exchange): boolean {
  if (!principal) return false
  return [
    [team, principal.team],
    [app, principal.app],
    [env, principal.env],
  ].every(([names, name]) => names === undefined || names.includes(name as string))
}

/** What the request's span says. */
export function endTrace(exchange: Exchange, model: string | undefined, ending: Ending): void {
  const { trace, principal, endpoint } = exchange
  if (!trace) return
  const { inputTokens, outputTokens, status, outcome } = ending
  const { firstByteAt, startedAt, queuedMs } = exchange
  trace.finish(
    `${exchange.method} ${endpoint.path}`,
    present({
      ...genAi(exchange, model),
      'http.request.method': exchange.method,
      'http.route': endpoint.path,
      'http.response.status_code': status,
      'gen_ai.usage.input_tokens': inputTokens,
      'gen_ai.usage.output_tokens': outputTokens,
      'sallyport.outcome': outcome,
      'sallyport.request_id': exchange.requestId,
      'sallyport.team': principal?.team,
      'sallyport.app': principal?.app,
      'sallyport.env': principal?.env,
      'sallyport.stream': exchange.body?.stream,
      'sallyport.first_byte_ms': firstByteAt === undefined ? undefined : firstByteAt - startedAt,
      'sallyport.queue_ms': queuedMs,
      'error.type': exchange.errorCode,
    }),
    // A refusal is the caller's to mend: by the conventions, the span of a server has not failed.
    outcome === 'failed' ? exchange.errorCode : undefined,
  )
}

/** What the span of a call to a model server says. */
export function callAttributes(exchange: Exchange, server: UpstreamConfig, status: number, code: string): Attributes {
  const { hostname, port, protocol } = new URL(server.url)
  return present({
    ...genAi(exchange, exchange.model?.id),
    'gen_ai.provider.name': server.kind,
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
    'http.request.method': 'POST',
    'http.response.status_code': status === 0 ? undefined : status,
    'error.type': code === '' ? undefined : code,
  })
}

/** The conventions name such spans by operation and model. */
export function callName({ endpoint, model }: Exchange): string {
  return `${endpoint.operation} ${model?.id}`
}

function genAi({ endpoint }: Exchange, model: string | undefined) {
  return { 'gen_ai.operation.name': endpoint.operation, 'gen_ai.request.model': model }
}

function present(attributes: Readonly<Record<string, string | number | boolean | undefined>>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Attributes
}
