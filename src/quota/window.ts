/**
 * A sliding window counts in this many sub-windows, aligned to the epoch. More would be more exact and cost more; 60
 * makes the error one second of a minute.
 */
export const SUB_WINDOWS = 60

/** The sub-window that `nowMs` falls into. Exact for whole numbers: `nowMs * 60` stays below 2^53 for a million years. */
export function subWindowAt(nowMs: number, windowMs: number): number {
  return Math.floor((nowMs * SUB_WINDOWS) / windowMs)
}

/** The first whole millisecond at which charges of this sub-window no longer count. */
export function expiryOf(subWindow: number, windowMs: number): number {
  return Math.ceil(((subWindow + SUB_WINDOWS + 1) * windowMs) / SUB_WINDOWS)
}

/** Sub-windows that were charged, oldest first, and the units of each. */
export type WindowSnapshot = readonly (readonly [subWindow: number, units: number])[]

/**
 * What one principal used of one limit. The sum runs over the current sub-window and the 60 before it: that covers
 * every interval of `windowMs` that ends now, and at most one sub-window more.
 *
 * Holds at most 61 numbers; every operation is O(1) amortised, except `waitFor`, which may look at all of them.
 * Times are whole milliseconds. A clock that steps back by less than a window is taken to stand still; one that steps
 * back further starts the window anew, or the limit would stay as it is until the clock has caught up.
 */
export class SlidingWindow {
  readonly windowMs: number
  /** Sub-window to units, oldest first: new ones are only ever added for the newest sub-window. */
  readonly #used = new Map<number, number>()
  #newest = Number.NEGATIVE_INFINITY
  #total = 0

  /** @param used what a `snapshot` has told, by a clock that counts from the epoch too */
  constructor(windowMs: number, used: WindowSnapshot = []) {
    this.windowMs = windowMs
    for (const [subWindow, units] of used) {
      this.#used.set(subWindow, units)
      this.#newest = subWindow
      this.#total += units
    }
  }

  /** What counts at `nowMs`: a window made of it goes on where this one is. */
  snapshot(nowMs: number): WindowSnapshot {
    this.#advance(nowMs)
    return [...this.#used]
  }

  /** Units that count at `nowMs`. */
  total(nowMs: number): number {
    this.#advance(nowMs)
    return this.#total
  }

  /** Charges `amount` now and returns the sub-window that it counts in, for a later `adjust`. */
  add(nowMs: number, amount: number): number {
    this.#newest = this.#advance(nowMs)
    this.#used.set(this.#newest, (this.#used.get(this.#newest) ?? 0) + amount)
    this.#total += amount
    return this.#newest
  }

  /** Corrects a charge of an earlier `add`. Returns false where that sub-window no longer counts: nothing is changed. */
  adjust(subWindow: number, delta: number): boolean {
    const used = this.#used.get(subWindow)
    if (used === undefined) return false
    const change = Math.max(delta, -used)
    this.#used.set(subWindow, used + change)
    this.#total += change
    return true
  }

  /**
   * Milliseconds until the total is at most `room`, if nothing more is charged; 0 when it is already. Exact: one
   * millisecond earlier the total is still larger. `room` is at least 0.
   */
  waitFor(nowMs: number, room: number): number {
    this.#advance(nowMs)
    let excess = this.#total - room
    if (excess <= 0) return 0
    for (const [subWindow, used] of this.#used) {
      excess -= used
      if (excess <= 0) return expiryOf(subWindow, this.windowMs) - nowMs
    }
    throw new RangeError('no window ever has less than no room')
  }

  /** Milliseconds until nothing counts any more, if nothing more is charged. */
  resetMs(nowMs: number): number {
    this.#advance(nowMs)
    return this.#total === 0 ? 0 : expiryOf(this.#newest, this.windowMs) - nowMs
  }

  /** Whether nothing of this window can count again, so that it may be forgotten. */
  isOver(nowMs: number): boolean {
    this.#advance(nowMs)
    return this.#used.size === 0
  }

  #advance(nowMs: number): number {
    const now = subWindowAt(nowMs, this.windowMs)
    const steppedBack = now < this.#newest - SUB_WINDOWS
    if (steppedBack) this.#newest = now
    const current = Math.max(now, this.#newest)
    for (const [subWindow, used] of this.#used) {
      if (!steppedBack && subWindow >= current - SUB_WINDOWS) break
      this.#total -= used
      this.#used.delete(subWindow)
    }
    return current
  }
}
