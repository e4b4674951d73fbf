import type { TrustedIssuerConfig } from '../config/config.ts'
import { MAX_NAME_CHARACTERS } from '../config/limits.ts'
import type { Hashing } from '../ports/hashing.ts'
import { type ClaimSource, parseClaimSource, readClaim } from './claim-source.ts'
import { type Claims, isClaimName } from './token-profile.ts'

/** Says in our claims what a token of another issuer says in its own. `digest` is the token's SHA-256. */
export type MapClaims = (claims: Claims, digest: string) => Claims

/** Of the issuer's SHA-256, in hex: in front of its token ids. */
const TAG_CHARACTERS = 8
/** 128 bits in hex. */
const DIGEST_CHARACTERS = 32
const SINGLE = ['team', 'app', 'env'] as const

/**
 * Makes the mapping of one issuer. What it cannot map is left as it is or away, for `checkClaims` to refuse. Token ids get
 * a tag of the issuer in front, so that no issuer's id is that of another's token; without `jti` the digest counts.
 * Scopes that the issuer may not give are left away.
 */
export function createClaimMapping(trusted: TrustedIssuerConfig, hashing: Hashing): MapClaims {
  const tag = hashing.sha256(trusted.issuer).slice(0, TAG_CHARACTERS)
  const allowed = new Set<string>(trusted.scopes)
  const sources = new Map<string, ClaimSource>()
  for (const [claim, text] of Object.entries(trusted.claims)) {
    const source = parseClaimSource(text)
    if (source !== undefined) sources.set(claim, source)
  }
  const read = (claims: Claims, claim: string): unknown => {
    const source = sources.get(claim)
    return source === undefined ? claims[claim] : readClaim(claims, source)
  }

  return function mapClaims(claims, digest) {
    const mapped: Record<string, unknown> = {
      iss: claims.iss,
      aud: claims.aud,
      exp: claims.exp,
      iat: claims.iat,
      nbf: claims.nbf === undefined ? claims.iat : claims.nbf,
      cnf: claims.cnf,
      sub: sources.has('subject') ? read(claims, 'subject') : claims.sub,
      jti: tokenId(
        sources.has('tokenId') ? read(claims, 'tokenId') : (claims.jti ?? digest.slice(0, DIGEST_CHARACTERS)),
      ),
      scope: grantedOf(sources.has('scope') ? read(claims, 'scope') : (claims.scope ?? claims.scp)),
      models: modelsOf(read(claims, 'models')),
    }
    for (const claim of SINGLE) mapped[claim] = read(claims, claim)
    return mapped
  }

  function tokenId(id: unknown): unknown {
    if (typeof id !== 'string' || id === '') return id
    const fits = isClaimName(id) && id.length < MAX_NAME_CHARACTERS - TAG_CHARACTERS
    return `${tag}.${fits ? id : hashing.sha256(id).slice(0, DIGEST_CHARACTERS)}`
  }

  /** A set, which no JSON can be: `checkClaims` takes it as it is, also empty. */
  function grantedOf(value: unknown): unknown {
    const scopes = typeof value === 'string' ? value.split(' ') : value
    return Array.isArray(scopes) ? new Set(scopes.filter(scope => allowed.has(scope as string))) : scopes
  }

  /** A claim that the mapping names has to be there: without it the token would be one for all models. */
  function modelsOf(value: unknown): unknown {
    if (value === undefined) return sources.has('models') ? null : undefined
    return typeof value === 'string' ? value.split(',').map(glob => glob.trim()) : value
  }
}
