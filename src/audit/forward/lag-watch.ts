import type { ForwardLog, Lag, Position } from '../../ports/forward-log.ts'
import type { Telemetry } from '../../ports/telemetry.ts'

export interface LagWatchOptions {
  readonly name: string
  /** A reader of the watch's own. */
  readonly log: ForwardLog
  readonly position: () => Position | undefined
  readonly warnAfterMs: number
  readonly telemetry: Telemetry
}

const EVERY_MS = 5000

const GAUGES = {
  records: 'sallyport_audit_forward_lag_records',
  bytes: 'sallyport_audit_forward_lag_bytes',
  seconds: 'sallyport_audit_forward_lag_seconds',
} as const

/** Measures how far a destination is behind, shows it, and warns as it grows: at the bound, and each time that it has doubled. */
export class LagWatch {
  readonly #options: LagWatchOptions
  #timer: ReturnType<typeof setInterval> | undefined
  #measuring: Promise<void> | undefined
  #last: Lag = { records: 0, bytes: 0, seconds: 0 }
  /** The lag that is told of next. */
  #warnAtMs: number

  constructor(options: LagWatchOptions) {
    this.#options = options
    this.#warnAtMs = options.warnAfterMs
  }

  /** Whether the destination is up to date, as it was last measured. */
  get inTime(): boolean {
    return this.#last.seconds * 1000 < this.#options.warnAfterMs
  }

  start(): void {
    this.#timer = setInterval(() => {
      // One that is slower than the interval is not followed by more.
      this.#measuring ??= this.measure().finally(() => {
        this.#measuring = undefined
      })
    }, EVERY_MS)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#measuring
    await this.#options.log.close()
  }

  /** Never rejects: a disk that fails is told of by the forwarding itself. */
  async measure(): Promise<void> {
    const { log, position } = this.#options
    try {
      this.#show(await log.lag(position()))
    } catch {
      // The last figures stand.
    }
  }

  #show(lag: Lag): void {
    const { name, telemetry, warnAfterMs } = this.#options
    for (const unit of ['records', 'bytes', 'seconds'] as const) {
      telemetry.count(GAUGES[unit], { destination: name }, lag[unit] - this.#last[unit])
    }
    this.#last = lag
    const ms = lag.seconds * 1000
    if (ms < warnAfterMs) {
      this.#warnAtMs = warnAfterMs
    } else if (ms >= this.#warnAtMs) {
      this.#warnAtMs = 2 * ms
      const { records, bytes, seconds } = lag
      telemetry.log('warn', 'audit_forward_lag', { destination: name, records, bytes, seconds: Math.round(seconds) })
    }
  }
}
