// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/** Some words with a number each, from 1, found by the units of a text: no string is made of a word that is not among them. */
export class Vocabulary {
  private readonly words: readonly string[]
  private readonly ids: ReadonlyMap<string, number>
  /** Open addressing by hash; 0 where nothing stands. */
  private readonly slots: Uint16Array

  constructor(words: Iterable<string>) {
    this.words = [...new Set(words)]
    this.ids = new Map(this.words.map((word, index) => [word, index + 1]))
    this.slots = new Uint16Array(2 ** Math.ceil(Math.log2(4 * this.words.length + 1)))
    for (const [word, id] of this.ids) {
      let hash = EMPTY_HASH
      for (let at = 0; at < word.length; at++) hash = hashOn(hash, charCodeAt.call(word, at))
      let slot = this.slotOf(hash)
      while (this.slots[slot] !== 0) slot = (slot + 1) & (this.slots.length - 1)
      this.slots[slot] = id
    }
  }

  /** Numbers are smaller than this. */
  get size(): number {
    return this.words.length + 1
  }

  /** The number of a word, or 0. */
  find(word: string): number {
    return this.ids.get(word) ?? 0
  }

  /**
   * The number of the word in `text[start, end)`, or 0.
   * @param skipped index of a unit that is left out; -1 for none
   * @param hash of the units, by `hashOn`
   */
  findIn(text: string, start: number, end: number, skipped: number, hash: number): number {
    let slot = this.slotOf(hash)
    for (;;) {
      const id = this.slots[slot] as number
      if (id === 0 || isWord(this.words[id - 1] as string, text, start, end, skipped)) return id
      slot = (slot + 1) & (this.slots.length - 1)
    }
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

function isWord(word: string, text: string, start: number, end: number, skipped: number): boolean {
  if (word.length !== end - start - (skipped < 0 ? 0 : 1)) return false
  let at = start
  for (let index = 0; index < word.length; index++, at++) {
    if (at === skipped) at++
    if (charCodeAt.call(word, index) !== charCodeAt.call(text, at)) return false
  }
  return true
}
