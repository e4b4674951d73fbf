import type {
  Upstream,
  UpstreamCall,
  UpstreamFailure,
  UpstreamFlow,
  UpstreamReceiver,
} from '../../src/ports/upstream.ts'
import { receiverFault } from '../node/receiver-fault.ts'
import { type ClientTls, type ClientTlsOf, NO_CLIENT_TLS } from '../node/tls/client-tls.ts'
import { failureOf } from './upstream-failure.ts'

export interface BunUpstreamOptions {
  /**
   * Calls in progress at once; by default what Bun was started with. Beyond it Bun's fetch would wait without a word,
   * so a call fails instead.
   */
  readonly connections?: number
  /** Asked at every call to an https: URL. Bun keeps connections apart by what they were made with. */
  readonly tlsOf?: ClientTlsOf
}

/** Read by Bun once, before the first line of a program runs: it cannot be raised from inside. */
const LIMIT_VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'
const BUN_DEFAULT_LIMIT = 256

/** Bun's additions to `fetch`: no time limit of its own (5 minutes otherwise), bodies exactly as they were sent. */
interface BunRequestInit extends RequestInit {
  readonly decompress: false
  readonly timeout: false
  readonly tls?: BunClientTls
}

/** Measured on Bun 1.4: each of these is enforced, `ca` in place of the platform's authorities. */
interface BunClientTls extends ClientTls {
  /** Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment changes nothing. */
  readonly rejectUnauthorized: true
}

/**
 * Model servers over Bun's native fetch, which does for Bun what undici does for Node; undici itself is only a stub
 * there. Reading one part at a time leaves the rest in the socket, so a slow client slows the model (measured: a
 * paused reader holds the server at 6 MB, the kernel's buffers).
 */
export function createBunUpstream(options: BunUpstreamOptions = {}): Upstream {
  const { connections: limit = connectionLimit(), tlsOf = NO_CLIENT_TLS } = options
  ignoreProxies()
  const tlsFor = createTlsFor(tlsOf)
  let open = 0
  let closed = false
  const released = (): void => {
    open -= 1
  }
  return {
    send(call, receiver) {
      const refused = closed
        ? 'the gateway is shutting down'
        : open >= limit
          ? `${limit} calls are in progress; start Bun with a higher ${LIMIT_VARIABLE}`
          : undefined
      open += 1
      const exchange = new Exchange(receiver, released)
      void exchange.run(call, tlsFor(call.url), refused)
      return exchange
    },
    close() {
      closed = true
      return Promise.resolve()
    },
  }
}

/** Bun's fetch would send prompts to a proxy that the environment names; Node's client never does. */
function ignoreProxies(): void {
  process.env['NO_PROXY'] = process.env['no_proxy'] = '*'
}

/** The same object for the same settings: Bun keeps one context of TLS for each. */
function createTlsFor(tlsOf: ClientTlsOf): (url: string) => BunClientTls | undefined {
  const strict: BunClientTls = { rejectUnauthorized: true }
  const known = new WeakMap<ClientTls, BunClientTls>()
  return url => {
    if (!url.startsWith('https:')) return undefined
    const tls = tlsOf(new URL(url).origin)
    if (tls === undefined) return strict
    const made = known.get(tls) ?? { ...tls, rejectUnauthorized: true }
    known.set(tls, made)
    return made
  }
}

/** How many requests this Bun process can have in progress. */
export function connectionLimit(): number {
  const value = Number(process.env[LIMIT_VARIABLE])
  return Number.isInteger(value) && value > 0 ? value : BUN_DEFAULT_LIMIT
}

/** One request: the loop that reads its answer, and the hold that the caller has on it. */
class Exchange implements UpstreamFlow {
  readonly #receiver: UpstreamReceiver
  readonly #abort = new AbortController()
  /** Gives the place among the calls in progress back; called once. */
  readonly #release: () => void
  /** Nothing more may reach the receiver. */
  #over = false
  #paused = false
  #wake: (() => void) | undefined

  constructor(receiver: UpstreamReceiver, release: () => void) {
    this.#receiver = receiver
    this.#release = release
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#wake?.()
  }

  cancel(): void {
    if (this.#over) return
    this.#finish()
    this.#abort.abort()
    this.#wake?.()
  }

  /** Never rejects. */
  async run(call: UpstreamCall, tls: BunClientTls | undefined, refused: string | undefined): Promise<void> {
    const { origin } = new URL(call.url)
    let answered = false
    try {
      if (refused) {
        await Promise.resolve()
        return this.#fail({ kind: 'connect', message: `${origin}: ${refused}` })
      }
      const response = await fetch(call.url, fetchOptions(call, tls, this.#abort.signal))
      answered = true
      this.#tell(() => this.#receiver.onHead(response.status, Object.fromEntries(response.headers)))
      if (response.body) await this.#read(response.body.getReader())
      if (this.#over) return
      this.#finish()
      this.#receiver.onEnd()
    } catch (error) {
      this.#fail(failureOf(error, origin, answered))
    }
  }

  async #read(reader: { read(): Promise<ReadableStreamReadResult<Uint8Array>> }): Promise<void> {
    for (;;) {
      while (this.#paused && !this.#over) await this.#resumed()
      if (this.#over) return
      const { done, value } = await reader.read()
      if (done || this.#over) return
      this.#tell(() => this.#receiver.onData(value))
    }
  }

  #resumed(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  /** A fault of the receiver ends this exchange and nothing else. */
  #tell(callback: () => void): void {
    if (this.#over) return
    try {
      callback()
    } catch (error) {
      this.#fail(receiverFault(error))
      this.#abort.abort()
    }
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#over) return
    this.#finish()
    try {
      this.#receiver.onFailure(failure)
    } catch {
      // It has been told; what it does with the news must not take the process down.
    }
  }

  #finish(): void {
    this.#over = true
    this.#release()
  }
}

function fetchOptions(call: UpstreamCall, tls: BunClientTls | undefined, signal: AbortSignal): BunRequestInit {
  return {
    method: call.method,
    // Bun would ask for compressed bodies of its own accord.
    headers: { 'accept-encoding': 'identity', ...call.headers, ...(call.closeAfter ? { connection: 'close' } : {}) },
    ...(call.body ? { body: call.body as Uint8Array<ArrayBuffer> | string } : {}),
    // A model server that redirects must not be able to send prompts elsewhere.
    redirect: 'manual',
    decompress: false,
    timeout: false,
    keepalive: call.closeAfter !== true,
    ...(tls && { tls }),
    signal,
  }
}
