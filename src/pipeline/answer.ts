import type { Outcome } from '../audit/record.ts'
import { LONG_BODY_BYTES } from '../config/limits.ts'
import { CATALOGUE, type ErrorCode } from '../errors/catalogue.ts'
import type { Refusal } from '../errors/refusal.ts'
import { atOnce, inTurns } from '../guard/turns.ts'
import type { AnswerSink, AnswerSource } from '../ports/transport.ts'
import type { Allotment } from '../quota/allotment.ts'
import { NOTHING_USED, type TokenUse } from '../quota/limit.ts'
import type { Validators } from '../validators/validators.ts'
import { REVOKED } from './authenticate.ts'
import type { Exchange } from './exchange.ts'
import type { UpstreamStream } from './forward.ts'
import { OutputGuard } from './guard-output.ts'
import { placeOf } from './place-of.ts'
import { record } from './record.ts'
import { OutputRestorer } from './restore-output.ts'
import type { Services } from './services.ts'
import { settle } from './settle.ts'
import { turnsOf } from './turns-of.ts'
import { validateBody } from './validate-body.ts'
import { StreamValidation } from './validate-stream.ts'
import { subjectOf } from './validation.ts'

/** What is written in records for a caller that left: there is no status, since nobody is there to get one. */
const CALLER_LEFT = 499

const encoder = new TextEncoder()
const NOTHING = new Uint8Array(0)

/** Refuses: settles (nothing was used unless the model ran), records, answers. */
export async function refuse(exchange: Exchange, services: Services, refusal: Refusal): Promise<Response> {
  const entry = CATALOGUE[refusal.code]
  settle(exchange, services, usedWithoutAnswer(exchange))
  exchange.errorCode = refusal.code
  exchange.reason = refusal.reason
  const recorded = await record(exchange, services, { status: entry.status, outcome: outcomeOf(refusal.code) })
  return respondError(exchange, services, recorded ? refusal : { code: 'audit_unavailable' })
}

/** The caller left before its answer began. */
export async function abandon(exchange: Exchange, services: Services): Promise<Response> {
  settle(exchange, services, usedWithoutAnswer(exchange))
  await record(exchange, services, { status: CALLER_LEFT, outcome: 'aborted' })
  return exchange.connection.respond({ status: CALLER_LEFT, headers: {}, body: new Uint8Array(0) })
}

/** Lets out an answer of the gateway's own, when it is recorded. */
export async function answerOwn(exchange: Exchange, services: Services, value: unknown): Promise<Response> {
  const recorded = await record(exchange, services, { status: 200, outcome: 'served' })
  if (!recorded) return respondError(exchange, services, { code: 'audit_unavailable' })
  return respondJson(exchange, encoder.encode(JSON.stringify(value)))
}

/** Lets a whole answer out, when it has been guarded, settled and recorded. */
export async function answerBody(exchange: Exchange, services: Services, bytes: Uint8Array): Promise<Response> {
  const output = new OutputGuard(exchange)
  const steps = output.body(bytes)
  const turns = turnsOf(exchange, services)
  const guarded = bytes.length <= LONG_BODY_BYTES ? atOnce(steps) : await inTurns(steps, turns)
  if (guarded === null) return abandon(exchange, services)
  output.report()
  const { counts } = output
  settle(exchange, services, counts)
  const looked = guarded.ok ? await passed(exchange, services, guarded.bytes) : { code: guarded.code }
  const answer = exchange.revoked ? REVOKED : looked
  const refusal = 'code' in answer ? answer : undefined
  if (refusal) {
    exchange.errorCode = refusal.code
    exchange.reason = refusal.reason
  }
  const recorded = await record(exchange, services, {
    status: refusal ? CATALOGUE[refusal.code].status : 200,
    outcome: refusal ? outcomeOf(refusal.code) : 'served',
    ...counts,
    ...(refusal ? {} : { outputSnippet: output.outputSnippet }),
  })
  if (!recorded) return respondError(exchange, services, { code: 'audit_unavailable' })
  return 'code' in answer ? respondError(exchange, services, answer) : respondJson(exchange, answer)
}

