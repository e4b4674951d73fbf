export type Level = 'debug' | 'info' | 'warn' | 'error'
/** Flat, already safe to print: never a credential, a prompt or a completion. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/** Logs and counters. Must never throw and never block: losing a line is better than losing a request. */
export interface Telemetry {
  log(level: Level, event: string, fields?: Fields): void
  /**
   * Adds `by` (default 1) to a counter. Label values must come from a bounded set. A metric whose name ends in `_total`
   * only grows; any other is a gauge, and `by` may be negative.
   */
  count(metric: string, labels?: Readonly<Record<string, string>>, by?: number): void
}
