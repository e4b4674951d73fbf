/** A destination that asks for more than this is asked again all the same. */
const MAX_RETRY_AFTER_MS = 15 * 60_000

/** Pauses between attempts: twice as long each time, half of it by chance, so that many gateways do not come back at once. */
export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #failures = 0

  constructor(firstMs: number, maxMs: number, random: () => number) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
    this.#random = random
  }

  /** Attempts that failed since the last one that did not. */
  get failures(): number {
    return this.#failures
  }

  /** How long to wait after a failure, in ms. @param retryAfterMs what the destination asked for, at the least */
  next(retryAfterMs = 0): number {
    const ceiling = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#failures, 30))
    this.#failures += 1
    const pause = ceiling * (0.5 + 0.5 * this.#random())
    const asked = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)
    // Whoever is told to come back at the same moment should not.
    return asked > pause ? asked + this.#firstMs * this.#random() : pause
  }

  reset(): void {
    this.#failures = 0
  }
}
