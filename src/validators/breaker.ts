import { BREAKER_FAILURES, BREAKER_PAUSE_MS } from '../config/limits.ts'

/**
 * Stops checks by a server that has failed several in a row; after a pause one check is let through to see. Only failures
 * of the server count: what a caller can bring about with a text must not switch a validator off.
 */
export class Breaker {
  private failures = 0
  private until = 0
  private probing = false

  /** Whether a check may be made now. Whoever is let through says how it went: one of the three below. */
  admits(nowMs: number): boolean {
    if (!this.open) return true
    if (this.probing || nowMs < this.until) return false
    this.probing = true
    return true
  }

  answered(): void {
    this.failures = 0
    this.probing = false
  }

  failed(nowMs: number): void {
    this.failures++
    this.probing = false
    this.until = nowMs + BREAKER_PAUSE_MS
  }

  /** The check was given up before the server had said or missed anything. */
  abandoned(): void {
    this.probing = false
  }

  get open(): boolean {
    return this.failures >= BREAKER_FAILURES
  }
}
