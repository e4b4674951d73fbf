import type { Usage, UsageSource } from './stream-guard.ts'

const RANK: Readonly<Record<UsageSource, number>> = { running: 0, finish: 1, own: 2 }

/**
 * What a request used, from all that a model server says about it. vLLM counts all choices together in one event of its
 * own; llama-server sends one for each choice, or one with the end of each; others count on and on with every event.
 * Counts of the best source are added up; running ones replace each other.
 */
export class UsageSum {
  private readonly prompts: number
  private sum: Usage | undefined
  private rank = -1

  /** `prompts`: how many the request has. Choices of one prompt each repeat its count, answers to several do not. */
  constructor(prompts: number) {
    this.prompts = prompts
  }

  get total(): Usage | undefined {
    return this.sum
  }

  add(usage: Usage, source: UsageSource): void {
    const rank = RANK[source]
    if (rank < this.rank) return
    if (!this.sum || rank > this.rank) {
      this.sum = usage
    } else if (source === 'running') {
      this.sum = {
        inputTokens: Math.max(this.sum.inputTokens, usage.inputTokens),
        outputTokens: Math.max(this.sum.outputTokens, usage.outputTokens),
      }
    } else {
      const { inputTokens, outputTokens } = this.sum
      this.sum = {
        inputTokens: this.prompts > 1 ? inputTokens + usage.inputTokens : Math.max(inputTokens, usage.inputTokens),
        outputTokens: outputTokens + usage.outputTokens,
      }
    }
    this.rank = rank
  }
}
