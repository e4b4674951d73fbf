import { compactVerify, decodeProtectedHeader, errors, type ProtectedHeaderParameters } from 'jose'
import type { TokenAlgorithm } from '../config/config.ts'
import {
  MAX_TOKEN_CHARACTERS,
  REFUSED_TOKEN_CACHE_ENTRIES,
  REFUSED_TOKEN_CACHE_MS,
  TOKEN_CACHE_ENTRIES,
} from '../config/limits.ts'
import type { Clock } from '../ports/clock.ts'
import type { Hashing } from '../ports/hashing.ts'
import type { KeySet, VerificationKey } from './key-set.ts'
import type { Principal } from './principal.ts'
import { type Claims, checkClaims, isAccessTokenType, isClaimName, type TokenProfile } from './token-profile.ts'
import type { RefusedToken, TokenRefusal } from './token-refusal.ts'
import { VerdictCache } from './verdict-cache.ts'

export interface TokenVerifierOptions extends TokenProfile {
  readonly keySet: KeySet
  readonly algorithms?: readonly TokenAlgorithm[]
  readonly clock: Clock
  readonly hashing: Hashing
  /** Verified tokens remembered at most. */
  readonly cacheEntries?: number
}

export type TokenVerdict = Principal | RefusedToken

/** Checks a token. Answers at once for one it has seen (about the cost of a SHA-256); never rejects for a bad token. */
export type VerifyToken = (token: string) => TokenVerdict | Promise<TokenVerdict>

export function isTokenRefusal(verdict: TokenVerdict): verdict is RefusedToken {
  return 'reason' in verdict
}

const DEFAULT_ALGORITHMS: readonly TokenAlgorithm[] = ['EdDSA', 'ES256', 'RS256']
/** Header parameters that bring or fetch keys, or change what the others mean. */
const FORBIDDEN_HEADERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit'] as const
/** Three parts of base64url: checked before anything is decoded. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * Sequence: size, form, memory, header, key (by `kid`, from the configured set only, for its own algorithm only),
 * signature, claims. A verified token is remembered by its SHA-256 and never past its `exp`; a refused one for a few
 * seconds, apart from the good ones, so that garbage cannot push those out.
 */
export function createTokenVerifier(options: TokenVerifierOptions): VerifyToken {
  const { clock, hashing, keySet, algorithms = DEFAULT_ALGORITHMS } = options
  const known = new VerdictCache<Principal>(options.cacheEntries ?? TOKEN_CACHE_ENTRIES)
  const refused = new VerdictCache<RefusedToken>(REFUSED_TOKEN_CACHE_ENTRIES)

  return function verifyToken(token) {
    if (token.length > MAX_TOKEN_CHARACTERS) return { reason: 'oversize' }
    if (!COMPACT_JWS.test(token)) return { reason: 'malformed' }
    const digest = hashing.sha256(token)
    const nowMs = clock.now()
    const remembered = known.get(digest, nowMs) ?? refused.get(digest, nowMs)
    if (remembered !== undefined) return remembered
    const selected = selectKey(token, keySet, algorithms)
    if ('reason' in selected) return selected
    return verifySigned(token, selected, options, clock).then(verdict => {
      if (!isTokenRefusal(verdict)) known.set(digest, verdict, verdict.expiresAtMs)
      // Time alone makes this one good.
      else if (verdict.reason !== 'not_yet_valid') refused.set(digest, verdict, clock.now() + REFUSED_TOKEN_CACHE_MS)
      return verdict
    })
  }
}

function selectKey(
  token: string,
  keySet: KeySet,
  algorithms: readonly TokenAlgorithm[],
): VerificationKey | TokenRefusal {
  const header = readHeader(token)
  if (header === undefined) return { reason: 'malformed' }
  const forbidden = FORBIDDEN_HEADERS.find(name => name in header)
  if (forbidden !== undefined) return { reason: 'forbidden_header', header: forbidden }
  if (!isAccessTokenType(header.typ)) return { reason: 'wrong_type' }
  const algorithm = algorithms.find(name => name === header.alg)
  if (algorithm === undefined) return { reason: 'algorithm_not_allowed' }
  const key = typeof header.kid === 'string' ? keySet.get(header.kid) : undefined
  if (key === undefined) return { reason: 'unknown_key' }
  return key.algorithm === algorithm ? key : { reason: 'key_mismatch' }
}

function readHeader(token: string): ProtectedHeaderParameters | undefined {
  try {
    return decodeProtectedHeader(token)
  } catch {
    return undefined
  }
}

async function verifySigned(
  token: string,
  { key, algorithm }: VerificationKey,
  profile: TokenProfile,
  clock: Clock,
): Promise<TokenVerdict> {
  let payload: Uint8Array
  try {
    payload = (await compactVerify(token, key, { algorithms: [algorithm] })).payload
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return { reason: 'bad_signature' }
    if (error instanceof errors.JOSEError) return { reason: 'malformed' }
    throw error
  }
  const claims = readClaims(payload)
  // The clock is read after the signature: checking it takes time.
  if (claims === undefined) return { reason: 'malformed' }
  const verdict = checkClaims(claims, profile, clock.now())
  return isTokenRefusal(verdict) && isClaimName(claims['jti']) ? { ...verdict, tokenId: claims['jti'] } : verdict
}

function readClaims(payload: Uint8Array): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Claims) : undefined
  } catch {
    return undefined
  }
}
