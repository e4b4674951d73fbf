import type { UpstreamConfig } from '../config/config.ts'
import { DRAINED_RETRY_MS, MAX_ANSWER_BYTES, MAX_ATTEMPTS } from '../config/limits.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import type { Refusal } from '../errors/refusal.ts'
import { servedBy, upstreamFields } from '../firewall/upstream-fields.ts'
import { pinsThreads } from '../model-servers/ask.ts'
import { type PromptPrefix, promptPrefix } from '../pool/prompt-prefix.ts'
import type { UpstreamFailure, UpstreamFlow, UpstreamReceiver } from '../ports/upstream.ts'
import { retryHeaders } from '../quota/headers.ts'
import { concat } from '../sse/frames.ts'
import type { Exchange } from './exchange.ts'
import type { Admitted, Place } from './place.ts'
import { refusalOf, retryAfterMs } from './server-refusal.ts'
import type { Services } from './services.ts'
import { callAttributes, callName } from './trace-request.ts'
import type { ServerOutcome } from './upstream-pool.ts'

/** Receives the stream of an answer once it has begun. */
export interface StreamReceiver {
  data(chunk: Uint8Array): void
  end(): void
  /** The model server or the connection to it failed, or a deadline passed. */
  failed(code: ErrorCode, reason: string): void
}

/** An answer that has begun to stream: head and first bytes are here. Nothing is delivered before `start`. */
export interface UpstreamStream {
  start(receiver: StreamReceiver): void
  pause(): void
  resume(): void
  /** The answer is complete: nothing more of it is delivered, and the connection is kept if the model server ends in good order. */
  release(): void
  cancel(): void
}

export type Forwarded =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  | { readonly kind: 'stream'; readonly stream: UpstreamStream }

/**
 * Sends the request to a model server and waits for the answer's first bytes (of a stream) or for all of it.
 *
 * Another server of the model is asked only where no model can have said anything: where the first could not be connected
 * to, or not in a way that both trust, or turned the request away with 429, 502 or 503. Whoever breaks off, is silent or
 * fails otherwise may have been at work: that is the caller's to repeat. All attempts together have the time of one until
 * the first byte.
 */
export async function forward(exchange: Exchange, services: Services): Promise<Forwarded> {
  const { model, body } = exchange
  if (!model || !body) throw new Error('forward runs behind authoriseModel')
  const bodies = new Bodies(exchange, services)
  const tried = new Set<UpstreamConfig>()
  exchange.promptPrefix = prefixOf(exchange, services)
  let failure: Refusal | undefined
  let attempts = 0
  let leftMs = services.config.timeouts.firstByteMs
  for (;;) {
    const taken = services.admission.take(exchange, model, tried)
    const place = taken instanceof Promise ? await inLine(exchange, taken) : taken
    if (place.kind === 'nowhere') {
      return { kind: 'refused', refusal: failure ?? ALL_DRAINED }
    }
    if (place.kind !== 'place') return place
    const { server } = place
    exchange.place = place
    tried.add(server)
    exchange.upstream = server.url
    const sentAt = services.clock.monotonic()
    const result = await new Call(exchange, services, place, leftMs).send(bodies.for(server))
    if (result.kind !== 'turned_away') return result
    place.settle(0)
    failure = result.refusal
    leftMs -= services.clock.monotonic() - sentAt
    const { code, reason } = failure
    if (result.reached) attempts++
    else if (code === 'upstream_untrusted') services.telemetry.log('error', code, { upstream: server.url, reason })
    else services.telemetry.log('warn', 'upstream_unreachable', { upstream: server.url, reason })
    if (attempts >= MAX_ATTEMPTS || leftMs <= 0) return { kind: 'refused', refusal: failure }
    exchange.firstByteAt = undefined
    services.telemetry.count('sallyport_upstream_turned_away_total', { model: model.id })
  }
}

