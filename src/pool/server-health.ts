/** How far a server is to be trusted with a request, the best first. */
export const USABLE = 0
/** It answers, and has asked to be left alone for a moment. */
export const BUSY = 1
/** It has failed, or does not answer. */
export const BROKEN = 2
export type Trust = typeof USABLE | typeof BUSY | typeof BROKEN

/** What has changed about a server, once for each change. */
export type HealthChange = 'down' | 'up' | 'ejected' | 'restored'

/** Failed requests in a row after which a server is left alone. */
export const EJECT_AFTER = 3
/** For how long, the first time; each time in a row twice as long, up to the ceiling. */
export const EJECT_MS = 1000
export const MAX_EJECT_MS = 60_000
/** Failed health checks in a row after which a server is down, and good ones after which it is up. */
export const DOWN_AFTER = 3
export const UP_AFTER = 2
/** A server that asks to be left alone without saying for how long; and the longest that it is left alone. */
export const DEFAULT_BUSY_MS = 1000
export const MAX_BUSY_MS = 10_000

/**
 * What is known of one server. Passive: requests that failed eject it for a while that grows, after which a single request
 * is let through to see. Active: health checks take it down and up. Where they disagree, the worse counts; a request
 * that is answered shows that the server lives, and so forgives failed checks.
 *
 * Pure: times are milliseconds of one monotonic clock.
 */
export class ServerHealth {
  private failures = 0
  private ejections = 0
  private ejectedUntil = 0
  private onTrial = false
  private busyUntil = 0
  private isDown = false
  private checks = 0
  private readonly random: () => number

  /** @param random from 0 up to 1: spreads the ends of ejections, so that servers that failed together are not tried together */
  constructor(random: () => number) {
    this.random = random
  }

  trust(now: number): Trust {
    if (this.isDown || this.onTrial || now < this.ejectedUntil) return BROKEN
    return now < this.busyUntil ? BUSY : USABLE
  }

  /** A request is sent to it: behind an ejection, no other one is until it is known how this one went. */
  taken(): void {
    if (this.ejections > 0) this.onTrial = true
  }

  /** It began to answer. */
  answered(): HealthChange | undefined {
    this.failures = 0
    if (!this.isDown) this.checks = 0
    return this.restore()
  }

  /** It could not be connected to (`unreachable`), or a request to it failed or timed out before it was answered. */
  failed(kind: 'unreachable' | 'failed', now: number): HealthChange | undefined {
    this.failures += kind === 'unreachable' ? EJECT_AFTER : 1
    // Requests that were under way when it was ejected say nothing new.
    if (this.failures < EJECT_AFTER || (this.ejections > 0 && !this.onTrial)) return undefined
    const pause = Math.min(MAX_EJECT_MS, EJECT_MS * 2 ** this.ejections)
    this.ejectedUntil = now + pause * (1 + this.random() / 4)
    this.onTrial = false
    return this.ejections++ === 0 ? 'ejected' : undefined
  }

  /** It refused a request because it has too much to do. */
  busy(ms: number | undefined, now: number): void {
    this.busyUntil = now + Math.min(MAX_BUSY_MS, ms ?? DEFAULT_BUSY_MS)
    this.onTrial = false
  }

  /** A request ended before anything could be told of the server. */
  abandoned(): void {
    this.onTrial = false
  }

  /** A health check went well or not. */
  checked(isGood: boolean): HealthChange | undefined {
    // `checks` counts those in a row that speak against what is believed now.
    this.checks = isGood === this.isDown ? this.checks + 1 : 0
    if (this.checks < (this.isDown ? UP_AFTER : DOWN_AFTER)) return undefined
    this.checks = 0
    this.isDown = !this.isDown
    if (this.isDown) return 'down'
    this.failures = 0
    this.restore()
    return 'up'
  }

  private restore(): HealthChange | undefined {
    this.onTrial = false
    this.ejectedUntil = 0
    if (this.ejections === 0) return undefined
    this.ejections = 0
    return 'restored'
  }
}
