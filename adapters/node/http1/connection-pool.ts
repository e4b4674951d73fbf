import { Connection, type ConnectionOwner } from './connection.ts'
import type { Exchange } from './exchange.ts'
import type { Origin } from './open-socket.ts'

/** Time for name resolution, TCP and TLS together. The caller's own deadlines run beside it. */
const CONNECT_TIMEOUT_MS = 10_000
/** Shorter than the 5 s after which llama.cpp's and vLLM's servers close an idle connection without a word. */
const KEEP_ALIVE_MS = 4_000
/** Left between the time that a server names and our own closing, for what is under way. */
const HINT_MARGIN_MS = 1_000
/** Idle longer than this, a connection is looked at before it is written to. */
const LOOK_AFTER_MS = 250
const MAX_IDLE = 1024

/**
 * The connections to one origin. The last one used is used first, so that those not needed grow old. A request on an
 * idle connection that turns out to be closed before anything was written goes to another one; a request that was
 * written is never repeated, since nobody knows whether it was processed.
 */
export class ConnectionPool implements ConnectionOwner {
  readonly origin: Origin
  readonly #onClosed: () => void
  readonly #open = new Set<Connection>()
  readonly #connecting = new Set<Connection>()
  /** The last one was used last. */
  readonly #idle: Connection[] = []
  #closing = false

  /** @param onClosed called whenever a connection is gone */
  constructor(origin: Origin, onClosed: () => void) {
    this.origin = origin
    this.#onClosed = onClosed
  }

  /** Connections that are not closed yet. */
  get open(): number {
    return this.#open.size
  }

  send(exchange: Exchange): void {
    const now = performance.now()
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.usable && now < idle.expires) return idle.carry(exchange, now - idle.since > LOOK_AFTER_MS)
      idle.close()
    }
    const connection = new Connection(this, exchange, now)
    this.#open.add(connection)
    this.#connecting.add(connection)
  }

  /** Closes what has been idle or connecting for too long. */
  sweep(now: number): void {
    const stale = this.#idle.filter(connection => now >= connection.expires)
    for (const connection of stale) connection.close()
    if (stale.length > 0) this.#idle.splice(0, this.#idle.length, ...this.#idle.filter(({ expires }) => now < expires))
    for (const connection of this.#connecting) {
      if (now - connection.since >= CONNECT_TIMEOUT_MS) connection.close(connectTimeout())
    }
  }

  /** Closes idle connections, and the others behind their answers. */
  close(): void {
    this.#closing = true
    for (const connection of this.#idle.splice(0)) connection.close()
  }

  connected(connection: Connection): void {
    this.#connecting.delete(connection)
  }

  released(connection: Connection, hintMs: number): void {
    const keptMs = Math.min(KEEP_ALIVE_MS, hintMs - HINT_MARGIN_MS)
    if (this.#closing || keptMs <= 0 || this.#idle.length >= MAX_IDLE) return connection.close()
    connection.since = performance.now()
    connection.expires = connection.since + keptMs
    this.#idle.push(connection)
  }

  closed(connection: Connection): void {
    this.#open.delete(connection)
    this.#connecting.delete(connection)
    const place = this.#idle.indexOf(connection)
    if (place >= 0) this.#idle.splice(place, 1)
    this.#onClosed()
  }

  moved(exchange: Exchange): void {
    this.send(exchange)
  }
}

function connectTimeout(): Error {
  const error = new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)
  return Object.assign(error, { code: 'ETIMEDOUT' })
}
