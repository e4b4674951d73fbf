import type { Socket } from 'node:net'
import type { UpstreamFailure } from '../../../src/ports/upstream.ts'
import { brokenOff, failureOf, notHttp } from '../upstream-failure.ts'
import type { Carrier, Exchange } from './exchange.ts'
import { type Origin, openSocket } from './open-socket.ts'
import { ResponseParser } from './response-parser.ts'

/** The pool that a connection belongs to. */
export interface ConnectionOwner {
  readonly origin: Origin
  /** The connection can take requests; it has its first one. */
  connected(connection: Connection): void
  /** The connection is free for another request. `hintMs` is how long the server says that it keeps it. */
  released(connection: Connection, hintMs: number): void
  /** The connection is gone. */
  closed(connection: Connection): void
  /** Nothing of this request was written: it goes to another connection. */
  moved(exchange: Exchange): void
}

const KEEP_ALIVE_HINT = /(?:^|[ ,;])timeout=(\d{1,6})(?:$|[ ,;])/i

/** One socket to a model server, and the request that is on it, if any. */
export class Connection implements Carrier {
  /** When it fell idle, or began to connect; ms of the monotonic clock. */
  since = 0
  /** When the pool closes it, if it is still idle; ms of the monotonic clock. */
  expires = 0
  readonly #owner: ConnectionOwner
  readonly #socket: Socket
  readonly #parser = new ResponseParser()
  #exchange: Exchange | undefined
  #established = false
  /** The request on it has been given to the socket. */
  #written = false
  /** The server has closed its half. */
  #ended = false
  /** The socket is not being read. */
  #stopped = false
  #hintMs = Number.POSITIVE_INFINITY
  #error: Error | undefined
  /** How the answer failed: delivered behind what came before it. */
  #failure: UpstreamFailure | undefined

  constructor(owner: ConnectionOwner, exchange: Exchange, now: number) {
    this.#owner = owner
    this.#exchange = exchange
    this.since = now
    exchange.carrier = this
    this.#socket = openSocket(owner.origin, this.#read)
    this.#socket.on(owner.origin.isSecure ? 'secureConnect' : 'connect', this.#onConnect)
    this.#socket.on('end', this.#onEnd)
    this.#socket.on('error', this.#onError)
    this.#socket.on('close', this.#onClose)
  }

  /** Whether it can take a request, as far as the process knows. */
  get usable(): boolean {
    return !this.#ended && !this.#socket.destroyed && this.#socket.writable
  }

  /**
   * Takes a request while idle.
   * @param looksFirst lets the event loop see whether the server has closed the connection before anything is written
   */
  carry(exchange: Exchange, looksFirst: boolean): void {
    this.#exchange = exchange
    exchange.carrier = this
    if (looksFirst) setImmediate(this.#write)
    else this.#write()
  }

  close(error?: Error): void {
    this.#error ??= error
    this.#socket.destroy()
  }

  abort(): void {
    if (this.#exchange) this.#exchange.carrier = undefined
    this.#exchange = undefined
    this.#socket.destroy()
  }

  /** In a microtask, so that nothing is delivered from inside a call of the receiver. */
  resume(): void {
    if (this.#hasKept || this.#stopped) queueMicrotask(this.#goOn)
  }

  get #hasKept(): boolean {
    const parser = this.#parser
    return parser.head !== undefined || parser.body !== undefined || parser.complete || this.#failure !== undefined
  }

  readonly #goOn = (): void => {
    this.#deliver()
    if (this.#stopped && this.#exchange && !this.#exchange.paused) this.#readOn()
  }

  #readOn(): void {
    this.#stopped = false
    this.#socket.resume()
  }

  readonly #onConnect = (): void => {
    this.#established = true
    this.#owner.connected(this)
    this.#write()
  }

  readonly #write = (): void => {
    const exchange = this.#exchange
    if (!exchange || this.#written || !this.usable) return
    this.#written = true
    const [first, second] = exchange.request
    exchange.request = []
    if (second) this.#socket.cork()
    if (first) this.#socket.write(first)
    if (second) {
      this.#socket.write(second)
      this.#socket.uncork()
    }
  }

  /** The buffer is shared by all connections: nothing of it is kept. Returns false to stop the reading. */
  readonly #read = (length: number, buffer: Buffer): boolean => {
    const exchange = this.#exchange
    if (!exchange || !this.#written) {
      // Nobody asked for these bytes.
      this.#ended = true
      this.#socket.destroy()
      return false
    }
    const parser = this.#parser
    parser.read(buffer, length)
    if (parser.fault !== undefined) {
      this.#failure = notHttp(this.#owner.origin.name, parser.fault)
      this.#socket.destroy()
    }
    this.#deliver()
    if (this.#exchange !== exchange || !exchange.paused || !this.#hasKept) return true
    this.#stopped = true
    return false
  }

  /** In this order, as far as it is here and until the receiver pauses or leaves: head, body, end or failure. */
  #deliver(): void {
    const exchange = this.#exchange
    const parser = this.#parser
    if (!exchange || exchange.paused) return
    const { head, body } = parser
    if (head) {
      parser.head = undefined
      this.#hintMs = hintOf(head.headers['keep-alive'])
      exchange.head(head)
      if (exchange.over || exchange.paused) return
    }
    if (body) {
      parser.body = undefined
      exchange.data(body)
      if (exchange.over || exchange.paused) return
    }
    if (parser.complete) {
      this.#release(exchange)
      exchange.end()
    } else if (this.#failure) {
      this.#exchange = exchange.carrier = undefined
      exchange.fail(this.#failure)
    }
  }

  #release(exchange: Exchange): void {
    const parser = this.#parser
    const socket = this.#socket
    this.#exchange = exchange.carrier = undefined
    this.#written = false
    const isKept = parser.keepAlive && !parser.excess && !exchange.closeAfter
    // A server that answers before it has all of the request may take the rest of it for the next one.
    if (!isKept || socket.writableLength > 0 || !this.usable) {
      socket.destroy()
      return
    }
    parser.reset()
    if (this.#stopped) this.#readOn()
    this.#owner.released(this, this.#hintMs)
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#socket.destroy()
  }

  readonly #onError = (error: Error): void => {
    this.#error ??= error
  }

  readonly #onClose = (): void => {
    const exchange = this.#exchange
    if (exchange && this.#established && !this.#written) {
      this.#exchange = exchange.carrier = undefined
      this.#owner.moved(exchange)
    } else if (exchange) {
      const isWhole = this.#parser.complete || (this.#ended && !this.#error && this.#parser.end())
      if (!isWhole) this.#failure ??= this.#lost(this.#owner.origin.name)
      this.#deliver()
    }
    this.#owner.closed(this)
  }

  #lost(name: string): UpstreamFailure {
    if (this.#error) return failureOf(this.#error, name, this.#established)
    if (this.#established) return brokenOff(name, 'closed')
    return { kind: 'connect', message: `cannot connect to ${name}: closed` }
  }
}

/** How long the server says that it keeps an idle connection, in ms. */
function hintOf(value: string | undefined): number {
  const seconds = value === undefined ? undefined : KEEP_ALIVE_HINT.exec(value)?.[1]
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000
}
