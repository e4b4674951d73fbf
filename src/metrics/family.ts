import type { MetricDefinition } from './definition.ts'
import type { MetricName } from './table.ts'

export type Labels = Readonly<Record<string, string>>

/** A counter or a gauge with its labels. */
export interface ValueSeries {
  readonly labels: Labels
  value: number
}

/** A histogram with its labels. */
export interface HistogramSeries {
  readonly labels: Labels
  /** Observations up to each bound and above the one before; the last: above all of them. */
  readonly counts: number[]
  sum: number
}

/** One metric, as it stands. */
export interface MetricFamily {
  readonly name: MetricName
  readonly definition: MetricDefinition
  /** Of counters and gauges. */
  readonly values: readonly ValueSeries[]
  /** Of histograms. */
  readonly histograms: readonly HistogramSeries[]
}
