import { compactVerify, errors } from 'jose'
import {
  MAX_TOKEN_CHARACTERS,
  REFUSED_TOKEN_CACHE_ENTRIES,
  REFUSED_TOKEN_CACHE_MS,
  TOKEN_CACHE_ENTRIES,
} from '../config/limits.ts'
import type { Clock } from '../ports/clock.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { Issuer, IssuerKeys } from './issuer.ts'
import type { VerificationKey } from './key-set.ts'
import { isCompactJws, type ParsedToken, parseToken } from './parse-token.ts'
import type { Principal } from './principal.ts'
import { checkClaims, hasType, isClaimName } from './token-profile.ts'
import { FORBIDDEN_HEADERS, type RefusedToken, type TokenRefusal } from './token-refusal.ts'
import { VerdictCache } from './verdict-cache.ts'

export interface TokenVerifierOptions {
  /** Different ones. */
  readonly issuers: readonly Issuer[]
  readonly clock: Clock
  readonly hashing: Hashing
  /** Verified tokens remembered at most. */
  readonly cacheEntries?: number
  /** One that this takes the place of: what it remembers of the same issuers counts on. */
  readonly before?: VerifyToken | undefined
}

export type TokenVerdict = Principal | RefusedToken

/**
 * Checks a token. Answers at once for one it has seen (about the cost of a SHA-256); never rejects for a bad token. Waits
 * for the issuer's keys once at most, and no longer than looking for them may take. Where `isLocked` says so, no other
 * token than those it has seen is looked at, so that none is remembered either.
 */
export type VerifyToken = (token: string, isLocked?: () => boolean) => TokenVerdict | Promise<TokenVerdict>

/** What verifiers remember, for those that take their places. */
const memories = new WeakMap<VerifyToken, VerdictCache<Known>>()

export function isTokenRefusal(verdict: TokenVerdict): verdict is RefusedToken {
  return 'reason' in verdict
}

/** A verified token counts for as long as the key it was verified with is one of its issuer's. */
interface Known {
  readonly principal: Principal
  readonly key: VerificationKey
  readonly issuer: Issuer
  readonly source: IssuerKeys
}

/**
 * Sequence: size, form, memory, header, issuer (by `iss`, which is not believed before the signature holds), key (by `kid`,
 * of this issuer only, for its own algorithm only), signature, claims. A verified token is remembered by its SHA-256, never
 * past its `exp` or its key; a refused one for a few seconds, apart from the good ones, so that garbage cannot push those out.
 */
export function createTokenVerifier({ clock, hashing, ...options }: TokenVerifierOptions): VerifyToken {
  const issuers = new Map(options.issuers.map(issuer => [issuer.issuer, issuer]))
  const known = new VerdictCache<Known>(options.cacheEntries ?? TOKEN_CACHE_ENTRIES)
  const refused = new VerdictCache<RefusedToken>(REFUSED_TOKEN_CACHE_ENTRIES)
  const before = options.before && memories.get(options.before)
  if (before) known.adopt(before, ({ issuer }) => issuers.get(issuer.issuer) === issuer)
  memories.set(verifyToken, known)
  return verifyToken

  function verifyToken(token: string, isLocked?: () => boolean): TokenVerdict | Promise<TokenVerdict> {
    if (token.length > MAX_TOKEN_CHARACTERS) return { reason: 'oversize' }
    if (!isCompactJws(token)) return { reason: 'malformed' }
    const digest = hashing.sha256(token)
    const nowMs = clock.now()
    const seen = known.get(digest, nowMs)
    if (seen !== undefined && seen.source.keys?.get(seen.key.kid) === seen.key) return seen.principal
    const refusal = refused.get(digest, nowMs)
    if (refusal !== undefined) return refusal
    if (isLocked?.()) return { reason: 'locked_out' }

    const parsed = parseToken(token)
    if (parsed === undefined) return { reason: 'malformed' }
    const issuer = selectIssuer(parsed, issuers)
    if ('reason' in issuer) return issuer
    const key = selectKey(parsed, issuer)
    if (!('reason' in key)) return verifySigned(token, digest, parsed, issuer, key)
    if (key.reason !== 'unknown_key' && key.reason !== 'keys_unavailable') return key
    const reloaded = issuer.source.reload()
    return reloaded === undefined ? key : reloaded.then(() => verifyAgain(token, digest, parsed, issuer))
  }

  function verifyAgain(token: string, digest: string, parsed: ParsedToken, issuer: Issuer) {
    const key = selectKey(parsed, issuer)
    return 'reason' in key ? key : verifySigned(token, digest, parsed, issuer, key)
  }

  async function verifySigned(
    token: string,
    digest: string,
    { claims }: ParsedToken,
    issuer: Issuer,
    key: VerificationKey,
  ): Promise<TokenVerdict> {
    // The clock is read after the signature: checking it takes time.
    const forged = await checkSignature(token, key)
    if (forged) return refuse(digest, forged)
    const mapped = issuer.mapClaims?.(claims, digest) ?? claims
    const verdict: TokenVerdict = checkClaims(mapped, issuer, clock.now())
    if (isTokenRefusal(verdict)) return refuse(digest, named(verdict, mapped['jti']))
    known.set(digest, { principal: verdict, key, issuer, source: issuer.source }, verdict.expiresAtMs)
    return verdict
  }

  function refuse(digest: string, refusal: RefusedToken): RefusedToken {
    // Time alone makes this one good.
    if (refusal.reason !== 'not_yet_valid') refused.set(digest, refusal, clock.now() + REFUSED_TOKEN_CACHE_MS)
    return refusal
  }
}

/** Of a token with a good signature: its id, where it has one. */
function named(refusal: TokenRefusal, tokenId: unknown): RefusedToken {
  return isClaimName(tokenId) ? { ...refusal, tokenId } : refusal
}

function selectIssuer({ header, claims }: ParsedToken, issuers: ReadonlyMap<unknown, Issuer>): Issuer | TokenRefusal {
  const forbidden = FORBIDDEN_HEADERS.find(name => Object.hasOwn(header, name))
  if (forbidden !== undefined) return { reason: 'forbidden_header', header: forbidden }
  if (claims.iss === undefined) return { reason: 'missing_claim', claim: 'iss' }
  return issuers.get(claims.iss) ?? { reason: 'wrong_issuer' }
}

function selectKey({ header }: ParsedToken, { types, algorithms, source }: Issuer): VerificationKey | TokenRefusal {
  if (!hasType(header.typ, types)) return { reason: 'wrong_type' }
  const algorithm = algorithms.find(name => name === header.alg)
  if (algorithm === undefined) return { reason: 'algorithm_not_allowed' }
  if (source.keys === undefined) return { reason: 'keys_unavailable' }
  const key = typeof header.kid === 'string' ? source.keys.get(header.kid) : undefined
  if (key === undefined) return { reason: 'unknown_key' }
  return key.algorithm === algorithm ? key : { reason: 'key_mismatch' }
}

async function checkSignature(token: string, { key, algorithm }: VerificationKey): Promise<TokenRefusal | undefined> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] })
    return undefined
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return { reason: 'bad_signature' }
    if (error instanceof errors.JOSEError) return { reason: 'malformed' }
    throw error
  }
}
