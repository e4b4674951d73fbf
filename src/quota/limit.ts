export const QUOTA_PARTS = ['team', 'app', 'token', 'env', 'model', 'address'] as const
export type QuotaPart = (typeof QUOTA_PARTS)[number]

/** What a limit may count. */
export const CHARGE_KINDS = ['tokens', 'inputTokens', 'outputTokens', 'requests', 'concurrent'] as const
export type ChargeKind = (typeof CHARGE_KINDS)[number]

/** Requests with one of the named values in each property that is given. */
export type QuotaMatch = Readonly<Partial<Record<'team' | 'app' | 'env' | 'model', readonly string[]>>>

/** One limit: over a sliding window, of requests at the same time, or both. */
export interface QuotaLimit {
  readonly name: string
  /** Each combination of these counts on its own. */
  readonly per: readonly QuotaPart[]
  /** Limits only these; absent: everybody. */
  readonly match?: QuotaMatch
  /** Does not limit these. */
  readonly except?: readonly QuotaMatch[]
  /** Tokens of input and output in every window, weighed. */
  readonly tokens?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
  /** Requests in every window. */
  readonly requests?: number
  /** Requests at the same time. */
  readonly concurrent?: number
  /** Absent where only `concurrent` counts. */
  readonly windowMs?: number
  /** What a token counts towards `tokens`; absent: 1 each. */
  readonly weigh?: TokenWeights
  /** The most that a token's own `limits` claim may set in place of a limit; what is not named it may not set. */
  readonly override?: Readonly<Partial<Record<ChargeKind, number>>>
  /** What happens to a stream that needs more than is left: it goes on and its debt counts, or it is cut. */
  readonly onExhausted?: 'finish' | 'cut'
  /** What happens to requests while the store does not answer. */
  readonly onOutage?: 'deny' | 'local' | 'allow'
}

export interface TokenWeights {
  readonly input: number
  readonly output: number
}

/** Tokens of one request, estimated or counted. */
export interface TokenUse {
  readonly inputTokens: number
  readonly outputTokens: number
}

export const NOTHING_USED: TokenUse = { inputTokens: 0, outputTokens: 0 }

/** The `limits` claim of a token: by the name of a quota, what it counts and how much of it is allowed. */
export type ClaimedLimits = Readonly<Record<string, Readonly<Partial<Record<ChargeKind, number>>>>>
