import type { AuditSink } from '../ports/audit-sink.ts'
import type { Clock } from '../ports/clock.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import { readRecord } from './chain.ts'
import { type AuditEntry, buildRecord, GENESIS, MAX_LINE } from './record.ts'
import { endOfTombstone } from './tombstone.ts'

export interface AuditLogOptions {
  readonly sink: AuditSink
  readonly hashing: Hashing
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** Names this process in its records. A random one by default. */
  readonly instance?: string | undefined
}

/** The last record that is durable. `seq` is 0 in a new log. */
export interface ChainHead {
  readonly seq: number
  readonly hash: string
}

/** What was announced by a record of the outcome `begun`: the record of its end names that one. */
export interface Intent {
  /** Undefined until it was announced, and where that came to nothing. Kept by the log. */
  seq: number | undefined
}

/** A record could not be made durable, or the log cannot be continued. Safe to print. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
}

/** A sink that was found failing is asked again no sooner, so that a flood of requests is not one of probes. */
const PROBE_INTERVAL_MS = 250

const WRITTEN = Object.freeze({ result: 'written' })
const FAILED = Object.freeze({ result: 'failed' })

/**
 * The hash chain over one sink.
 *
 * Many appends are under way at once, each linked to the one before it. When one fails, all behind it hang on a
 * record that is not there. So a sink that rejects a line must reject every later one until `ready()` has told that
 * it writes again, and must by then have taken back what it wrote of them. This log then goes on from the last record
 * that the sink acknowledged. A failed record is not sent again on its own: its request was answered by the caller's
 * declared failure mode, and a late copy would be out of order. So a failure leaves neither a gap nor a fork; what was
 * lost is counted.
 */
export class AuditLog {
  readonly #sink: AuditSink
  readonly #hashing: Hashing
  readonly #clock: Clock
  readonly #telemetry: Telemetry
  readonly #instance: string
  /** The last record that was handed to the sink: what the next one follows. */
  #sent: ChainHead
  #durable: ChainHead
  #inFlight = 0
  #waitingSince = 0
  #broken = false
  #lost = 0
  #lastProbe = Number.NEGATIVE_INFINITY
  #recovery: Promise<boolean> | undefined
  #drained: PromiseWithResolvers<void> | undefined

  /**
   * Continues the chain that the sink holds, or starts one.
   * @throws AuditUnavailable when its last record is not intact: going on would bury the damage.
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const last = await options.sink.lastLine()
    if (last === undefined) return new AuditLog(options, { seq: 0, hash: GENESIS })
    const deleted = endOfTombstone(last)
    if (deleted !== undefined) return new AuditLog(options, deleted)
    const read = readRecord(options.hashing, last)
    if (!read.ok) {
      throw new AuditUnavailable(
        `the last record of the audit log is damaged (${read.reason}): verify the log, then move it aside to start anew`,
      )
    }
    return new AuditLog(options, { seq: read.record.seq, hash: read.record.hash })
  }

  private constructor(options: AuditLogOptions, head: ChainHead) {
    this.#sink = options.sink
    this.#hashing = options.hashing
    this.#clock = options.clock
    this.#telemetry = options.telemetry
    this.#instance = options.instance ?? crypto.randomUUID().slice(0, 8)
    this.#sent = head
    this.#durable = head
  }

  get instance(): string {
    return this.#instance
  }

  /** Whether the last write failed and none has worked since. */
  get broken(): boolean {
    return this.#broken
  }

  /** The last durable record, for checkpoints. */
  get head(): ChainHead {
    return this.#durable
  }

  /** Records that are on their way to the disk. */
  get waiting(): number {
    return this.#inFlight
  }

  /** For how long records have waited without any becoming durable, in milliseconds. 0 when none waits. */
  lagMs(): number {
    return this.#inFlight === 0 ? 0 : this.#clock.monotonic() - this.#waitingSince
  }

