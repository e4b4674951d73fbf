import { CLOCK_TOLERANCE_MS, MAX_TOKEN_LIFETIME_MS } from '../config/limits.ts'
import type { IssuedToken, Revocation, RevocationTarget } from '../ports/token-registry.ts'

export interface RevocationRequest {
  readonly target: RevocationTarget
  /** Unix epoch, milliseconds. */
  readonly nowMs: number
  /** Tokens issued up to this moment, at most `nowMs`; by default `nowMs`. A token named by its id is revoked in any case. */
  readonly issuedBeforeMs?: number
  /** Who revokes. */
  readonly by: string
  readonly reason?: string
  /** The token that is named, where the registry knows it: then the revocation is kept no longer than the token lives. */
  readonly token?: IssuedToken
}

/**
 * A revocation that is kept until the last token it could be about has expired: no token lives longer than
 * MAX_TOKEN_LIFETIME_MS, and none may be issued further in the future than clocks differ.
 */
export function createRevocation(request: RevocationRequest): Revocation {
  const { target, nowMs, issuedBeforeMs = nowMs, by, reason, token } = request
  const lastIssuedMs = target.kind === 'token' ? nowMs : issuedBeforeMs
  return {
    id: revocationId(nowMs),
    target,
    issuedBeforeMs,
    untilMs: token?.expiresAtMs ?? lastIssuedMs + MAX_TOKEN_LIFETIME_MS + CLOCK_TOLERANCE_MS,
    createdAtMs: nowMs,
    by,
    ...(reason !== undefined && { reason }),
  }
}

/** Sortable by time: milliseconds as twelve hexadecimal digits, then eight random ones. */
function revocationId(nowMs: number): string {
  const random = crypto.randomUUID().slice(0, 8)
  return `${Math.floor(nowMs).toString(16).padStart(12, '0')}-${random}`
}
