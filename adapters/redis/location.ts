import { type RedisTls, tlsFiles } from './tls-files.ts'

/** Where Redis is, as the URL in the configuration says it, in the options of ioredis; `name` is safe to print. */
export type RedisLocation =
  | { readonly kind: 'single'; readonly name: string; readonly options: Access & Host & { readonly db: number } }
  | { readonly kind: 'sentinel'; readonly name: string; readonly options: Access & Sentinels & { readonly db: number } }
  | { readonly kind: 'cluster'; readonly name: string; readonly options: Access; readonly nodes: Host[] }

interface Host {
  readonly host: string
  readonly port: number
}

interface Access {
  readonly username?: string
  readonly password?: string
  readonly tls?: RedisTls
}

interface Sentinels {
  readonly sentinels: Host[]
  /** Of the master. */
  readonly name: string
  /** ioredis uses TLS behind sentinels only when it is told twice. */
  readonly enableTLSForSentinelMode?: true
  readonly sentinelTLS?: RedisTls
  /** Of the sentinels themselves. */
  readonly sentinelUsername?: string
  readonly sentinelPassword?: string
}

const FORM =
  /^(?<scheme>rediss?)(?:\+(?<kind>cluster|sentinel))?:\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<hosts>[^@/?#]+)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/
const HOST = /^(?:\[(?<v6>[\da-fA-F:.]+)\]|(?<host>[\w.-]+))(?::(?<port>\d{1,5}))?$/
const TLS_FILES = ['ca', 'cert', 'key'] as const
const PORTS = { single: 6379, cluster: 6379, sentinel: 26379 }

/**
 * Reads `redis://user:password@host:6379/0` and `rediss://…` (TLS), `redis+cluster://host1:7000,host2:7000` and
 * `redis+sentinel://host1:26379,host2:26379/name-of-the-master/0`. User and password are percent-encoded, as in any
 * URL, and go to the Redis servers; sentinels that have their own get `?sentinelUser=…&sentinelPassword=…`. With TLS,
 * `?ca=FILE&cert=FILE&key=FILE` names PEM files: the authorities that count, and a client certificate with its key; sentinels
 * get the same. A TypeError's message shows no part of the URL but the name of a file that cannot be read.
 */
export function parseRedisUrl(url: string): RedisLocation {
  const form = FORM.exec(url)?.groups
  if (form === undefined) throw new TypeError('the Redis URL has none of the known forms')
  const kind = form['kind'] === 'cluster' || form['kind'] === 'sentinel' ? form['kind'] : 'single'
  const hosts = (form['hosts'] ?? '').split(',').map(host => parseHost(host, PORTS[kind]))
  const [first] = hosts
  if (first === undefined || (kind === 'single' && hosts.length > 1)) {
    throw new TypeError('a redis:// URL names one host; several need redis+cluster:// or redis+sentinel://')
  }
  const query = readQuery(form['scheme'] === 'rediss', kind === 'sentinel', form['query'])
  const access: Access = {
    ...(form['user'] ? { username: decode(form['user']) } : {}),
    ...(form['password'] ? { password: decode(form['password']) } : {}),
    ...query.tls,
  }
  const path = (form['path'] ?? '').split('/').slice(1).filter(Boolean)
  const name = `${form['scheme']}${form['kind'] ? `+${form['kind']}` : ''}://${form['hosts']}${form['path'] ?? ''}`

  if (kind === 'cluster') {
    if (path.length > 0) throw new TypeError('Redis Cluster has no numbered databases: the URL ends after the hosts')
    return { kind, name, nodes: hosts, options: access }
  }
  if (kind === 'sentinel') {
    const [master, db, ...rest] = path
    if (!master || rest.length > 0) throw new TypeError('a redis+sentinel:// URL ends with the name of the master')
    const tls = access.tls ? ({ enableTLSForSentinelMode: true, sentinelTLS: access.tls } as const) : {}
    const options = {
      ...access,
      ...tls,
      ...query.sentinel,
      sentinels: hosts,
      name: decode(master),
      db: parseDatabase(db),
    }
    return { kind, name, options }
  }
  if (path.length > 1) throw new TypeError('a redis:// URL ends with the number of a database')
  return { kind, name, options: { ...access, ...first, db: parseDatabase(path[0]) } }
}

interface Query {
  readonly tls: { readonly tls?: RedisTls }
  readonly sentinel: Pick<Sentinels, 'sentinelUsername' | 'sentinelPassword'>
}

function readQuery(isTls: boolean, isSentinel: boolean, query = ''): Query {
  const fields = new Map(new URLSearchParams(query))
  const take = (name: string) => {
    const value = fields.get(name)
    fields.delete(name)
    return value || undefined
  }
  const [user, password] = [take('sentinelUser'), take('sentinelPassword')]
  if (!isSentinel && (user ?? password) !== undefined) {
    throw new TypeError('sentinelUser and sentinelPassword need a URL of redis+sentinel://')
  }
  if (user !== undefined && password === undefined) throw new TypeError('sentinelUser needs sentinelPassword')
  const [ca, cert, key] = TLS_FILES.map(take)
  if (fields.size > 0) {
    throw new TypeError('behind its ? a Redis URL has files (ca, cert and key), sentinelUser and sentinelPassword')
  }
  if (!isTls && (ca ?? cert ?? key) !== undefined) {
    throw new TypeError('files for TLS need a URL that begins with rediss')
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError('a client certificate for Redis needs cert and key')
  }
  return {
    tls: isTls ? { tls: tlsFiles({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }) } : {},
    sentinel: {
      ...(user !== undefined && { sentinelUsername: user }),
      ...(password !== undefined && { sentinelPassword: password }),
    },
  }
}

function parseHost(text: string, defaultPort: number): Host {
  const parts = HOST.exec(text)?.groups
  const port = Number(parts?.['port'] ?? defaultPort)
  const host = parts?.['v6'] ?? parts?.['host']
  if (host === undefined || port < 1 || port > 65_535) throw new TypeError('the Redis URL names a host that is none')
  return { host, port }
}

function parseDatabase(text = '0'): number {
  if (!/^\d{1,4}$/.test(text)) throw new TypeError('the database in the Redis URL is not a number')
  return Number(text)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError('the Redis URL is not percent-encoded correctly')
  }
}