/** The wait for a place. */
function inLine({ trace }: Exchange, taken: Promise<Admitted>): Promise<Admitted> {
  return trace ? trace.during('wait in line', taken) : taken
}

/** Undefined where it does not matter: there is no choice, or nothing is generated and so nothing is read again. */
function prefixOf({ model, body, principal, endpoint }: Exchange, services: Services): PromptPrefix | undefined {
  if (!model || !body || !principal || endpoint.outputFields.length === 0) return undefined
  if (!services.pool.hasChoice(model)) return undefined
  const isSalted = model.upstreams.some(
    server => server.cacheSalt === 'team' && servedBy(server, endpoint.path).takesCacheSalt === true,
  )
  return promptPrefix(body.fields, endpoint.prompt, isSalted ? [model.id, principal.team] : [model.id])
}

/** The request as each kind of server gets it, made when a server of the kind is tried. */
class Bodies {
  private readonly made = new Map<string, string>()
  private readonly exchange: Exchange
  private readonly services: Services

  constructor(exchange: Exchange, services: Services) {
    this.exchange = exchange
    this.services = services
  }

  for(server: UpstreamConfig): string {
    const key = `${server.kind} ${server.cacheSalt}`
    const known = this.made.get(key)
    if (known !== undefined) return known
    const { model, body, principal, endpoint } = this.exchange
    if (!model || !body || !principal) throw new Error('forward runs behind authoriseModel')
    const served = servedBy(server, endpoint.path)
    const isSalted = served.takesCacheSalt === true && server.cacheSalt === 'team'
    const salt = isSalted ? this.services.cacheSalt(principal.team) : undefined
    const text = JSON.stringify(upstreamFields(body.fields, endpoint, model, served, salt))
    this.made.set(key, text)
    return text
  }
}

/** Behind `[DONE]` only the end of the chunked body is missing, which mostly comes with it. */
const RELEASE_MS = 100

const NOBODY: StreamReceiver = { data: () => {}, end: () => {}, failed: () => {} }

/** `turned_away`: no model has worked on it. */
type SendResult = Forwarded | { readonly kind: 'turned_away'; readonly reached: boolean; readonly refusal: Refusal }

/** The statuses by which servers, and what stands in front of them, turn requests away. */
const TURNED_AWAY: ReadonlySet<number> = new Set([429, 502, 503])

/** One call to one model server, under its three deadlines: first byte, silence between bytes, and the whole. */
class Call implements UpstreamReceiver, UpstreamStream {
  private readonly exchange: Exchange
  private readonly services: Services
  private readonly server: UpstreamConfig
  private readonly place: Place
  private flow: UpstreamFlow | undefined
  private settle: (result: SendResult) => void = () => {}
  private settled = false
  private closed = false
  private status = 0
  private streaming = false
  private chunks: Uint8Array[] = []
  private size = 0
  private receiver: StreamReceiver | undefined
  /** What arrived between the head and `start`. */
  private ending: (() => void) | undefined
  private lastByteAt = 0
  private paused = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly startedAt: number
  private readonly firstByteMs: number
  private isReported = false
  /** Present where the request is traced. */
  private readonly spanId: string | undefined

  constructor(exchange: Exchange, services: Services, place: Place, firstByteMs: number) {
    this.firstByteMs = firstByteMs
    this.exchange = exchange
    this.services = services
    this.server = place.server
    this.place = place
    this.startedAt = services.clock.monotonic()
    this.spanId = exchange.trace?.newSpanId()
  }

