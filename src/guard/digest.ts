import type { Hashing } from '../ports/hashing.ts'
import type { Digest } from './replacement.ts'

/** Keeps the key apart from every other use of the secret. */
const KEY_DOMAIN = 'sallyport guard hash key v1'

/**
 * The digest of the action `hash`: HMAC-SHA-256 with a key derived of the audit log's secret. Equal values have equal
 * digests in all requests and instances that share the secret.
 */
export function createDigest(hashing: Hashing, secret: Uint8Array): Digest {
  const key = new TextEncoder().encode(hashing.hmacSha256(secret, KEY_DOMAIN))
  return text => hashing.hmacSha256(key, text)
}