/** What validators let out of a guarded answer, with the caller's own values back in it. */
async function passed(exchange: Exchange, services: Services, bytes: Uint8Array): Promise<Uint8Array | Refusal> {
  const refusal = services.validators && (await validateBody(exchange, services, bytes))
  if (refusal) return refusal
  const restorer = restorerOf(exchange)
  return restorer ? (restorer.body(bytes) ?? { code: 'internal_error' }) : bytes
}

/** Lets an answer out while it streams. Its last bytes wait for the record. */
export function answerStream(exchange: Exchange, services: Services, stream: UpstreamStream): Response {
  return exchange.connection.respond({
    status: 200,
    headers: {
      ...commonHeaders(exchange),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      // Asks proxies such as nginx not to hold events back.
      'x-accel-buffering': 'no',
    },
    body: new StreamedAnswer(exchange, services, stream),
  })
}

class StreamedAnswer implements AnswerSource {
  private readonly exchange: Exchange
  private readonly services: Services
  private readonly upstream: UpstreamStream
  private readonly output: OutputGuard
  private restorer: OutputRestorer | null
  /** Present where validators look at the answer. */
  private readonly validation: StreamValidation | undefined
  private sink: AnswerSink | undefined
  /** The caller is slow. */
  private blocked = false
  private over = false

  constructor(exchange: Exchange, services: Services, upstream: UpstreamStream) {
    this.exchange = exchange
    this.services = services
    this.upstream = upstream
    this.output = new OutputGuard(exchange)
    this.restorer = restorerOf(exchange)
    exchange.forgetPrompt()
    this.validation = services.validators && this.validate(services.validators)
    exchange.onGone(() => (exchange.revoked && !exchange.gone ? this.revoke() : this.cancel()))
  }

  private validate(all: Validators): StreamValidation | undefined {
    const { exchange } = this
    const validators = all.of('output', exchange.policy?.validators)
    if (validators.length === 0) return undefined
    return new StreamValidation({
      validators,
      subject: subjectOf(exchange, 'output'),
      answer: exchange.endpoint.answer,
      stream: this.output.stream,
      send: bytes => this.send(bytes),
      drained: () => {
        if (!this.blocked && !this.over) this.upstream.resume()
      },
      stopped: () => this.finish(),
      fault: error => this.fault(error),
    })
  }

  start(sink: AnswerSink): void {
    this.sink = sink
    if (this.over) return
    const { stream } = this.output
    this.upstream.start({
      data: chunk => this.step(() => stream.push(chunk)),
      end: () => this.step(() => stream.complete()),
      failed: (code, reason) =>
        this.step(() => {
          stream.fail(code, reason)
          return stream.take()
        }),
    })
  }

  /** Goes on with the answer. A bug on the way ends this answer and no other, and lets nothing out undecided. */
  private step(run: () => Uint8Array | null): void {
    if (this.over) return
    const { stream } = this.output
    try {
      const bytes = run()
      if (!this.validation) this.send(bytes)
      else if (bytes) this.validation.add(bytes)
    } catch (error) {
      return this.fault(error)
    }
    const { reservation } = this.exchange
    if (reservation && this.output.outputTokens > reservation.covered) this.extend(reservation)
    if (!this.validation) {
      if (stream.end) this.finish()
    } else if (stream.end) {
      this.validation.end(() => this.finish())
    } else if (this.validation.full) {
      this.upstream.pause()
    }
  }

  /** The token was revoked: what is held is dropped. */
  private revoke(): void {
    if (this.over) return
    this.restorer = null
    this.validation?.cancel()
    this.output.stream.break(REVOKED.code, REVOKED.reason ?? '')
    this.finish()
  }

  /** The answer outruns what was reserved. Meanwhile it goes on: the wait for a store is a few tokens long. */
  private extend(reservation: Allotment): void {
    void reservation.extend()?.then(extension => {
      this.services.telemetry.count('sallyport_quota_extensions_total', { outcome: extension })
      if (extension === 'cut') this.output.exhausted = true
    })
  }

  /** A bug: what is held is dropped. */
  private fault(error: unknown): void {
    this.report(error)
    this.restorer = null
    this.validation?.cancel()
    this.output.stream.break('internal_error', 'exception')
    this.finish()
  }

  resume(): void {
    this.blocked = false
    if (!this.over && !this.validation?.full) this.upstream.resume()
  }

