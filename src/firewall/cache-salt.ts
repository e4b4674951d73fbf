import type { Hashing } from '../ports/hashing.ts'

/** Keeps the key apart from every other use of the secret. */
const KEY_DOMAIN = 'sallyport vllm cache salt key v1'
/** Salts remembered; teams come from signed tokens, so that there are never many. */
const MAX_TEAMS = 10_000

/** Gives the salt that vLLM keeps the cached prompts of one team apart by. */
export type CacheSalt = (team: string) => string

/**
 * Salts by HMAC-SHA-256 (64 hex characters), with a key derived of the audit log's secret: the same for a team on every
 * instance that shares the secret, and nothing that a caller could guess.
 */
export function createCacheSalt(hashing: Hashing, secret: Uint8Array): CacheSalt {
  const key = new TextEncoder().encode(hashing.hmacSha256(secret, KEY_DOMAIN))
  const salts = new Map<string, string>()
  return team => {
    const known = salts.get(team)
    if (known !== undefined) return known
    const salt = hashing.hmacSha256(key, team)
    if (salts.size >= MAX_TEAMS) salts.clear()
    salts.set(team, salt)
    return salt
  }
}
