import type { StateStore } from '../ports/state-store.ts'
import type { TokenUse } from './limit.ts'
import { amountOf, type QuotaPlan, settlementOf } from './plan.ts'

/** Output tokens that an answer is extended by at a time: a few seconds of a stream, a tenth of a usual answer. */
const EXTENSION_TOKENS = 256

/** What comes of asking for more: more, nothing but debt, or the end of the answer. */
export type Extension = 'granted' | 'debt' | 'cut'

/** One call that a store takes once: see `StateStore.settle`. */
export interface Settlement {
  readonly id: string
  readonly amounts: readonly number[]
}

/**
 * What one request has taken from its limits: its reservation, and what a long answer takes beyond it. An extension is a
 * reservation of its own, charged when it is made.
 */
export class Allotment {
  readonly id: string
  readonly plan: QuotaPlan
  private readonly store: StateStore
  /** By meter, what each extension took, oldest first. */
  private readonly extensions: (readonly number[])[] = []
  private asking: Promise<Extension> | undefined
  /** Output tokens for which every limit has room set aside. */
  covered: number

  constructor(store: StateStore, id: string, plan: QuotaPlan, inputTokens: number) {
    this.store = store
    this.id = id
    this.plan = plan
    this.covered = coveredOutput(plan, inputTokens)
  }

  /** Asks for more, once at a time; undefined while it is being asked for. Never rejects: an answer is not lost for it. */
  extend(): Promise<Extension> | undefined {
    if (this.asking) return undefined
    this.asking = this.ask().finally(() => {
      this.asking = undefined
    })
    return this.asking
  }

  private async ask(): Promise<Extension> {
    const { tenant, meters, charges } = this.plan
    const more = { inputTokens: 0, outputTokens: EXTENSION_TOKENS }
    const amounts = charges.map((charge, index) => Math.min(amountOf(charge, more, 0), meters[index]?.limit ?? 0))
    const asked = await this.store
      .reserve(this.extensionId(this.extensions.length), tenant, meters, amounts)
      .catch(() => undefined)
    if (asked?.outcome === 'granted') {
      this.extensions.push(amounts)
      this.covered += EXTENSION_TOKENS
      return 'granted'
    }
    // Debt counts from here on, without asking again.
    this.covered = Number.POSITIVE_INFINITY
    const isCut = ({ limit }: (typeof charges)[number], index: number) =>
      limit.onExhausted === 'cut' && (asked?.levels[index]?.remaining ?? 0) < (amounts[index] ?? 0)
    return asked !== undefined && charges.some(isCut) ? 'cut' : 'debt'
  }

  /**
   * What each reservation settles to when the request used so much, in the order in which they were made: what exceeds
   * one falls to the next, and debt to the last. Waits for an extension that is being asked for.
   */
  async settlements(use: TokenUse): Promise<readonly Settlement[]> {
    await this.asking
    const taken = [this.plan.amounts, ...this.extensions]
    let rest = settlementOf(this.plan, use)
    return taken.map((reserved, index) => {
      const isLast = index === taken.length - 1
      const amounts = rest.map((amount, meter) => (isLast ? amount : Math.min(amount, reserved[meter] ?? 0)))
      rest = rest.map((amount, meter) => amount - (amounts[meter] ?? 0))
      return { id: index === 0 ? this.id : this.extensionId(index - 1), amounts }
    })
  }

  private extensionId(index: number): string {
    return `${this.id}+${index + 1}`
  }
}

/** How many output tokens a plan has set aside, by its tightest limit. */
function coveredOutput({ charges, amounts }: QuotaPlan, inputTokens: number): number {
  let covered = Number.POSITIVE_INFINITY
  for (const [index, { kind, limit }] of charges.entries()) {
    const amount = amounts[index] ?? 0
    const { input, output } = limit.weigh ?? { input: 1, output: 1 }
    if (kind === 'outputTokens') covered = Math.min(covered, amount)
    else if (kind === 'tokens' && output > 0) covered = Math.min(covered, (amount - input * inputTokens) / output)
  }
  return covered
}
