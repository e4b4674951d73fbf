/** A number of places; who finds none waits in line. */
export class Slots {
  private free: number
  private readonly maxWaiting: number
  private readonly line = new Set<() => void>()

  constructor(places: number, maxWaiting: number) {
    this.free = places
    this.maxWaiting = maxWaiting
  }

  /** Resolves to whether a place was taken: not when the line is too long, or the signal comes first. */
  take(signal: AbortSignal): Promise<boolean> | boolean {
    if (this.free > 0) {
      this.free--
      return true
    }
    if (this.line.size >= this.maxWaiting || signal.aborted) return false
    return new Promise(resolve => {
      const leave = () => {
        this.line.delete(enter)
        resolve(false)
      }
      const enter = () => {
        signal.removeEventListener('abort', leave)
        resolve(true)
      }
      this.line.add(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** Gives a place back: to the first in line. */
  release(): void {
    const [first] = this.line
    if (!first) {
      this.free++
      return
    }
    this.line.delete(first)
    first()
  }
}
