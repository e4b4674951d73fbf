import type { Clock } from '../../ports/clock.ts'
import type { ForwardLog, LoggedRecord, Position, PositionPlace } from '../../ports/forward-log.ts'
import type { Telemetry } from '../../ports/telemetry.ts'
import { Backoff } from './backoff.ts'
import type { Delivery, Destination, Refused } from './destination.ts'

export interface ForwarderOptions {
  /** Names the destination in logs and metrics. */
  readonly name: string
  readonly destination: Destination
  readonly log: ForwardLog
  readonly place: PositionPlace
  /** The most that is sent at once, and how long records are gathered. */
  readonly batch: { readonly records: number; readonly bytes: number; readonly waitMs: number }
  /** For one batch, answer included. */
  readonly timeoutMs: number
  /** The longest pause between two attempts. */
  readonly maxPauseMs: number
  /** The last record that may be sent, by its `seq`: what is not durable may yet be taken back. */
  readonly durable: () => number
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** 0 to 1. */
  readonly random: () => number
  /** Resolves after the time, or with the signal. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

const FIRST_PAUSE_MS = 1000
/** So many in a row are not bad records: it is the destination that takes none. */
const MAX_SUSPECTS = 16
/** A position is written no more often: what was sent since is sent again after a crash, under the same ids. */
const SAVE_EVERY_MS = 1000
/** A destination that goes on failing is told of again after this time. */
const TELL_EVERY_MS = 60_000
/** At the end, what is left may be sent for this long. */
const CLOSE_MS = 3000

/**
 * Brings the log to one destination, at least once and in order. It remembers only how far the destination is: everything is
 * read from the log again after a failure, so an outage of any length takes no memory. The position moves over what was taken,
 * and over nothing else but records that the destination refuses while it takes others; those are counted, told and noted.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #backoff: Backoff
  readonly #closing = new AbortController()
  readonly #giveUp = new AbortController()
  #position: Position | undefined
  #savedSeq = 0
  #savedAt = Number.NEGATIVE_INFINITY
  /** Records that the next batch may have: fewer after one that was refused or too large. */
  #records: number
  /** Records that were refused alone: whether that is their own fault shows when another is taken. */
  #suspects: LoggedRecord[] = []
  #failingSince: number | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #running: Promise<void> = Promise.resolve()

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#records = options.batch.records
    this.#backoff = new Backoff(FIRST_PAUSE_MS, options.maxPauseMs, options.random)
  }

  /** The last record that the destination has; undefined: none. */
  get position(): Position | undefined {
    return this.#position
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Sends what is there and can be sent at once, then keeps the position. Never rejects. */
  async close(): Promise<void> {
    const { destination, log, place } = this.#options
    this.#closing.abort()
    const timer = setTimeout(() => this.#giveUp.abort(), CLOSE_MS)
    await this.#running
    clearTimeout(timer)
    await Promise.allSettled([destination.close(), log.close()])
    await place.close().catch(() => undefined)
  }

  async #run(): Promise<void> {
    let isOpen = false
    for (;;) {
      try {
        if (!isOpen) await this.#open()
        isOpen = true
        if (!(await this.#step())) break
      } catch (error) {
        // A disk that fails, or another process at work. The place is taken hold of again: it may be another by now.
        isOpen = false
        await this.#fail(error instanceof Error ? error.message : 'unknown')
        if (this.#closing.signal.aborted) break
      }
    }
    if (isOpen) await this.#save().catch(() => undefined)
  }

  async #open(): Promise<void> {
    const { name, place, telemetry } = this.#options
    const opened = await place.open()
    this.#recovered()
    if (opened.ok) {
      this.#position = opened.position
      this.#savedSeq = opened.position?.seq ?? 0
      return
    }
    telemetry.log('error', 'audit_forward_position_damaged', { destination: name, reason: opened.reason })
  }

  /** Sends one batch, or waits. False when it is time to end. */
  async #step(): Promise<boolean> {
    const { batch, durable, log } = this.#options
    const read = await log.read(this.#next, { records: this.#records, bytes: batch.bytes, upTo: durable() })
    if (!read.known) {
      this.#startOver()
      return true
    }
    const { records, atEnd } = read
    if (records.length === 0) {
      await this.#save()
      if (this.#closing.signal.aborted) return false
      await this.#rest()
      return true
    }
    const went = await this.#take(records, await this.#deliver(records))
    if (this.#closing.signal.aborted) return went
    if (went && atEnd) await this.#rest()
    return true
  }

  /** Behind which record the next batch begins. */
  get #next(): Position | undefined {
    const suspect = this.#suspects.at(-1)
    return suspect ? positionOf(suspect) : this.#position
  }

  async #rest(): Promise<void> {
    await this.#options.sleep(this.#options.batch.waitMs, this.#closing.signal)
  }

  #deliver(records: readonly LoggedRecord[]): Promise<Delivery> {
    const { destination, timeoutMs } = this.#options
    const deadline = AbortSignal.timeout(timeoutMs)
    return destination.deliver(records, AbortSignal.any([deadline, this.#giveUp.signal]))
  }

  /** Whether there was no failure. */
  async #take(records: readonly LoggedRecord[], delivery: Delivery): Promise<boolean> {
    switch (delivery.kind) {
      case 'taken': {
        if (!(await this.#judgeSuspects())) return false
        const { refused = [], lost } = delivery
        if (lost) await this.#dropUnknown(records, lost.records, lost.reason)
        await this.#advance(records, refused, lost?.records)
        this.#records = Math.min(this.#options.batch.records, this.#records * 2)
        this.#recovered()
        return true
      }
      case 'failed': {
        const { taken = 0, refused = [], reason, retryAfterMs } = delivery
        if (taken > 0) {
          if (!(await this.#judgeSuspects())) return false
          await this.#advance(records.slice(0, taken), refused)
        }
        await this.#fail(reason, retryAfterMs)
        return false
      }
      case 'refused':
      case 'too-large': {
        const [record] = records
        if (records.length > 1) {
          this.#records = Math.ceil(records.length / 2)
        } else if (record && this.#suspects.length < MAX_SUSPECTS) {
          this.#suspects.push(record)
        } else {
          await this.#fail(`it takes no record: ${delivery.reason}`)
          return false
        }
        return true
      }
    }
  }

  /** The destination takes records now: whichever of the suspects it still does not take is given up. */
  async #judgeSuspects(): Promise<boolean> {
    for (const record of this.#suspects) {
      const delivery = await this.#deliver([record])
      if (delivery.kind === 'failed') {
        await this.#fail(delivery.reason, delivery.retryAfterMs)
        return false
      }
      const isTaken = delivery.kind === 'taken'
      await this.#advance([record], isTaken ? (delivery.refused ?? []) : [{ index: 0, reason: delivery.reason }])
    }
    this.#suspects = []
    return true
  }

  /** The destination is done with these records. */
  async #advance(records: readonly LoggedRecord[], refused: readonly Refused[], lost = 0): Promise<void> {
    const { name, clock, telemetry } = this.#options
    for (const record of records) if (record.missing > 0) await this.#dropMissing(record)
    for (const { index, reason } of refused) {
      const { seq, id } = records[index] as LoggedRecord
      await this.#drop('refused', { from: seq, to: seq, records: 1, id, reason })
    }
    const sent = records.length - refused.length - lost
    if (sent > 0) telemetry.count('sallyport_audit_forwarded_total', { destination: name }, sent)
    this.#position = positionOf(records.at(-1) as LoggedRecord)
    this.#backoff.reset()
    if (clock.monotonic() - this.#savedAt >= SAVE_EVERY_MS) await this.#save()
  }

  async #dropMissing({ seq, missing }: LoggedRecord): Promise<void> {
    const reason = 'not in the log any more: deleted before they were sent'
    await this.#drop('missing', { from: seq - missing, to: seq - 1, records: missing, reason })
  }

  async #dropUnknown(records: readonly LoggedRecord[], count: number, reason: string): Promise<void> {
    const [from, to] = [records[0]?.seq ?? 0, records.at(-1)?.seq ?? 0]
    await this.#drop('refused', { from, to, records: count, reason })
  }

  /** Noted before the position moves over it: after a crash it is noted twice rather than not. */
  async #drop(why: 'refused' | 'missing', refusal: Parameters<PositionPlace['note']>[0]): Promise<void> {
    const { name, place, telemetry } = this.#options
    await place.note(refusal)
    telemetry.count('sallyport_audit_forward_dropped_total', { destination: name, why }, refusal.records)
    telemetry.log('error', 'audit_forward_dropped', { destination: name, why, ...refusal })
  }

  /** The log is not the one that was sent from: an older copy, or a new one. Nothing of it may be left out. */
  #startOver(): void {
    const { name, telemetry } = this.#options
    telemetry.log('error', 'audit_forward_position_unknown', { destination: name, seq: this.#position?.seq })
    this.#suspects = []
    this.#position = undefined
    this.#savedSeq = 0
  }

  async #save(): Promise<void> {
    const { clock, place } = this.#options
    const position = this.#position
    if (position === undefined || position.seq === this.#savedSeq) return
    await place.save(position)
    this.#savedSeq = position.seq
    this.#savedAt = clock.monotonic()
  }

  /** Tells of a failure and waits. What comes next begins behind the position. */
  async #fail(reason: string, retryAfterMs?: number): Promise<void> {
    const { name, clock, telemetry, sleep } = this.#options
    this.#suspects = []
    const pause = this.#backoff.next(retryAfterMs)
    const now = clock.monotonic()
    this.#failingSince ??= now
    telemetry.count('sallyport_audit_forward_failures_total', { destination: name })
    if (now - this.#toldAt >= TELL_EVERY_MS) {
      this.#toldAt = now
      const fields = { destination: name, reason, attempts: this.#backoff.failures, nextMs: Math.round(pause) }
      telemetry.log('warn', 'audit_forward_failed', fields)
    }
    await sleep(pause, this.#closing.signal)
  }

  #recovered(): void {
    if (this.#failingSince === undefined) return
    const { name, clock, telemetry } = this.#options
    const ms = Math.round(clock.monotonic() - this.#failingSince)
    telemetry.log('info', 'audit_forward_recovered', { destination: name, ms })
    this.#failingSince = undefined
    this.#toldAt = Number.NEGATIVE_INFINITY
  }
}

function positionOf({ seq, id, end }: LoggedRecord): Position {
  return { seq, id, end }
}
