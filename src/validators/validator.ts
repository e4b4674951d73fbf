import { VerdictCache } from '../auth/verdict-cache.ts'
import { Breaker } from '../breaker.ts'
import { MAX_CHECKS_WAITING, MAX_VERDICT_BYTES, WINDOWS_AT_ONCE } from '../config/limits.ts'
import type { Clock } from '../ports/clock.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Upstream } from '../ports/upstream.ts'
import { type Reading, type Subject, unreadable, type ValidatorKind, type Verdict } from './kind.ts'
import { post } from './post.ts'
import { Slots } from './slots.ts'
import type { ValidatorConfig } from './validator-config.ts'

export interface ValidatorServices {
  readonly upstream: Upstream
  readonly clock: Clock
  readonly hashing: Hashing
  readonly telemetry: Telemetry
}

/** How a check went. `dropped`: nobody waits for it any more. */
export type Outcome =
  | { readonly kind: 'pass' }
  | { readonly kind: 'bad'; readonly label?: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'dropped' }

const PASS: Outcome = { kind: 'pass' }
const DROPPED: Outcome = { kind: 'dropped' }
const LEFT_ALONE: Outcome = { kind: 'failed', reason: 'it failed before, and is left alone' }
const DEADLINE = 'deadline'

/** What was seen of the server during one check. */
interface ServerState {
  /** It was asked without a wait in line: it has had the whole time for an answer. */
  asked: boolean
  answered: boolean
  failed: boolean
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** One validator: asks it about texts, within its deadline, and remembers what it said. */
export class Validator {
  readonly config: ValidatorConfig
  private readonly kind: ValidatorKind
  private readonly services: ValidatorServices
  /** Keys of remembered verdicts say nothing about the texts to whoever reads the memory. */
  private readonly key = crypto.getRandomValues(new Uint8Array(32))
  private readonly verdicts: VerdictCache<Verdict> | null
  private readonly breaker = new Breaker()
  private readonly slots: Slots
  private readonly headers: Readonly<Record<string, string>>

  constructor(config: ValidatorConfig, kind: ValidatorKind, services: ValidatorServices) {
    this.config = config
    this.kind = kind
    this.services = services
    this.verdicts = config.cache.entries > 0 ? new VerdictCache(config.cache.entries) : null
    this.slots = new Slots(config.maxInFlight, MAX_CHECKS_WAITING)
    this.headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(config.apiKey === undefined ? {} : { authorization: `Bearer ${config.apiKey}` }),
      ...config.headers,
    }
  }

  /** Whether it is left alone for now, since it failed several times in a row. */
  get failing(): boolean {
    return this.breaker.open
  }

  /**
   * Checks the windows of a text, some at a time, until one is bad. All of them have the same deadline. `gone` ends the
   * check. Never rejects.
   */
  async check(windows: readonly string[], subject: Subject, gone: AbortSignal): Promise<Outcome> {
    const outcome = await this.verdictOf(windows, subject, gone)
    if (outcome.kind !== 'dropped') {
      const { name } = this.config
      this.services.telemetry.count('sallyport_validator_checks_total', { validator: name, outcome: outcome.kind })
      // Not a line for every request while it is away.
      if (outcome.kind === 'failed' && outcome !== LEFT_ALONE) {
        const { requestId } = subject
        this.services.telemetry.log('warn', 'validator_failed', { validator: name, requestId, reason: outcome.reason })
      }
    }
    return outcome
  }

  private async verdictOf(windows: readonly string[], subject: Subject, gone: AbortSignal): Promise<Outcome> {
    const todo: { readonly text: string; readonly key: string }[] = []
    for (const text of windows) {
      const key = this.verdicts ? this.keyOf(text, subject) : ''
      const known = this.verdicts?.get(key, this.services.clock.monotonic())
      if (known?.bad) return bad(known)
      if (!known) todo.push({ text, key })
    }
    if (todo.length === 0) return PASS
    if (gone.aborted) return DROPPED
    const { clock } = this.services
    if (!this.breaker.admits(clock.monotonic())) return LEFT_ALONE

    const stop = new AbortController()
    const leave = () => stop.abort()
    gone.addEventListener('abort', leave, { once: true })
    const timer = setTimeout(() => stop.abort(DEADLINE), this.config.timeoutMs)
    const server: ServerState = { asked: false, answered: false, failed: false }
    let found: Outcome | undefined
    let failure: Outcome | undefined
    const lane = async () => {
      // The newest text stands last, and is the most likely one to be new to the cache and to be bad.
      for (let next = todo.pop(); next && !stop.signal.aborted; next = todo.pop()) {
        const reading = await this.ask(next.text, subject, stop.signal, server)
        if (reading.ok) {
          this.verdicts?.set(next.key, reading.verdict, clock.monotonic() + this.config.cache.ttlMs)
          if (!reading.verdict.bad) continue
          found ??= bad(reading.verdict)
        } else {
          failure ??= { kind: 'failed', reason: reading.reason }
          // Where failures are let through, what can be checked still is.
          if (this.config.onFailure === 'allow') continue
        }
        stop.abort()
      }
    }
    await Promise.all(Array.from({ length: Math.min(WINDOWS_AT_ONCE, todo.length) }, lane))
    clearTimeout(timer)
    gone.removeEventListener('abort', leave)
    const late = stop.signal.reason === DEADLINE
    // A server that answers in part is there: a caller with a long text must not be able to switch it off for the others.
    if (server.answered) this.breaker.answered()
    else if (server.failed || (late && server.asked)) this.breaker.failed(clock.monotonic())
    else this.breaker.abandoned()
    if (found) return found
    if (gone.aborted) return DROPPED
    if (late) return { kind: 'failed', reason: `no verdict within ${this.config.timeoutMs} ms` }
    return failure ?? PASS
  }

  private async ask(text: string, subject: Subject, signal: AbortSignal, server: ServerState): Promise<Reading> {
    const place = this.slots.take(signal)
    // Time spent in line is no silence of the server: whoever sends many texts must not be able to switch it off.
    server.asked ||= place === true
    if (!(await place)) return unreadable('too many checks at the same time')
    try {
      const { url, closeAfter } = this.kind
      const body = encoder.encode(JSON.stringify(this.kind.body(text, subject)))
      const call = { method: 'POST', url, headers: this.headers, body, closeAfter } as const
      const posted = await post(this.services.upstream, call, MAX_VERDICT_BYTES, signal)
      if (!posted.ok) {
        server.failed ||= !signal.aborted
        return unreadable(posted.reason)
      }
      const { status } = posted
      // A server that is busy or broken has failed; one that does not like the text has answered.
      if (status >= 500 || status === 429) server.failed = true
      else server.answered = true
      if (status !== 200) return this.kind.readStatus?.(status) ?? unreadable(`it answered ${status}`)
      const answer = parse(posted.bytes)
      return answer === undefined ? unreadable('its answer is not JSON') : this.kind.read(answer, text)
    } finally {
      this.slots.release()
    }
  }

  private keyOf(text: string, subject: Subject): string {
    const scope = JSON.stringify([subject.team, ...this.kind.scope(subject)])
    return this.services.hashing.hmacSha256(this.key, `${scope}\n${text}`)
  }
}

function bad({ label }: Verdict): Outcome {
  return { kind: 'bad', ...(label === undefined ? {} : { label }) }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
