/** Requests that are learnt from at a time. The highest of the last one to two such blocks counts: of 64 to 128 requests. */
const BLOCK = 64
/** What is added to the highest that was seen. */
const MARGIN = 1.1
/** No less than this part of the safe estimate is reserved, whatever was learnt: who trains it has won no more. */
export const LEAST_PART = 0.5
/** Nor more than this multiple: what a model server says is not believed without bound. */
export const MOST_TIMES = 8

/** What a prompt is like, as far as tokenizers and templates care. */
export interface PromptKind {
  /** The safe estimate of all its tokens. */
  readonly safe: number
  /** UTF-16 units of its texts. */
  readonly characters: number
  readonly surplus: 'none' | 'tools' | 'media'
}

const SURPLUS = { none: 0, tools: 1, media: 2 } as const
/** Bounds between prose, code, numbers, and scripts with a token a letter, in estimated tokens for each character. */
const DENSITIES = [0.36, 0.5, 0.8]
/** Short prompts are template more than text. */
const SIZES = [256, 2048]
const KINDS = (DENSITIES.length + 1) * (SIZES.length + 1) * 3

/** By kind: the highest ratio of this block, of the block before (0: there was none), and the requests of this one. */
const FIELDS = 3

/**
 * Learns by how much the safe estimate of prompts is too high, from what model servers count: for each team and model by
 * itself, so that nobody's prompts change what is reserved for others, and by kind of prompt. What turns out too low is
 * corrected with the next request, what is too high after 64 of its kind. Memory is bounded: the pair that was first seen
 * goes first, and is estimated safely until it is learnt again.
 */
export class LearnedInput {
  private readonly pairs = new Map<string, Float32Array>()
  private readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Tokens to reserve; undefined as long as nothing is known. */
  tokens(model: string, team: string, prompt: PromptKind): number | undefined {
    const known = this.pairs.get(pairOf(model, team))
    if (!known) return undefined
    const at = kindOf(prompt) * FIELDS
    const current = (known[at] as number) * MARGIN
    const before = (known[at + 1] as number) * MARGIN
    if (before === 0 && current <= 1) return undefined
    const ratio = Math.min(MOST_TIMES, Math.max(LEAST_PART, current, before))
    return Math.ceil(prompt.safe * ratio)
  }

  /** A model server has counted `actual` tokens of such a prompt. */
  learn(model: string, team: string, prompt: PromptKind, actual: number): void {
    const pair = pairOf(model, team)
    let known = this.pairs.get(pair)
    if (!known) {
      if (this.pairs.size >= this.capacity) {
        const [first] = this.pairs.keys()
        if (first !== undefined) this.pairs.delete(first)
      }
      this.pairs.set(pair, (known = new Float32Array(KINDS * FIELDS)))
    }
    const at = kindOf(prompt) * FIELDS
    known[at] = Math.max(known[at] as number, Math.min(MOST_TIMES, actual / prompt.safe))
    const seen = (known[at + 2] as number) + 1
    known[at + 2] = seen
    if (seen < BLOCK) return
    known[at + 1] = known[at] as number
    known[at] = 0
    known[at + 2] = 0
  }

  get size(): number {
    return this.pairs.size
  }
}

/** Neither has a line end in it: names of teams are words, and of models one line. */
function pairOf(model: string, team: string): string {
  return `${team}\n${model}`
}

function kindOf({ safe, characters, surplus }: PromptKind): number {
  const density = characters === 0 ? 0 : safe / characters
  return (placeIn(DENSITIES, density) * (SIZES.length + 1) + placeIn(SIZES, safe)) * 3 + SURPLUS[surplus]
}

function placeIn(bounds: readonly number[], value: number): number {
  let place = 0
  while (place < bounds.length && value >= (bounds[place] as number)) place++
  return place
}
