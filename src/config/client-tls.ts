import type { ClientTlsConfig } from './client-tls-config.ts'
import type { ClientTlsDocument } from './client-tls-schema.ts'
import type { Config } from './config.ts'
import { at, type Fault } from './fault.ts'
import type { Document } from './schema.ts'

/** The parts of the document that name servers. */
interface DocumentWithServers extends Pick<Document, 'models' | 'telemetry'> {
  readonly guard: Pick<Document['guard'], 'validators'>
  readonly audit: Pick<Document['audit'], 'forward'>
}

/** The same of the configuration in force. */
interface ConfigWithServers extends Pick<Config, 'models' | 'telemetry'> {
  readonly guard: Pick<Config['guard'], 'validators'>
  readonly audit: Pick<Config['audit'], 'forward'>
}

/** Settings that contradict each other. Connections are shared by all that name the same server: it has one way of TLS. */
export function clientTlsFaults({ models, guard, audit, telemetry }: DocumentWithServers): Fault[] {
  const places = [
    ...models.flatMap(({ upstreams }, index) =>
      upstreams.map(({ url, tls }, inner) => ({ path: at(at(at('models', index), 'upstreams'), inner), url, tls })),
    ),
    ...(guard.validators ?? []).map(({ url, tls }, index) => ({ path: at('guard.validators', index), url, tls })),
    ...(telemetry?.otlp ? [{ path: 'telemetry.otlp', url: telemetry.otlp.url, tls: telemetry.otlp.tls }] : []),
    ...audit.forward.flatMap(({ url, tls }, index) =>
      url !== undefined && isSecure(url) ? [{ path: at('audit.forward', index), url, tls }] : [],
    ),
  ]
  const first = new Map<string, (typeof places)[number]>()
  return places.flatMap(place => {
    const origin = tlsOrigin(place.url)
    if (!isSecure(place.url)) {
      return place.tls === undefined ? [] : [{ path: at(place.path, 'tls'), reason: 'goes with a URL of https: only' }]
    }
    const other = first.get(origin)
    if (other === undefined) first.set(origin, place)
    return [
      ...(place.tls === undefined ? [] : incomplete(place.tls, at(place.path, 'tls'))),
      ...(other === undefined || isSame(other.tls, place.tls)
        ? []
        : [
            {
              path: at(place.path, 'tls'),
              reason: `is not the same as that of ${other.path}, which is the same server`,
            },
          ]),
    ]
  })
}

function isSecure(url: string): boolean {
  return /^(?:https|tls):/i.test(url) && URL.canParse(url)
}

/** What names a server of TLS: `https://host:port`, or `tls://host:port`, which `URL` knows no origin of. */
export function tlsOrigin(url: string): string {
  const { origin, protocol, host } = new URL(url)
  return protocol === 'tls:' ? `tls://${host}` : origin
}

function incomplete({ ca, cert, key, serverName }: ClientTlsDocument, path: string): Fault[] {
  if (cert !== undefined && key === undefined) return [{ path: at(path, 'key'), reason: 'is required with cert' }]
  if (cert === undefined && key !== undefined) return [{ path: at(path, 'cert'), reason: 'is required with key' }]
  if (ca ?? cert ?? serverName) return []
  return [{ path, reason: 'says nothing: give ca, cert and key, or serverName' }]
}

function isSame(one: ClientTlsDocument | undefined, other: ClientTlsDocument | undefined): boolean {
  return (['ca', 'cert', 'key', 'serverName'] as const).every(name => one?.[name] === other?.[name])
}

/** One server's settings, and where in the file they stand first. */
export interface ClientTlsPlace {
  readonly path: string
  /** `https://host:port`, or `tls://host:port`. */
  readonly origin: string
  readonly tls: ClientTlsConfig
}

/** The servers that have settings of their own, each once. */
export function clientTlsPlaces({ models, guard, audit, telemetry }: ConfigWithServers): ClientTlsPlace[] {
  const places = new Map<string, ClientTlsPlace>()
  const add = (path: string, url: string, tls: ClientTlsConfig | undefined) => {
    const origin = tlsOrigin(url)
    if (tls !== undefined && !places.has(origin)) places.set(origin, { path: at(path, 'tls'), origin, tls })
  }
  for (const [index, { upstreams }] of models.entries()) {
    for (const [inner, { url, tls }] of upstreams.entries())
      add(at(at(at('models', index), 'upstreams'), inner), url, tls)
  }
  for (const [index, { url, tls }] of guard.validators.entries()) add(at('guard.validators', index), url, tls)
  if (telemetry?.otlp) add('telemetry.otlp', telemetry.otlp.url, telemetry.otlp.tls)
  for (const [index, destination] of audit.forward.entries()) {
    if (destination.kind !== 'stdout') add(at('audit.forward', index), destination.url, destination.tls)
  }
  return [...places.values()]
}
