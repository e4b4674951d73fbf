import { CHECKPOINT_TIMEOUT_MS } from '../config/limits.ts'
import type { CheckpointPlace } from '../ports/checkpoint-place.ts'
import type { Clock } from '../ports/clock.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import { signCheckpoint } from './checkpoint.ts'
import type { ChainHead } from './log.ts'
import type { NoteSigner } from './signed-note.ts'

export interface CheckpointerOptions {
  /** The last durable record of the log. */
  readonly head: () => ChainHead
  readonly signer: NoteSigner
  readonly places: readonly CheckpointPlace[]
  readonly everyMs: number
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/** What a place has, as far as this process has sent it. */
export interface SentCheckpoint {
  readonly kind: CheckpointPlace['kind']
  /** Safe to print. */
  readonly place: string
  /** Undefined: nothing yet. */
  readonly last: { readonly seq: number; readonly hash: string; readonly time: string } | undefined
  /** Why the latest could not be sent. */
  readonly failure: string | undefined
}

/**
 * Signs the head of the log at start, at intervals and at the end, and sends it to places where the log is not. Requests
 * never wait for it. A place that fails gets the next one: it says all that the lost one said.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions
  #timer: ReturnType<typeof setInterval> | undefined
  #work = Promise.resolve()
  #busy = false
  readonly #sent = new Map<CheckpointPlace, Pick<SentCheckpoint, 'last' | 'failure'>>()

  constructor(options: CheckpointerOptions) {
    this.#options = options
  }

  /** By place. */
  get sent(): readonly SentCheckpoint[] {
    return this.#options.places.map(place => ({
      kind: place.kind,
      place: place.name,
      last: this.#sent.get(place)?.last,
      failure: this.#sent.get(place)?.failure,
    }))
  }

  start(): void {
    this.#timer = setInterval(() => this.#begin(), this.#options.everyMs)
    this.#begin()
  }

  /** Sends a last one, of the log as it was closed, within the deadline of its places. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#work
    await this.#emit()
    await Promise.all(this.#options.places.map(place => place.close()))
  }

  #begin(): void {
    // One that is slower than the interval is not followed by more.
    if (this.#busy) return
    this.#busy = true
    this.#work = this.#emit().finally(() => {
      this.#busy = false
    })
  }

  /** Never rejects. A head that a place has already is not sent again. */
  async #emit(): Promise<void> {
    const { head, signer, places, clock } = this.#options
    const { seq, hash } = head()
    const due = places.filter(place => (this.#sent.get(place)?.last?.seq ?? 0) < seq)
    if (due.length === 0) return
    const time = new Date(clock.now()).toISOString()
    const note = await signCheckpoint(signer, { origin: signer.name, seq, hash, time })
    await Promise.all(due.map(place => this.#send(place, note, { seq, hash, time })))
  }

  async #send(place: CheckpointPlace, note: string, last: NonNullable<SentCheckpoint['last']>): Promise<void> {
    const { telemetry } = this.#options
    try {
      await place.append(note, AbortSignal.timeout(CHECKPOINT_TIMEOUT_MS))
      this.#sent.set(place, { last, failure: undefined })
      telemetry.count('sallyport_audit_checkpoints_total', { place: place.kind, result: 'written' })
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown'
      this.#sent.set(place, { last: this.#sent.get(place)?.last, failure: reason })
      telemetry.count('sallyport_audit_checkpoints_total', { place: place.kind, result: 'failed' })
      telemetry.log('error', 'audit_checkpoint_failed', { place: place.name, seq: last.seq, reason })
    }
  }
}
