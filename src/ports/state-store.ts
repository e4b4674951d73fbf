/** One limit as one principal meets it. */
export interface Meter {
  /** Names the limit and the principal, e.g. `team-minute:tokens:search`; at most 256 characters of `[\w.:%-]`. */
  readonly key: string
  /** At most this many units in every interval of `windowMs`; of a lease, at most this many at the same time. */
  readonly limit: number
  readonly windowMs: number
  /**
   * Present: what is taken is held, and not counted over time. A reservation holds one unit, or none, until it is
   * settled, or until it has not been renewed for `windowMs`: whoever dies lets go by himself.
   */
  readonly lease?: true
  /** What the limit means while the store is away; absent: nothing is admitted. Stores themselves do not look at it. */
  readonly onOutage?: 'local' | 'allow'
}

/** How a limit stands just after a decision. */
export interface LimitLevel {
  /** Units left, never negative. */
  readonly remaining: number
  /** Milliseconds until the window is empty again, if nothing more is charged; 0 for a lease, whose end nobody knows. */
  readonly resetMs: number
}

/** How a meter stands, for those who only look. */
export interface MeterUsage {
  /** Units that count now; more than the limit where a true amount exceeded what was reserved. */
  readonly used: number
  /** As in `LimitLevel`. */
  readonly resetMs: number
}

export type ReserveResult =
  | { readonly outcome: 'granted'; readonly levels: readonly LimitLevel[] }
  | {
      readonly outcome: 'refused'
      /** Index of the meter that has to wait longest. */
      readonly limitedBy: number
      /**
       * The earliest moment at which this same request would be admitted, if nothing else is charged until then. A lease
       * may end at any time: where one is lacking, it is worth asking again after `LEASE_RETRY_MS`.
       */
      readonly retryAfterMs: number
      readonly levels: readonly LimitLevel[]
    }

/** The store did not answer in time, or not at all. The only error a store may reject with. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/**
 * Sliding-window counters shared by all instances of the gateway.
 *
 * A window of length W counts in sub-windows of W/60, aligned to the epoch, in the store's own time. The sum runs over
 * the current sub-window and the 60 before it, so at most one sub-window too much is counted: the error is always on the
 * strict side.
 *
 * Every method decides within the store's time-out or rejects with `StoreUnavailableError`.
 */
export interface StateStore {
  /**
   * Takes an amount from each meter (whole, at least 0, at most its limit), or none at all, in one atomic step. A list of
   * meters does not change once it has been given here: a store may remember what it makes of it. Repeating a granted call with the same `id` returns the first
   * outcome again without charging twice; a refusal leaves no trace, so that repeating it asks anew. `tenant` groups
   * keys that must be changed together (a Redis Cluster hash tag).
   */
  reserve(id: string, tenant: string, meters: readonly Meter[], amounts: readonly number[]): Promise<ReserveResult>
  /**
   * Replaces the reserved amounts by the true ones, in the order of the meters and in the sub-window of the
   * reservation. The true amount may be larger (debt counts). Idempotent: a second settle of an `id` does nothing,
   * nor does settling an unknown or long expired one.
   */
  settle(id: string, tenant: string, amounts: readonly number[]): Promise<void>
  /** What is used of each meter now. Charges nothing, and changes nothing. */
  usage(tenant: string, meters: readonly Meter[]): Promise<readonly MeterUsage[]>
  /**
   * Goes on holding the leases among the meters that `id` was granted, for another `windowMs` each from now. A store that
   * has lost them meanwhile holds them again, whether or not there is room: they are in use.
   */
  renew(id: string, tenant: string, meters: readonly Meter[]): Promise<void>
  /** Resolves to whether the store answers right now, within its time-out. Never rejects. */
  ready(): Promise<boolean>
  close(): Promise<void>
}
