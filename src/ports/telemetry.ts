import type { CounterName, GaugeName, HistogramName, LabelsOf } from '../metrics/table.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'
/** Flat, already safe to print: never a credential, a prompt or a completion. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * Logs and counters. Must never throw and never block: losing a line is better than losing a request. Metrics are those of
 * `src/metrics/table.ts`. Frozen labels are the cheap ones: their series is remembered.
 */
export interface Telemetry {
  log(level: Level, event: string, fields?: Fields): void
  /** Adds `by` (default 1) to a counter, or to a gauge, where it may be negative. */
  count<M extends CounterName | GaugeName>(metric: M, labels?: LabelsOf<M>, by?: number): void
}

/** Durations in seconds, and sizes, for histograms. Must never throw and never block. */
export interface Measurements {
  observe<M extends HistogramName>(metric: M, labels: LabelsOf<M>, value: number): void
}
