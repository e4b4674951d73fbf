/** How long a lease is held without renewal: what a killed gateway held is free again after this. */
export const LEASE_MS = 15_000
/** How often a gateway renews what it holds: two renewals may get lost. */
export const LEASE_RENEWAL_MS = 5_000
/** When it is worth asking again for a lease that was lacking: any of them may end at any time. */
export const LEASE_RETRY_MS = 1_000

/**
 * Who holds a unit of one limit, at most one each, all for the same time. Every operation is O(1) amortised: a Map keeps
 * the order of insertion, so whoever renewed longest ago stands in front. Times are whole milliseconds.
 */
export class Leases {
  readonly #leaseMs: number
  /** Holder to the end of its lease. */
  readonly #held = new Map<string, number>()

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  /** How many are held at `nowMs`. */
  count(nowMs: number): number {
    for (const [holder, until] of this.#held) {
      if (until > nowMs) break
      this.#held.delete(holder)
    }
    return this.#held.size
  }

  /** Holds one from now on; a holder's earlier lease is replaced. */
  take(holder: string, nowMs: number): void {
    this.#held.delete(holder)
    this.#held.set(holder, nowMs + this.#leaseMs)
  }

  free(holder: string): void {
    this.#held.delete(holder)
  }
}
