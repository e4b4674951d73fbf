import type { Upstream, UpstreamFlow, UpstreamReceiver } from '../../src/ports/upstream.ts'
import { type DemoReply, demoReply } from './demo-reply.ts'
import { receiverFault } from './receiver-fault.ts'

export { DEMO_MODEL } from './demo-text.ts'

export interface DemoModelOptions {
  /** Milliseconds from one streamed word to the next: a pace to read along with. */
  readonly paceMs?: number
}

const PACE_MS = 35

/**
 * A scripted model inside the process, so that `sallyport dev` shows something where no model server runs. It speaks
 * chat completions, completions, embeddings and models at any URL; every reply says what it is.
 */
export function createDemoModel({ paceMs = PACE_MS }: DemoModelOptions = {}): Upstream {
  let closed = false
  return {
    send(call, receiver) {
      const reply = closed ? undefined : demoReply(new URL(call.url).pathname, call.body)
      return new Playback(reply, receiver, paceMs)
    },
    close() {
      closed = true
      return Promise.resolve()
    },
  }
}

/** One reply on its way, a part at a time. */
class Playback implements UpstreamFlow {
  readonly #reply: DemoReply | undefined
  readonly #receiver: UpstreamReceiver
  readonly #paceMs: number
  readonly #encoder = new TextEncoder()
  #next = 0
  #headSent = false
  #over = false
  #paused = false
  #timer: NodeJS.Timeout | undefined

  constructor(reply: DemoReply | undefined, receiver: UpstreamReceiver, paceMs: number) {
    this.#reply = reply
    this.#receiver = receiver
    this.#paceMs = paceMs
    this.#schedule(0)
  }

  pause(): void {
    this.#paused = true
    clearTimeout(this.#timer)
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#schedule(0)
  }

  cancel(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }

  #schedule(ms: number): void {
    if (this.#over || this.#paused) return
    this.#timer = setTimeout(() => {
      try {
        this.#step()
      } catch (error) {
        this.cancel()
        this.#receiver.onFailure(receiverFault(error))
      }
    }, ms)
  }

  #step(): void {
    const reply = this.#reply
    if (!reply) {
      this.#over = true
      return this.#receiver.onFailure({ kind: 'connect', message: 'the gateway is shutting down' })
    }
    if (!this.#headSent) {
      this.#headSent = true
      this.#receiver.onHead(reply.status, { 'content-type': reply.contentType })
      return this.#schedule(0)
    }
    const part = reply.parts[this.#next++]
    if (part === undefined) {
      this.#over = true
      return this.#receiver.onEnd()
    }
    this.#receiver.onData(this.#encoder.encode(part))
    this.#schedule(this.#next < reply.parts.length ? this.#paceMs : 0)
  }
}
