/** Each request counts for a sixteenth of the mean: it follows a model server within a few dozen requests. */
const LEARNING = 1 / 16

/**
 * How fast a model's servers get through requests: the mean time that one holds its place. With as many places as are
 * taken, that gives the time in which those who wait have had their turn (Little's law). It knows nothing of what is to
 * come: of who leaves, who comes with priority, and how long the next answers are.
 */
export class Pace {
  private meanMs: number | undefined

  /** A request held its place for this long. */
  add(ms: number): void {
    this.meanMs = this.meanMs === undefined ? ms : this.meanMs + (ms - this.meanMs) * LEARNING
  }

  /** Milliseconds until `ahead` requests have begun, with `running` at the same time; undefined: nothing was measured yet. */
  timeFor(ahead: number, running: number): number | undefined {
    return this.meanMs === undefined ? undefined : (this.meanMs * ahead) / Math.max(1, running)
  }
}
