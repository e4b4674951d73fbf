/** Claims that the token profile looks at. */
export type ClaimName =
  | 'iss'
  | 'aud'
  | 'exp'
  | 'nbf'
  | 'iat'
  | 'jti'
  | 'sub'
  | 'team'
  | 'app'
  | 'env'
  | 'scope'
  | 'models'
  | 'limits'
  | 'priority'
  | 'cnf'

/** Header parameters that bring or fetch keys, or change what the others or the payload mean. */
export const FORBIDDEN_HEADERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc'] as const

export type ForbiddenHeader = (typeof FORBIDDEN_HEADERS)[number]

/**
 * Why a token is refused: for the audit log and operators only, callers all get one message. Holds nothing of the token
 * but names that the profile knows.
 */
export type TokenRefusal =
  | { readonly reason: 'oversize' }
  | { readonly reason: 'malformed' }
  | { readonly reason: 'wrong_type' }
  | { readonly reason: 'forbidden_header'; readonly header: ForbiddenHeader }
  | { readonly reason: 'algorithm_not_allowed' }
  | { readonly reason: 'unknown_key' }
  /** The issuer's keys were never found, or too long ago: the one reason that is not the token's. */
  | { readonly reason: 'keys_unavailable' }
  | { readonly reason: 'key_mismatch' }
  | { readonly reason: 'bad_signature' }
  | { readonly reason: 'missing_claim'; readonly claim: ClaimName }
  | { readonly reason: 'invalid_claim'; readonly claim: ClaimName }
  | { readonly reason: 'wrong_issuer' }
  | { readonly reason: 'wrong_audience' }
  | { readonly reason: 'expired' }
  | { readonly reason: 'not_yet_valid' }
  | { readonly reason: 'lifetime_too_long' }
  /** Bound to a client certificate, and the caller has not shown that one. */
  | { readonly reason: 'certificate_mismatch' }
  /** Not bound to one, where `tokens.requireBound` asks for it. */
  | { readonly reason: 'not_certificate_bound' }
  /** Nobody has looked at it: its sender has failed too often. */
  | { readonly reason: 'locked_out' }

/** With the id of the token, where its signature was good: of all others the id is whatever somebody has written there. */
export type RefusedToken = TokenRefusal & { readonly tokenId?: string }
