import { importJWK, type JWK } from 'jose'
import type { TokenAlgorithm } from '../config/config.ts'
import { MAX_JWKS_KEYS } from '../config/limits.ts'

/** A public key and the one algorithm it is for. */
export interface VerificationKey {
  readonly algorithm: TokenAlgorithm
  readonly key: CryptoKey
}

/** Imported public keys by `kid`. */
export type KeySet = ReadonlyMap<string, VerificationKey>

export type KeySetResult =
  | { readonly ok: true; readonly keySet: KeySet }
  | { readonly ok: false; readonly reason: string }

/** RFC 7518: parts of a private or symmetric key. */
const PRIVATE_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
/** RSA moduli under 2048 bits (342 base64url characters) are refused. */
const MIN_MODULUS_CHARACTERS = 342

/**
 * Imports a JWK Set (RFC 7517) of public keys. Keys that are for something else (`use`, `key_ops`, an algorithm that is
 * not ours) are left out. A private or symmetric key, a repeated or missing `kid`, and a set without any usable key refuse
 * the whole set, with a reason that holds no key material.
 */
export async function importKeySet(jwks: unknown): Promise<KeySetResult> {
  const list = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : undefined
  if (!Array.isArray(list)) return refused('it is no JWK Set: the list "keys" is missing')
  if (list.length > MAX_JWKS_KEYS) return refused(`it has more than ${MAX_JWKS_KEYS} keys`)
  const keySet = new Map<string, VerificationKey>()
  for (const [index, entry] of list.entries() as Iterable<[number, unknown]>) {
    if (typeof entry !== 'object' || entry === null) return refused(`keys[${index}] is no key`)
    const jwk = entry as JWK
    if (PRIVATE_PARTS.some(part => part in jwk) || jwk.kty === 'oct') {
      return refused(`keys[${index}] holds a private or symmetric key; only public keys belong here`)
    }
    const algorithm = algorithmOf(jwk)
    if (algorithm === undefined) continue
    if (typeof jwk.kid !== 'string' || jwk.kid === '') return refused(`keys[${index}] has no "kid"`)
    if (keySet.has(jwk.kid)) return refused(`keys[${index}] repeats the "kid" of another key`)
    const key = await importPublicKey(jwk, algorithm)
    if (key === undefined) return refused(`keys[${index}] is not a valid ${algorithm} key`)
    keySet.set(jwk.kid, { algorithm, key })
  }
  return keySet.size === 0 ? refused('it has no EdDSA, ES256 or RS256 key') : { ok: true, keySet }
}

/** The algorithm that a public key is for: its own `alg`, which has to fit its type. */
function algorithmOf(jwk: JWK): TokenAlgorithm | undefined {
  if (jwk.use !== undefined && jwk.use !== 'sig') return undefined
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes('verify')) return undefined
  const natural = naturalAlgorithm(jwk)
  return jwk.alg === undefined || jwk.alg === natural ? natural : undefined
}

function naturalAlgorithm({ kty, crv }: JWK): TokenAlgorithm | undefined {
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA'
  if (kty === 'EC' && crv === 'P-256') return 'ES256'
  return kty === 'RSA' ? 'RS256' : undefined
}

async function importPublicKey(jwk: JWK, algorithm: TokenAlgorithm): Promise<CryptoKey | undefined> {
  if (algorithm === 'RS256' && (jwk.n?.length ?? 0) < MIN_MODULUS_CHARACTERS) return undefined
  try {
    const key = await importJWK(jwk, algorithm)
    return key instanceof Uint8Array ? undefined : key
  } catch {
    return undefined
  }
}

function refused(reason: string): KeySetResult {
  return { ok: false, reason }
}
