import type { Telemetry } from '../ports/telemetry.ts'

/** How the number of tokens that were reserved came about. */
export type InputSource = 'exact' | 'learned' | 'default'

const METRIC = 'sallyport_reservation_error_tokens'
/** Below 0: less was reserved than the prompt had. */
export const ERROR_BUCKETS = [-10_000, -1000, -100, -10, -1, 0, 10, 100, 1000, 10_000, 100_000]
const BUCKETS = `${METRIC}_bucket`
const SUM = `${METRIC}_sum`
const COUNT = `${METRIC}_count`

type Labels = Readonly<Record<string, string>>

interface Series {
  readonly sum: Labels
  readonly count: Labels
  /** One for each bound, and one for all that is. */
  readonly buckets: readonly Labels[]
}

/** The histogram of tokens of input that were reserved and not used (or, below 0, used and not reserved). */
export class ReservationError {
  private readonly telemetry: Telemetry
  private readonly series = new Map<string, Record<InputSource, Series | undefined>>()

  constructor(telemetry: Telemetry) {
    this.telemetry = telemetry
  }

  /** `model` is one of the configuration. */
  observe(model: string, source: InputSource, reserved: number, actual: number): void {
    const { sum, count, buckets } = this.of(model, source)
    const error = reserved - actual
    let first = ERROR_BUCKETS.findIndex(bound => error <= bound)
    if (first < 0) first = ERROR_BUCKETS.length
    for (let at = first; at < buckets.length; at++) this.telemetry.count(BUCKETS, buckets[at])
    this.telemetry.count(SUM, sum, error)
    this.telemetry.count(COUNT, count)
  }

  private of(model: string, source: InputSource): Series {
    let sources = this.series.get(model)
    if (!sources) this.series.set(model, (sources = { exact: undefined, learned: undefined, default: undefined }))
    const known = sources[source]
    if (known) return known
    const labels = { model, source }
    const buckets = [...ERROR_BUCKETS.map(String), '+Inf'].map(le => Object.freeze({ ...labels, le }))
    // All of them at once, and in order: Prometheus wants them so.
    for (const bucket of buckets) this.telemetry.count(BUCKETS, bucket, 0)
    return (sources[source] = { sum: Object.freeze({ ...labels }), count: Object.freeze({ ...labels }), buckets })
  }
}