  send(body: string): Promise<SendResult> {
    return new Promise(resolve => {
      this.settle = result => {
        if (this.settled) return
        this.settled = true
        resolve(result)
      }
      const { endpoint, requestId, reservationId } = this.exchange
      this.exchange.onGone(() => this.abandon())
      if (this.closed) return
      // No later than the first silence could be over.
      this.watch(Math.min(this.firstByteMs, this.services.config.timeouts.idleMs))
      this.flow = this.services.upstream.send(
        {
          method: 'POST',
          url: this.server.url + servedBy(this.server, endpoint.path).upstreamPath,
          headers: {
            'content-type': 'application/json',
            accept: this.exchange.body?.stream ? 'text/event-stream' : 'application/json',
            // Callers choose request ids, and vLLM takes two requests of one id for the same: made unique.
            'x-request-id': `${requestId}-${reservationId.slice(0, 8)}`,
            ...this.traceParent(),
            ...(this.server.apiKey === undefined ? {} : { authorization: `Bearer ${this.server.apiKey}` }),
          },
          body,
          closeAfter: pinsThreads(this.server),
        },
        this,
      )
      if (this.closed) this.flow.cancel()
    })
  }

  onHead(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.closed) return
    this.status = status
    this.exchange.modelWorked = status === 200
    if (status === 429 || status === 503) {
      this.report({ kind: 'busy', retryAfterMs: retryAfterMs(headers['retry-after']) })
    } else if (status >= 500) this.report({ kind: 'failed', reason: `answered ${status}` })
    const wanted = this.exchange.body?.stream === true
    this.streaming = status === 200 && wanted && (headers['content-type'] ?? '').startsWith('text/event-stream')
    if (status === 200 && wanted && !this.streaming)
      this.reject('upstream_invalid', 'a stream was asked for and none came')
  }

  onData(chunk: Uint8Array): void {
    if (this.closed || chunk.length === 0) return
    const now = this.services.clock.monotonic()
    this.exchange.firstByteAt ??= now
    if (this.lastByteAt === 0 && this.status < 500 && this.status !== 429) this.report(ANSWERED)
    this.lastByteAt = now
    if (this.receiver) {
      this.receiver.data(chunk)
      return
    }
    this.chunks.push(chunk)
    this.size += chunk.length
    if (this.size > MAX_ANSWER_BYTES) {
      this.reject('upstream_invalid', `the answer has more than ${MAX_ANSWER_BYTES} bytes`)
    } else if (this.streaming && !this.settled) {
      // No more than the first read is taken before the receiver is there.
      this.flow?.pause()
      this.settle({ kind: 'stream', stream: this })
    }
  }

  onEnd(): void {
    if (this.closed) return
    // An answer without a body is one too, but for a stream.
    if (!this.isReported) this.report(this.streaming ? { kind: 'failed', reason: 'an empty stream' } : ANSWERED)
    const bytes = concat(this.chunks)
    const refusal = this.status === 200 ? undefined : refusalOf(this.status, bytes)
    this.close(refusal?.code ?? (this.isReported && this.lastByteAt === 0 && this.streaming ? 'upstream_failed' : ''))
    if (this.receiver) return this.receiver.end()
    if (this.streaming && this.settled) {
      this.ending = () => this.receiver?.end()
      return
    }
    if (this.streaming) return this.settle(refused('upstream_failed', 'the stream ended before it began'))
    if (!refusal) return this.settle({ kind: 'body', bytes })
    this.settle(
      TURNED_AWAY.has(this.status) ? { kind: 'turned_away', reached: true, refusal } : { kind: 'refused', refusal },
    )
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.closed) return
    const { kind, message: reason } = failure
    if (this.status === 0 && (kind === 'connect' || kind === 'tls')) {
      this.report({ kind: 'unreachable', reason })
      const code = kind === 'tls' ? 'upstream_untrusted' : 'upstream_unavailable'
      this.close(code)
      this.settle({ kind: 'turned_away', reached: false, refusal: { code, reason } })
      return
    }
    if (this.lastByteAt === 0) this.report({ kind: 'failed', reason })
    this.reject('upstream_failed', reason)
  }

  start(receiver: StreamReceiver): void {
    this.receiver = receiver
    const { chunks } = this
    this.chunks = []
    for (const chunk of chunks) receiver.data(chunk)
    this.ending?.()
    if (!this.paused) this.flow?.resume()
  }

  pause(): void {
    this.paused = true
    this.flow?.pause()
  }

  resume(): void {
    this.paused = false
    this.lastByteAt = this.services.clock.monotonic()
    this.flow?.resume()
  }

  release(): void {
    if (this.closed) return
    this.receiver = NOBODY
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.cancel(), RELEASE_MS)
    if (this.paused) this.resume()
  }

  cancel(): void {
    this.stop('')
  }

  private stop(code: ErrorCode | ''): void {
    if (this.closed) return
    this.close(code)
    this.flow?.cancel()
  }

  /** The caller went away. */
  private abandon(): void {
    this.exchange.modelWorked = true
    this.cancel()
    this.settle({ kind: 'aborted' })
  }

  /** One timer for all deadlines: it looks at the clock when it fires, so that a chunk costs no timer. */
  private watch(inMs: number): void {
    const left = this.startedAt + this.services.config.timeouts.totalMs - this.services.clock.monotonic()
    this.timer = setTimeout(this.look, Math.max(1, Math.min(inMs, left)))
  }

  private readonly look = (): void => {
    const { idleMs, totalMs } = this.services.config.timeouts
    const now = this.services.clock.monotonic()
    const took = now - this.startedAt
    if (this.lastByteAt === 0) {
      if (took >= Math.min(this.firstByteMs, totalMs)) return this.timeOut('no first byte')
      return this.watch(Math.min(this.firstByteMs - took, idleMs))
    }
    if (took >= totalMs) return this.timeOut(`the answer took longer than ${totalMs} ms`)
    // While the caller is the slow one, silence is ours.
    const silent = this.paused ? 0 : now - this.lastByteAt
    if (silent >= idleMs) return this.timeOut(`silent for ${idleMs} ms`)
    this.watch(idleMs - silent)
  }

  private timeOut(reason: string): void {
    if (this.lastByteAt === 0) this.report({ kind: 'failed', reason })
    this.reject('upstream_timeout', reason)
  }

  private reject(code: ErrorCode, reason: string): void {
    if (this.closed) return
    this.exchange.modelWorked = true
    this.stop(code)
    if (this.receiver) this.receiver.failed(code, reason)
    else if (this.settled) this.ending = () => this.receiver?.failed(code, reason)
    else this.settle(refused(code, reason))
  }

  private report(outcome: ServerOutcome): void {
    this.isReported = true
    this.services.pool.report(this.server, outcome)
  }

  /** `code`: why it failed; empty: it did not, or nobody waited any more. */
  private close(code: ErrorCode | ''): void {
    this.closed = true
    const { clock, meter } = this.services
    meter.called(this.exchange, clock.monotonic() - this.startedAt, code)
    this.trace(code)
    // Whatever has happened, a server that was on trial with this request is not any longer.
    if (!this.isReported) this.report(ABANDONED)
    clearTimeout(this.timer)
    this.place.release()
  }

  private traceParent(): { traceparent?: string } | undefined {
    const traceparent = this.spanId === undefined ? undefined : this.exchange.trace?.traceParent(this.spanId)
    return traceparent === undefined ? undefined : { traceparent }
  }

  private trace(code: ErrorCode | ''): void {
    const { exchange, spanId, startedAt } = this
    if (spanId === undefined) return
    exchange.trace?.step({
      name: callName(exchange),
      kind: 'client',
      spanId,
      startedAt,
      attributes: callAttributes(exchange, this.server, this.status, code),
      failure: code === '' ? undefined : code,
    })
  }
}

const ALL_DRAINED: Refusal = {
  code: 'upstream_unavailable',
  reason: 'no server takes new requests',
  message: 'No server of this model takes new requests now.',
  headers: retryHeaders(DRAINED_RETRY_MS),
}

const ANSWERED: ServerOutcome = { kind: 'answered' }
const ABANDONED: ServerOutcome = { kind: 'abandoned' }

function refused(code: ErrorCode, reason: string): Forwarded {
  return { kind: 'refused', refusal: { code, reason } }
}
