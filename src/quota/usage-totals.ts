/** Whose requests are added up. */
export interface UsageOf {
  readonly team: string
  readonly app: string
  readonly env: string
  readonly model: string
}

export interface Used {
  readonly requests: number
  /** Of these requests, those that were refused. */
  readonly refused: number
  readonly inputTokens: number
  readonly outputTokens: number
}

export type UsageRow = UsageOf & Used

type Counted = { -readonly [K in keyof Used]: Used[K] }

/**
 * What was used since the start, by team, application, environment and model, in memory. Once there are `maxRows`, what is
 * new is added up in one row for all others. `add` costs two look-ups in a map.
 */
export class UsageTotals {
  readonly sinceMs: number
  readonly #maxRows: number
  readonly #rows = new Map<string, UsageOf & Counted>()
  readonly #others: Counted = nothing()
  /** The keys of a caller's rows, by model: callers are remembered objects, and writing a key costs more than finding one. */
  readonly #known = new WeakMap<object, Map<string, Counted>>()

  constructor(sinceMs: number, maxRows: number) {
    this.sinceMs = sinceMs
    this.#maxRows = maxRows
  }

  /** Adds one request that is over. */
  add(caller: Omit<UsageOf, 'model'>, model: string, refused: boolean, inputTokens = 0, outputTokens = 0): void {
    const row = this.#known.get(caller)?.get(model) ?? this.#rowOf(caller, model)
    row.requests += 1
    if (refused) row.refused += 1
    row.inputTokens += inputTokens
    row.outputTokens += outputTokens
  }

  rows(): readonly UsageRow[] {
    return [...this.#rows.values()]
  }

  /** Of all for whom there was no row left. */
  get others(): Used {
    return this.#others
  }

  #rowOf(caller: Omit<UsageOf, 'model'>, model: string): Counted {
    const { team, app, env } = caller
    const key = JSON.stringify([team, app, env, model])
    let row = this.#rows.get(key)
    if (row === undefined) {
      if (this.#rows.size >= this.#maxRows) return this.#others
      row = { team, app, env, model, ...nothing() }
      this.#rows.set(key, row)
    }
    const models = this.#known.get(caller) ?? new Map<string, Counted>()
    this.#known.set(caller, models.set(model, row))
    return row
  }
}

function nothing(): Counted {
  return { requests: 0, refused: 0, inputTokens: 0, outputTokens: 0 }
}
