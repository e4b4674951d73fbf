import type { TokenAlgorithm, TokensConfig, TrustedIssuerConfig } from '../config/config.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { KeySet } from './key-set.ts'
import { createClaimMapping, type MapClaims } from './map-claims.ts'
import { ACCESS_TOKEN_TYPE, type TokenProfile } from './token-profile.ts'

/** The keys of an issuer as a token is checked against them (`KeySource`). */
export interface IssuerKeys {
  readonly keys: KeySet | undefined
  /** Looks for a key that the set lacks; undefined while it is too soon to look again. */
  reload(): Promise<void> | undefined
}

/** Whose tokens are taken, signed with what, and how they say who somebody is. */
export interface Issuer extends TokenProfile {
  readonly algorithms: readonly TokenAlgorithm[]
  /** Media types of the header's `typ`, in lower case without `application/`; `none`: there may be none. */
  readonly types: readonly string[]
  readonly source: IssuerKeys
  /** Absent: the claims are ours already. */
  readonly mapClaims?: MapClaims
}

/** The gateway's own issuer: its tokens have our claims, all of them. */
export function ownIssuer(
  { issuer, audience, maxLifetimeMs, algorithms }: TokenProfile & Pick<TokensConfig, 'algorithms'>,
  source: IssuerKeys,
): Issuer {
  return { issuer, audience, maxLifetimeMs, algorithms, types: [ACCESS_TOKEN_TYPE], source }
}

/** An issuer outside the gateway. */
export function trustedIssuer(trusted: TrustedIssuerConfig, source: IssuerKeys, hashing: Hashing): Issuer {
  const { issuer, audience, maxLifetimeMs, algorithms, types } = trusted
  const mapClaims = createClaimMapping(trusted, hashing)
  return { issuer, audience, maxLifetimeMs, algorithms, types, source, mapClaims }
}
