import { createRemoteJWKSet, customFetch, type FetchImplementation } from 'jose'
import type { LoadKeys } from './key-source.ts'

/**
 * Loads a JWK Set over HTTP with jose's remote set: one request at a time, no redirects, a deadline for all of it. When to
 * look again is for `KeySource` to say: jose's own cooldown does not count requests that failed, so that an issuer that is
 * down would be asked again by every token with an unknown key.
 */
export function remoteKeys(url: string, fetchKeys: FetchImplementation, timeoutMs: number): LoadKeys {
  const remote = createRemoteJWKSet(new URL(url), { [customFetch]: fetchKeys, timeoutDuration: timeoutMs })
  return async function loadRemoteKeys() {
    try {
      await remote.reload()
      return { ok: true, jwks: remote.jwks() }
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : 'unknown' }
    }
  }
}