  /** The caller went away. */
  cancel(): void {
    if (this.over) return
    this.over = true
    this.upstream.cancel()
    this.validation?.cancel()
    this.settleAndReport()
    void record(this.exchange, this.services, { status: CALLER_LEFT, outcome: 'aborted', ...this.summary() })
  }

  private send(bytes: Uint8Array | null): void {
    if (!bytes || this.over) return
    const restored = this.restorer ? this.restorer.push(bytes) : bytes
    if (!restored || this.sink?.write(restored) !== false) return
    this.blocked = true
    this.upstream.pause()
  }

  private finish(): void {
    if (this.over) return
    this.over = true
    const { end } = this.output.stream
    // Behind a cut or an error the model server has nothing more to say to us: its slot is freed.
    if (end?.kind === 'complete') this.upstream.release()
    else this.upstream.cancel()
    if (end?.kind === 'failed') {
      this.exchange.errorCode = end.code
      this.exchange.reason = end.reason
    } else if (end?.kind === 'cut') {
      this.exchange.reason = `cut:${end.finish}`
    }
    this.settleAndReport()
    const outcome: Outcome = end?.kind === 'failed' ? outcomeOf(end.code) : 'served'
    void record(this.exchange, this.services, { status: 200, outcome, ...this.summary() }).then(recorded => {
      const closing = this.closing(recorded)
      if (closing.length > 0) this.sink?.write(closing)
      this.sink?.end()
    })
  }

  /** The bytes that end the answer. */
  private closing(recorded: boolean): Uint8Array {
    const { restorer } = this
    const { stream } = this.output
    const code = 'audit_unavailable'
    if (!restorer || !stream.end) return recorded ? stream.last() : stream.errorEvent(code)
    try {
      return recorded
        ? restorer.last(stream.end, stream.last())
        : restorer.last({ kind: 'failed', code, reason: code }, NOTHING)
    } catch (error) {
      this.report(error)
      return stream.errorEvent('internal_error')
    }
  }

  private report(error: unknown): void {
    const { requestId } = this.exchange
    this.services.telemetry.log('error', 'internal_error', { requestId, where: placeOf(error) })
  }

  private settleAndReport(): void {
    this.output.report()
    if (this.validation) this.exchange.findings.push(...this.validation.findings)
    settle(this.exchange, this.services, this.output.counts)
  }

  /** Of an answer that did not pass whole, nothing is quoted: its beginning may be what was held back. */
  private summary() {
    const isQuotable = this.validation?.passed ?? true
    return { ...this.output.counts, ...(isQuotable ? { outputSnippet: this.output.outputSnippet } : {}) }
  }
}

function outcomeOf(code: ErrorCode): Outcome {
  return CATALOGUE[code].status >= 500 ? 'failed' : 'refused'
}

/** Null for a request without stand-ins. */
function restorerOf({ endpoint, standIns }: Exchange): OutputRestorer | null {
  return standIns ? new OutputRestorer(endpoint, standIns.values) : null
}

/** What a request without a counted answer used: its prompt, once a model server had it. */
function usedWithoutAnswer(exchange: Exchange): TokenUse {
  return exchange.modelWorked ? { inputTokens: exchange.estimatedInput, outputTokens: 0 } : NOTHING_USED
}

function respondJson(exchange: Exchange, body: Uint8Array): Response {
  const headers = { ...commonHeaders(exchange), 'content-type': 'application/json; charset=utf-8' }
  return exchange.connection.respond({ status: 200, headers, body })
}

function commonHeaders(exchange: Exchange): Record<string, string> {
  const { requestId, limitHeaders, expires } = exchange
  return expires === undefined
    ? { 'x-request-id': requestId, ...limitHeaders }
    : { 'x-request-id': requestId, 'x-sallyport-token-expires': expires, ...limitHeaders }
}

function respondError(exchange: Exchange, services: Services, refusal: Refusal): Response {
  const entry = CATALOGUE[refusal.code]
  services.telemetry.count('sallyport_refusals_total', { code: refusal.code })
  return exchange.connection.respond({
    status: entry.status,
    headers: {
      ...commonHeaders(exchange),
      'content-type': 'application/json; charset=utf-8',
      ...(entry.retry ? {} : { 'x-should-retry': 'false' }),
      ...(entry.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...refusal.headers,
    },
    body: encoder.encode(JSON.stringify(exchange.endpoint.errorBody(refusal))),
  })
}
