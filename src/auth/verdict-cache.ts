interface Entry<T> {
  readonly value: T
  readonly untilMs: number
}

/**
 * A bounded memory of values until a moment each. When full, what was used longest ago goes. Every operation is O(1).
 */
export class VerdictCache<T> {
  readonly #entries = new Map<string, Entry<T>>()
  /** The last of them: it stays where it is when it is used again. */
  #latest: Entry<T> | undefined
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The value, if it is remembered and `nowMs` is before its end. */
  get(key: string, nowMs: number): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (nowMs < entry.untilMs && entry === this.#latest) return entry.value
    // Taken out and put back: a Map keeps the order of insertion, so the first entry is the one unused longest.
    this.#entries.delete(key)
    if (nowMs >= entry.untilMs) return undefined
    this.#entries.set(key, entry)
    this.#latest = entry
    return entry.value
  }

  set(key: string, value: T, untilMs: number): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#capacity) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#latest = { value, untilMs }
    this.#entries.set(key, this.#latest)
  }

  /** Remembers what another one does, as far as `keeps` says so. */
  adopt(other: VerdictCache<T>, keeps: (value: T) => boolean): void {
    for (const [key, { value, untilMs }] of other.#entries) if (keeps(value)) this.set(key, value, untilMs)
  }

  get size(): number {
    return this.#entries.size
  }
}
