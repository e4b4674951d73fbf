/** Time as the gateway sees it. Injected, so that pure code never reads a clock and tests can own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when the machine's clock is set. */
  now(): number
  /** Milliseconds from an arbitrary start, never going back: for latencies and deadlines. */
  monotonic(): number
}
