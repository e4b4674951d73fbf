/** What is kept of a token that was issued: never the token. */
export interface IssuedToken {
  /** The `jti`. */
  readonly tokenId: string
  readonly subject: string
  readonly team: string
  readonly app: string
  readonly env: string
  readonly scopes: readonly string[]
  /** Globs of model ids. */
  readonly models: readonly string[]
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  /** The `kid` that it is signed with. */
  readonly keyId: string
  /** SHA-256 thumbprint (base64url) of the client certificate that it is bound to (RFC 8705). */
  readonly certThumbprint?: string
}

/** Which tokens a revocation is about. */
export type RevocationTarget =
  | { readonly kind: 'token'; readonly tokenId: string }
  /** All of an application, in one team or (without `team`) in any. */
  | { readonly kind: 'app'; readonly app: string; readonly team?: string }
  | { readonly kind: 'team'; readonly team: string }
  | { readonly kind: 'all' }

export interface Revocation {
  /** Unique, sortable by time. */
  readonly id: string
  readonly target: RevocationTarget
  /** Tokens issued (`iat`) at or before this moment; a token named by its id is revoked whenever it was issued. */
  readonly issuedBeforeMs: number
  /** From then on every token it could be about has expired, and it may be forgotten. */
  readonly untilMs: number
  readonly createdAtMs: number
  /** Who revoked: the subject of the administrator's token, or `cli`. */
  readonly by: string
  readonly reason?: string
}

export interface IssuedTokenFilter {
  readonly team?: string
  readonly app?: string
  readonly env?: string
  /** Only those that expire before this moment (Unix epoch, milliseconds). */
  readonly expiresBeforeMs?: number
}

/** What a registry answers to who wants to know of revocations. */
export interface RevocationsRead {
  /** In the order in which they were made. */
  readonly revocations: readonly Revocation[]
  /** To be given to the next call. */
  readonly cursor: string
  /** These are all there are: nothing was given, or the registry has been begun anew since and knows no more of it. */
  readonly complete: boolean
}

/**
 * The tokens that were issued, and those that were revoked: durable, and shared by all instances of the gateway. Every call
 * to the store settles within its time-out, or the method rejects with `StoreUnavailableError`. Repeating a call does no harm.
 */
export interface TokenRegistry {
  record(token: IssuedToken): Promise<void>
  /** The issued token of this id, if it is known and has not expired. */
  find(tokenId: string): Promise<IssuedToken | undefined>
  /** Not yet expired ones, by expiry; at most `limit`. */
  list(filter: IssuedTokenFilter, limit: number): Promise<readonly IssuedToken[]>
  /**
   * `done`: it is durable, and on its way to every instance. `full`: there are MAX_REVOCATIONS already; single tokens
   * cannot be revoked any more, an application, a team and all can.
   */
  revoke(revocation: Revocation): Promise<'done' | 'full'>
  /** Those made after `after` was the cursor; without it, all that are still of use. */
  revocations(after?: string): Promise<RevocationsRead>
  /** Calls back soon after a revocation was made by any instance or command; returns what ends that. A hint only: it may be lost. */
  watch(changed: () => void): () => void
  close(): Promise<void>
}