  /**
   * Appends one record. Resolves when it is durable; waits as long as the sink's own deadline. `intent` is what the record
   * announces or ends; `maxWaitMs` lets a record that nobody waits for go with those that come within that time.
   * @throws AuditUnavailable (rejects) when it is not in the log. What then becomes of the request is the caller's.
   */
  append(entry: AuditEntry, intent?: Intent, maxWaitMs = 0): Promise<void> {
    return this.#broken ? this.#appendOnceReady(entry, intent, maxWaitMs) : this.#send(entry, intent, maxWaitMs)
  }

  /** Whether a record could be written now. Probes a sink that had failed. Never rejects. */
  async ready(): Promise<boolean> {
    return this.#broken ? await this.#recover() : await this.#sink.ready()
  }

  /** Commits what is pending and closes the sink. Append nothing after. */
  async close(): Promise<void> {
    await this.#sink.close()
  }

  async #appendOnceReady(entry: AuditEntry, intent: Intent | undefined, maxWaitMs: number): Promise<void> {
    // Of many that wait for the same probe, one may already have failed again.
    while (this.#broken) {
      if (!(await this.#recover())) {
        this.#loseOne()
        throw new AuditUnavailable('the audit log cannot be written')
      }
    }
    await this.#send(entry, intent, maxWaitMs)
  }

  async #send(entry: AuditEntry, intent: Intent | undefined, maxWaitMs: number): Promise<void> {
    const seq = this.#sent.seq + 1
    const announces = entry.outcome === 'begun'
    const { line, hash } = buildRecord(this.#hashing, entry, {
      seq,
      prev: this.#sent.hash,
      instance: this.#instance,
      begun: announces ? undefined : intent?.seq,
    })
    if (line.length > MAX_LINE) {
      this.#loseOne()
      throw new AuditUnavailable('the audit record is too long')
    }
    const head = { seq, hash }
    this.#sent = head
    // Known before it is durable: a record that names it is behind it in the chain, and lost where it is.
    if (announces && intent) intent.seq = seq
    if (this.#inFlight === 0) this.#waitingSince = this.#clock.monotonic()
    this.#inFlight += 1
    try {
      await this.#sink.append(line, maxWaitMs)
      this.#durable = head
      this.#waitingSince = this.#clock.monotonic()
      this.#telemetry.count('sallyport_audit_records_total', WRITTEN)
    } catch (error) {
      if (announces && intent) intent.seq = undefined
      this.#loseOne()
      this.#break(error)
      throw new AuditUnavailable('the audit record could not be written', { cause: error })
    } finally {
      this.#inFlight -= 1
      if (this.#inFlight === 0) this.#drained?.resolve()
    }
  }

  #loseOne(): void {
    this.#lost += 1
    this.#telemetry.count('sallyport_audit_records_total', FAILED)
  }

  #break(error: unknown): void {
    if (this.#broken) return
    this.#broken = true
    this.#telemetry.log('error', 'audit_unavailable', { seq: this.#durable.seq, reason: messageOf(error) })
  }

  #recover(): Promise<boolean> {
    this.#recovery ??= this.#probe().finally(() => {
      this.#recovery = undefined
    })
    return this.#recovery
  }

  async #probe(): Promise<boolean> {
    if (this.#clock.monotonic() - this.#lastProbe < PROBE_INTERVAL_MS) return false
    if (this.#inFlight > 0) {
      this.#drained = Promise.withResolvers()
      await this.#drained.promise
      this.#drained = undefined
    }
    const ready = await this.#sink.ready()
    this.#lastProbe = ready ? Number.NEGATIVE_INFINITY : this.#clock.monotonic()
    if (!ready) return false
    this.#sent = this.#durable
    this.#broken = false
    this.#telemetry.log('info', 'audit_recovered', { seq: this.#durable.seq, lost: this.#lost })
    this.#lost = 0
    return true
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
