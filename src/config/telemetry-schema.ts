import * as v from 'valibot'
import { CLIENT_TLS, resolveClientTls } from './client-tls-schema.ts'
import { list, name, number, oneOf, quantity, someOf, text, url } from './fields.ts'
import { MAX_EXPORT_MS, MAX_EXPORT_TIMEOUT_MS, MIN_EXPORT_MS } from './limits.ts'
import type { OtlpConfig } from './telemetry-config.ts'
import { NO_MAPPING } from './unknown-keys.ts'

const described = v.description

/** Any header but those of the connection and of the body. */
const HEADER =
  /^(?!(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive)$)[a-z][a-z0-9-]*$/i

const header = v.pipe(text(100), v.regex(HEADER, 'should be a header that the gateway does not set itself'))
const headerValue = v.pipe(text(), v.regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'should be printable ASCII'))

const caller = v.strictObject({
  team: v.exactOptional(someOf(name)),
  app: v.exactOptional(someOf(name)),
  env: v.exactOptional(someOf(name)),
})

const otlp = v.strictObject({
  url: v.pipe(
    url(['http:', 'https:']),
    described('Base URL of the collector (port 4318 by custom): `/v1/traces` and `/v1/metrics` are added.'),
  ),
  protocol: v.optional(v.pipe(oneOf(['protobuf', 'json']), described('How bodies are encoded.')), 'protobuf'),
  headers: v.optional(v.pipe(v.record(header, headerValue, NO_MAPPING), described('Sent with every export.')), {}),
  tls: v.exactOptional(
    v.pipe(CLIENT_TLS, described('With https: who the collector has to be, and who the gateway is.')),
  ),
  timeout: v.optional(
    v.pipe(quantity('duration', 100, MAX_EXPORT_TIMEOUT_MS), described('Longest wait for the collector’s answer.')),
    '10s',
  ),
  service: v.optional(v.pipe(name, described('What `service.name` says.')), 'sallyport'),
  traces: v.optional(
    v.strictObject({
      sample: v.optional(
        v.pipe(number(0, 1), described('Part of the requests that are traced; 0: those of trusted callers alone.')),
        0.1,
      ),
      callers: v.optional(
        v.pipe(
          list(caller),
          described('Whose `traceparent` is taken up, and with it their decision whether to trace; `{}` is everybody.'),
        ),
        [],
      ),
      propagate: v.optional(
        v.pipe(v.boolean('should be true or false'), described('Whether model servers are sent a `traceparent`.')),
        true,
      ),
    }),
    {},
  ),
  metrics: v.optional(
    v.strictObject({
      every: v.optional(
        v.pipe(quantity('duration', MIN_EXPORT_MS, MAX_EXPORT_MS), described('Between two exports of all metrics.')),
        '60s',
      ),
    }),
    {},
  ),
})

export const TELEMETRY = v.strictObject({
  otlp: v.exactOptional(v.pipe(otlp, described('Metrics and traces by OTLP over HTTP; absent: none are sent.'))),
})

export function resolveOtlp(
  { url: base, tls, timeout, traces, metrics, headers, ...same }: v.InferOutput<typeof otlp>,
  resolvePath: (path: string) => string,
): OtlpConfig {
  return {
    ...same,
    url: base.replace(/\/+$/, ''),
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
    ...(tls !== undefined && { tls: resolveClientTls(tls, resolvePath) }),
    timeoutMs: timeout,
    traces: {
      ...traces,
      callers: traces.callers.map(match =>
        Object.fromEntries(Object.entries(match).map(([key, values]) => [key, [values].flat()])),
      ),
    },
    metricsEveryMs: metrics.every,
  }
}
