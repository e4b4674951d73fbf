import type { UpstreamConfig } from '../config/config.ts'
import type { Refusal } from '../errors/refusal.ts'

/** A place at a model server, held while it works on a request. */
export interface Place {
  readonly kind: 'place'
  readonly server: UpstreamConfig
  /** Gives the place to whoever is next. Once. */
  release(): void
  /** Says how many tokens were used in the end; the first time counts. 0: it came to nothing. */
  settle(tokens: number): void
}

/** What a request that may have to wait for a place gets. */
export type Admitted =
  | Place
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'aborted' }
  /** No server is left that could serve it. */
  | { readonly kind: 'nowhere' }
