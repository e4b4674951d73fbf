// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/** Some words with a number each, from 1, found by their units: no string is made of a word that is not among them. */
export class Vocabulary {
  private readonly ids: ReadonlyMap<string, number>
  /** The units of all words, one word behind the other, and by number where each ends. */
  private readonly letters: Uint16Array
  private readonly ends: Int32Array
  /** Open addressing by hash; 0 where nothing stands. */
  private readonly slots: Uint16Array

  constructor(words: Iterable<string>) {
    this.ids = new Map([...new Set(words)].map((word, index) => [word, index + 1]))
    this.slots = new Uint16Array(2 ** Math.ceil(Math.log2(4 * this.ids.size + 1)))
    this.ends = new Int32Array(this.ids.size + 1)
    const letters: number[] = []
    for (const [word, id] of this.ids) {
      let hash = EMPTY_HASH
      for (let at = 0; at < word.length; at++) {
        const unit = charCodeAt.call(word, at)
        letters.push(unit)
        hash = hashOn(hash, unit)
      }
      this.ends[id] = letters.length
      let slot = this.slotOf(hash)
      while (this.slots[slot] !== 0) slot = (slot + 1) & (this.slots.length - 1)
      this.slots[slot] = id
    }
    this.letters = Uint16Array.from(letters)
  }

  /** Numbers are smaller than this. */
  get size(): number {
    return this.ids.size + 1
  }

  /** The number of a word, or 0. */
  find(word: string): number {
    return this.ids.get(word) ?? 0
  }

  /**
   * The number of the word in `units[start, end)`, or 0.
   * @param skipped index of a unit that is left out; -1 for none
   * @param hash of the units, by `hashOn`
   */
  findIn(units: Uint16Array, start: number, end: number, skipped: number, hash: number): number {
    let slot = this.slotOf(hash)
    for (;;) {
      const id = this.slots[slot] as number
      if (id === 0 || this.isWord(id, units, start, end, skipped)) return id
      slot = (slot + 1) & (this.slots.length - 1)
    }
  }

  private isWord(id: number, units: Uint16Array, start: number, end: number, skipped: number): boolean {
    const { letters } = this
    let letter = this.ends[id - 1] as number
    const last = this.ends[id] as number
    if (last - letter !== end - start - (skipped < 0 ? 0 : 1)) return false
    for (let at = start; letter < last; at++, letter++) {
      if (at === skipped) at++
      if (letters[letter] !== units[at]) return false
    }
    return true
  }

  private slotOf(hash: number): number {
    return (hash ^ (hash >>> 15)) & (this.slots.length - 1)
  }
}

export const EMPTY_HASH = 0x811c9dc5 | 0

/** The hash of some units and one more (FNV-1a, by units). */
export function hashOn(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193)
}
