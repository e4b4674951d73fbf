import { TOKEN_CACHE_ENTRIES } from '../config/limits.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Principal } from './principal.ts'
import { VerdictCache } from './verdict-cache.ts'

const DAY_MS = 86_400_000

/**
 * Tells of tokens that are about to expire: the caller with every answer, operators once a day. Who gets tokens of less than
 * a day renews them without being told, so operators do not hear of those.
 */
export class ExpiryWarnings {
  readonly #warningMs: number
  readonly #telemetry: Telemetry
  /** What was warned of within a day, by token: when it expires, as callers are told. */
  readonly #warned = new VerdictCache<string>(TOKEN_CACHE_ENTRIES)

  constructor(warningMs: number, telemetry: Telemetry) {
    this.#warningMs = warningMs
    this.#telemetry = telemetry
  }

  /** When the token expires (ISO 8601), or undefined while that is far away: then it costs a comparison. */
  of(principal: Principal, nowMs: number): string | undefined {
    return principal.expiresAtMs - nowMs < this.#warningMs ? this.#warn(principal, nowMs) : undefined
  }

  #warn({ tokenId, team, app, env, issuedAtMs, expiresAtMs }: Principal, nowMs: number): string {
    const known = this.#warned.get(tokenId, nowMs)
    if (known !== undefined) return known
    const expires = new Date(expiresAtMs).toISOString()
    this.#warned.set(tokenId, expires, nowMs + DAY_MS)
    if (expiresAtMs - issuedAtMs >= DAY_MS) {
      this.#telemetry.count('sallyport_token_expiry_warnings_total', { team })
      this.#telemetry.log('warn', 'token_expires_soon', { tokenId, team, app, env, expires })
    }
    return expires
  }
}
