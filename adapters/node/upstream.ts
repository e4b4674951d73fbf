import type { Upstream, UpstreamReceiver } from '../../src/ports/upstream.ts'
import { ConnectionPool } from './http1/connection-pool.ts'
import { Exchange } from './http1/exchange.ts'
import { originOf } from './http1/open-socket.ts'
import { type RequestTarget, requestBytes } from './http1/request-bytes.ts'
import { type ClientTlsOf, NO_CLIENT_TLS } from './tls/client-tls.ts'

/** Distinct URLs remembered in parsed form. They come from the configuration; the bound is for what does not. */
const MAX_TARGETS = 256
/** How often idle connections and those that do not get connected are looked at: one timer for all, while any is open. */
const SWEEP_MS = 500

interface Target extends RequestTarget {
  readonly pool: ConnectionPool
}

export interface NodeUpstreamOptions {
  /** Asked at every call to an https: URL: connections made with what it no longer says take no more calls. */
  readonly tlsOf?: ClientTlsOf
}

/**
 * Model servers over the gateway's own HTTP/1.1 client: plain sockets, a strict parser, one callback a read. It costs
 * less than undici's dispatch in time and above all in memory (docs/performance.md).
 */
export function createNodeUpstream({ tlsOf = NO_CLIENT_TLS }: NodeUpstreamOptions = {}): Upstream {
  const pools = new Map<string, ConnectionPool>()
  /** Those made with other certificates, until their last answers are over. */
  const retired = new Set<ConnectionPool>()
  const targets = new Map<string, Target>()
  let sweeper: ReturnType<typeof setInterval> | undefined
  let closing: Promise<void> | undefined
  let allClosed: (() => void) | undefined

  const everyPool = (test: (pool: ConnectionPool) => boolean): boolean => {
    for (const pool of pools.values()) if (!test(pool)) return false
    for (const pool of retired) if (!test(pool)) return false
    return true
  }
  const onClosed = (): void => {
    if (allClosed && everyPool(pool => pool.open === 0)) allClosed()
  }
  const sweep = (): void => {
    const now = performance.now()
    for (const pool of pools.values()) pool.sweep(now)
    for (const pool of retired) {
      pool.sweep(now)
      if (pool.open === 0) retired.delete(pool)
    }
    if (!everyPool(pool => pool.open === 0)) return
    clearInterval(sweeper)
    sweeper = undefined
  }

  const poolOf = (url: URL): ConnectionPool => {
    const known = pools.get(url.origin)
    const tls = tlsOf(url.origin)
    if (known && known.origin.tls === tls) return known
    if (known) {
      known.close()
      retired.add(known)
    }
    const pool = new ConnectionPool(originOf(url, tls), onClosed)
    pools.set(url.origin, pool)
    return pool
  }

  const targetOf = (address: string): Target => {
    const known = targets.get(address)
    if (known && (!known.pool.origin.isSecure || known.pool.origin.tls === tlsOf(known.pool.origin.name))) return known
    const url = new URL(address)
    const pool = poolOf(url)
    const target = { pool, host: url.host, path: url.pathname + url.search }
    if (targets.size >= MAX_TARGETS) targets.clear()
    targets.set(address, target)
    return target
  }

  return {
    send(call, receiver) {
      const target = targetOf(call.url)
      const { pool } = target
      if (closing) return refused(receiver, 'connect', `${pool.origin.name}: the gateway is shutting down`)
      const bytes = requestBytes(target, call)
      if (typeof bytes === 'string') return refused(receiver, 'protocol', `${pool.origin.name}: ${bytes}`)
      const exchange = new Exchange(receiver, bytes, call.closeAfter === true)
      pool.send(exchange)
      sweeper ??= setInterval(sweep, SWEEP_MS).unref()
      return exchange
    },
    async close() {
      closing ??= new Promise(resolve => {
        allClosed = resolve
        for (const pool of pools.values()) pool.close()
        onClosed()
      })
      await closing
    },
  }
}

function refused(receiver: UpstreamReceiver, kind: 'connect' | 'protocol', message: string): Exchange {
  const exchange = new Exchange(receiver, [], false)
  exchange.fail({ kind, message })
  return exchange
}
