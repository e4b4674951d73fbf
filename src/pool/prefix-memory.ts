import type { PromptPrefix } from './prompt-prefix.ts'

/**
 * Which server read which beginning of a prompt last, by hash. The least recently used are forgotten: there are two
 * generations, and when the young one is half of what may be kept, it takes the place of the old one. An entry is two
 * small numbers, some 30 bytes in the map.
 */
export class PrefixMemory {
  private readonly half: number
  private young = new Map<number, number>()
  private old = new Map<number, number>()

  constructor(maxEntries: number) {
    this.half = Math.max(1, Math.floor(maxEntries / 2))
  }

  get size(): number {
    return this.young.size + this.old.size
  }

  /** The server of the conversation that the prompt goes on with: of the longest beginning that was a prompt itself. */
  conversation({ hashes }: PromptPrefix): number | undefined {
    for (let at = hashes.length - 2; at >= 0; at--) {
      const entry = this.get(hashes[at] as number)
      if (entry !== undefined && isWhole(entry)) return serverOf(entry)
    }
    return undefined
  }

  /** The server that read most of the prompt; none where no server is known to have read half of it. */
  prefix({ hashes, lengths }: PromptPrefix): number | undefined {
    const half = (lengths.at(-1) ?? 0) / 2
    for (let at = hashes.length - 1; at >= 0 && (lengths[at] as number) >= half; at--) {
      const entry = this.get(hashes[at] as number)
      if (entry !== undefined) return serverOf(entry)
    }
    return undefined
  }

  /** @param server its number among the servers of the model */
  remember({ hashes }: PromptPrefix, server: number): void {
    const last = hashes.length - 1
    for (let at = 0; at <= last; at++) {
      const hash = hashes[at] as number
      const wasWhole = at < last && isWhole(this.get(hash) ?? 0)
      this.young.set(hash, server * 2 + (at === last || wasWhole ? 1 : 0))
    }
    if (this.young.size < this.half) return
    this.old = this.young
    this.young = new Map()
  }

  private get(hash: number): number | undefined {
    return this.young.get(hash) ?? this.old.get(hash)
  }
}

// An entry is the server's number and, in the last bit, whether the beginning was a whole prompt.

function isWhole(entry: number): boolean {
  return (entry & 1) === 1
}

function serverOf(entry: number): number {
  return entry >> 1
}
