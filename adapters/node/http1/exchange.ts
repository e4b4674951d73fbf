import type { UpstreamFailure, UpstreamFlow, UpstreamReceiver } from '../../../src/ports/upstream.ts'
import { receiverFault } from '../receiver-fault.ts'
import type { RequestPieces } from './request-bytes.ts'
import type { ResponseHead } from './response-head.ts'

/** What a flow needs of the connection that its request is on. */
export interface Carrier {
  /** Delivers what was kept back, and reads on. */
  resume(): void
  /** Closes the connection at once. */
  abort(): void
}

/** One request and its answer: the hold that the caller has on it, and the way to its receiver. */
export class Exchange implements UpstreamFlow {
  /** The request's bytes, until a connection has taken them. */
  request: RequestPieces
  /** Whether the connection is to be closed behind the answer. */
  readonly closeAfter: boolean
  carrier: Carrier | undefined
  /** Nothing may be delivered now. */
  paused = false
  /** Nothing more may ever be delivered, but for `#failure`. */
  over = false
  readonly #receiver: UpstreamReceiver
  /** On its way to the receiver. */
  #failure: UpstreamFailure | undefined

  constructor(receiver: UpstreamReceiver, request: RequestPieces, closeAfter: boolean) {
    this.#receiver = receiver
    this.request = request
    this.closeAfter = closeAfter
  }

  /**
   * The socket is left reading until one more read has come: a pause is mostly over within microseconds, and stopping
   * costs system calls.
   */
  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (!this.over) this.carrier?.resume()
  }

  cancel(): void {
    this.#failure = undefined
    if (this.over) return
    this.over = true
    this.request = []
    this.carrier?.abort()
  }

  head(head: ResponseHead): void {
    try {
      this.#receiver.onHead(head.status, head.headers)
    } catch (error) {
      this.#broken(error)
    }
  }

  data(bytes: Uint8Array): void {
    try {
      this.#receiver.onData(bytes)
    } catch (error) {
      this.#broken(error)
    }
  }

  end(): void {
    if (this.over) return
    this.over = true
    try {
      this.#receiver.onEnd()
    } catch {
      // The exchange has ended properly and there is nobody left to tell.
    }
  }

  /** Reports in a microtask, so that a call which fails at once still returns its flow first. */
  fail(failure: UpstreamFailure): void {
    if (this.over) return
    this.over = true
    this.request = []
    this.#failure = failure
    queueMicrotask(() => {
      try {
        if (this.#failure) this.#receiver.onFailure(this.#failure)
      } catch {
        // It has been told; what it does with the news must not take the process down.
      }
    })
  }

  #broken(error: unknown): void {
    this.fail(receiverFault(error))
    this.carrier?.abort()
  }
}
