/** One sliding-window limit. */
export interface QuotaLimit {
  readonly name: string
  /** Each combination of these has a window of its own. */
  readonly per: readonly ('team' | 'app' | 'token' | 'env' | 'model')[]
  /** Limits only these; absent: everybody. */
  readonly match?: Readonly<Partial<Record<'team' | 'app' | 'env' | 'model', string>>>
  /** Tokens of input and output in every window. */
  readonly tokens?: number
  /** Requests in every window. */
  readonly requests?: number
  readonly windowMs: number
}
