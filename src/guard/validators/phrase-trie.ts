/** Codes of the trie: a space, the letters, the digits, and what no phrase in it has. */
export const SPACE = 0
export const OTHER = 37
const WIDTH = 37

/** The code of a lower-case unit. */
export function codeOf(unit: number): number {
  if (unit >= 97 && unit <= 122) return unit - 96
  if (unit >= 48 && unit <= 57) return unit - 21
  return unit === 32 ? SPACE : OTHER
}

/**
 * Phrases of many groups in one trie, so that one walk over a text tells which groups it mentions: cheaper than to look for
 * each, and the same for every text.
 */
export class PhraseTrie {
  /** By node and code, the node behind; 0 for none. The root is 1. */
  private next = new Uint16Array(64 * WIDTH)
  private nodes = 2
  /** By node: the groups of which a phrase ends there; and those of which one does whatever follows. */
  private readonly whole: (number[] | undefined)[] = []
  private readonly prefix: (number[] | undefined)[] = []
  /** By group: the last text that it was found in, and where in it the last of its phrases begins. */
  private readonly found: number[] = []
  private readonly starts: number[] = []
  private text = 0

  /** A new group; its number. */
  group(): number {
    this.starts.push(-1)
    return this.found.push(-1) - 1
  }

  /** Adds a phrase of letters, digits and spaces; false if it has anything else. */
  add(group: number, phrase: string, prefix: boolean): boolean {
    const codes = Array.from({ length: phrase.length }, (_, at) => codeOf(phrase.charCodeAt(at)))
    if (codes.includes(OTHER)) return false
    let node = 1
    for (const code of codes) {
      const at = node * WIDTH + code
      node = this.next[at] || this.grow(at)
    }
    const ends = prefix ? this.prefix : this.whole
    const groups = (ends[node] ??= [])
    groups.push(group)
    return true
  }

  /** Looks for all phrases in the words of a text: codes with a space in front and behind each word. */
  read(codes: Uint8Array, size: number): void {
    this.text++
    const { next } = this
    for (let start = 0; start < size; start++) {
      if (codes[start] !== SPACE) continue
      let node = 1
      for (let at = start + 1; at < size; at++) {
        const code = codes[at] as number
        if (code === SPACE) this.mark(this.whole[node], start + 1)
        node = code === OTHER ? 0 : (next[node * WIDTH + code] as number)
        if (node === 0) break
        this.mark(this.prefix[node], start + 1)
      }
    }
  }

  /** Whether the text that was read last has a phrase of the group. */
  has(group: number): boolean {
    return this.found[group] === this.text
  }

  /** Where in it the last phrase of the group begins; -1 for none. */
  lastStart(group: number): number {
    return this.has(group) ? (this.starts[group] as number) : -1
  }

  private mark(groups: readonly number[] | undefined, start: number): void {
    if (!groups) return
    for (const group of groups) {
      this.found[group] = this.text
      this.starts[group] = start
    }
  }

  private grow(at: number): number {
    const node = this.nodes++
    if (this.nodes * WIDTH > this.next.length) {
      const next = new Uint16Array(2 * this.next.length)
      next.set(this.next)
      this.next = next
    }
    this.next[at] = node
    return node
  }
}
