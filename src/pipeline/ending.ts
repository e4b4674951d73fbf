import type { Outcome } from '../audit/record.ts'

/** What is known about a request only when it is over. */
export interface Ending {
  readonly status: number
  readonly outcome: Outcome
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly tokenSource?: 'upstream' | 'estimate'
  readonly outputSnippet?: string
  readonly action?: string
  readonly target?: string | undefined
}
