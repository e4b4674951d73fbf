import { BREAKER_FAILURES, BREAKER_PAUSE_MS } from './config/limits.ts'

/**
 * Stops calls of a server that has failed several in a row; after a pause one call is let through to see. Only failures
 * of the server count: what a caller can bring about must not switch it off.
 */
export class Breaker {
  private readonly pauseMs: number
  private failures = 0
  private until = 0
  private probing = false

  constructor(pauseMs = BREAKER_PAUSE_MS) {
    this.pauseMs = pauseMs
  }

  /** Whether a call may be made now. Whoever is let through says how it went: one of the three below. */
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
    this.until = nowMs + this.pauseMs
  }

  /** The call was given up before the server had said or missed anything. */
  abandoned(): void {
    this.probing = false
  }

  get open(): boolean {
    return this.failures >= BREAKER_FAILURES
  }
}
