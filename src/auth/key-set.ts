import { importJWK, type JWK } from 'jose'
import type { TokenAlgorithm } from '../config/config.ts'
import { MAX_JWKS_KEYS } from '../config/limits.ts'
import { isSmallOrder } from './small-order.ts'

/** A public key and the one algorithm it is for. */
export interface VerificationKey {
  readonly kid: string
  readonly algorithm: TokenAlgorithm
  readonly key: CryptoKey
  /** What it was imported from: two keys with the same are one. */
  readonly material: string
}

/** Imported public keys by `kid`. */
export type KeySet = ReadonlyMap<string, VerificationKey>

export type KeySetResult =
  | { readonly ok: true; readonly keySet: KeySet }
  | { readonly ok: false; readonly reason: string }

/** RFC 7518: parts of a private or symmetric key. */
const PRIVATE_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
/** RFC 7518 §3.3; past the upper one a check takes milliseconds. */
const MODULUS_BITS = { least: 2048, most: 8192 }

/**
 * Imports a JWK Set (RFC 7517) of public keys. Keys that are for something else (`use`, `key_ops`, an algorithm that is
 * not ours) are left out. A private or symmetric key, a repeated or missing `kid`, and a set without any usable key refuse
 * the whole set, with a reason that holds no key material. Keys that `previous` has already are taken from there.
 */
export async function importKeySet(jwks: unknown, previous?: KeySet): Promise<KeySetResult> {
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
    const key = await importPublicKey(jwk, jwk.kid, algorithm, previous)
    if (key === undefined) return refused(`keys[${index}] is not a valid ${algorithm} key`)
    keySet.set(jwk.kid, key)
  }
  return keySet.size === 0 ? refused('it has no EdDSA, ES256 or RS256 key') : { ok: true, keySet }
}

/** The algorithm that a public key is for: its own `alg`, which has to fit its type. */
function algorithmOf(jwk: JWK): TokenAlgorithm | undefined {
  if (jwk.use !== undefined && jwk.use !== 'sig') return undefined
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'))) return undefined
  const natural = naturalAlgorithm(jwk)
  return jwk.alg === undefined || jwk.alg === natural ? natural : undefined
}

function naturalAlgorithm({ kty, crv }: JWK): TokenAlgorithm | undefined {
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA'
  if (kty === 'EC' && crv === 'P-256') return 'ES256'
  return kty === 'RSA' ? 'RS256' : undefined
}

async function importPublicKey(
  { kty, crv, x, y, n, e }: JWK,
  kid: string,
  algorithm: TokenAlgorithm,
  previous: KeySet | undefined,
): Promise<VerificationKey | undefined> {
  const material = JSON.stringify([algorithm, kty, crv, x, y, n, e])
  const known = previous?.get(kid)
  if (known?.material === material) return known
  try {
    const parts = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)
    const key = await importJWK(Object.fromEntries(parts), algorithm)
    return key instanceof Uint8Array || !isSound(key, x) ? undefined : { kid, algorithm, key, material }
  } catch {
    return undefined
  }
}

/** Of an imported RSA key (WebCrypto's `RsaKeyAlgorithm`). */
interface RsaParameters {
  readonly modulusLength: number
  readonly publicExponent: Uint8Array
}

/** What can be imported and still would let anybody sign: short or evenly exponentiated RSA, Ed25519 of small order. */
function isSound({ algorithm }: CryptoKey, x: string | undefined): boolean {
  if (algorithm.name === 'RSASSA-PKCS1-v1_5') {
    const { modulusLength: bits, publicExponent } = algorithm as KeyAlgorithm & RsaParameters
    // 65537 and 3 are in use; under 1 the signature is the message.
    const exponent = publicExponent.reduce((value, byte) => value * 256 + byte, 0)
    return bits >= MODULUS_BITS.least && bits <= MODULUS_BITS.most && exponent >= 3 && exponent % 2 === 1
  }
  return algorithm.name !== 'Ed25519' || (x !== undefined && !isSmallOrder(x))
}

function refused(reason: string): KeySetResult {
  return { ok: false, reason }
}
