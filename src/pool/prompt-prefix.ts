/** The beginnings of a prompt, as those caches see them that keep what a model has read. */
export interface PromptPrefix {
  /** Hashes of the beginnings, the shortest first; the last is that of the whole prompt. */
  readonly hashes: readonly number[]
  /** Their lengths, in UTF-16 units of all texts. */
  readonly lengths: readonly number[]
}

/** Beginnings that are kept: the first ones are shared by many prompts, the last ones by the turns of one conversation. */
const FIRST = 4
const LAST = 12
/** Within a text a beginning ends every so many units, and further on every eighth of the length so far. */
const BLOCK = 512
const GROWTH = 8
/** Units that are read of a block, at equal distances: what a prompt costs grows with its blocks, not with its length. */
const SAMPLES = 64

/**
 * Hashes a prompt the way vLLM names its cached blocks: each by its content and by all that is in front of it. A block
 * ends with each message, so that the turns of one conversation have their beginnings in common, and at fixed lengths
 * within a long text. Blocks longer than `SAMPLES` are told apart by samples: two that are taken for one cost a miss in a
 * cache, and nothing else.
 *
 * Some 0.1 µs a message, 5 µs for 100 KB in one text.
 * @param names the fields of the prompt, in the order in which a model reads them
 * @param scope what keeps prompts apart that have no cache in common
 */
export function promptPrefix(
  fields: Readonly<Record<string, unknown>>,
  names: readonly string[],
  scope: readonly string[],
): PromptPrefix {
  const reader = new PrefixReader()
  for (const text of scope) reader.seed(text)
  for (const name of names) {
    const value = fields[name]
    if (Array.isArray(value)) for (const item of value) reader.message(item)
    else if (value !== undefined) reader.message(value)
  }
  return reader.prefix()
}

class PrefixReader {
  private hash = 0x811c9dc5 | 0
  private length = 0
  private boundary = BLOCK
  private readonly hashes: number[] = []
  private readonly lengths: number[] = []

  seed(text: string): void {
    this.mix(text, 0, text.length)
  }

  message(value: unknown): void {
    this.read(value)
    if (this.length > (this.lengths.at(-1) ?? 0)) this.end()
  }

  prefix(): PromptPrefix {
    const { hashes, lengths } = this
    const excess = hashes.length - FIRST - LAST
    if (excess > 0) {
      hashes.splice(FIRST, excess)
      lengths.splice(FIRST, excess)
    }
    return { hashes, lengths }
  }

  private read(value: unknown): void {
    if (typeof value === 'string') this.text(value)
    else if (Array.isArray(value)) for (const item of value) this.read(item)
    else if (typeof value === 'object' && value !== null) {
      for (const key in value) this.read((value as Record<string, unknown>)[key])
    }
  }

  private text(text: string): void {
    let from = 0
    while (this.length + text.length - from >= this.boundary) {
      const to = from + this.boundary - this.length
      this.mix(text, from, to)
      this.length = this.boundary
      this.boundary += Math.max(BLOCK, Math.floor(this.length / GROWTH))
      this.end()
      from = to
    }
    this.mix(text, from, text.length)
    this.length += text.length - from
  }

  /** FNV-1a over the samples and the length. */
  private mix(text: string, from: number, to: number): void {
    let { hash } = this
    const step = Math.max(1, (to - from) / SAMPLES)
    for (let at = from; at < to; at += step) hash = Math.imul(hash ^ text.charCodeAt(Math.floor(at)), 0x01000193)
    this.hash = Math.imul(hash ^ (to - from), 0x01000193)
  }

  private end(): void {
    this.hashes.push(this.hash)
    this.lengths.push(this.length)
  }
}
