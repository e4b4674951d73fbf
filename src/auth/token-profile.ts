import {
  CLOCK_TOLERANCE_MS,
  MAX_MODEL_GLOB_CHARACTERS,
  MAX_NAME_CHARACTERS,
  MAX_SCOPE_CHARACTERS,
  MAX_TOKEN_MODELS,
} from '../config/limits.ts'
import { parseLimits } from './claimed-limits.ts'
import type { Principal } from './principal.ts'
import type { ClaimName, TokenRefusal } from './token-refusal.ts'

/** What a token has to say about itself (RFC 9068 in form, with our own claims). */
export interface TokenProfile {
  readonly issuer: string
  /** One, or several of which the token has to name one. */
  readonly audience: string | readonly string[]
  readonly maxLifetimeMs: number
}

export type Claims = Readonly<Record<string, unknown>>

const REQUIRED = ['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'sub', 'team', 'app', 'env', 'scope'] as const
const NAMES = ['jti', 'team', 'app', 'env'] as const
const DATES = ['exp', 'nbf', 'iat'] as const

/** Past this (the year 5138) a NumericDate is a mistake: most often milliseconds for seconds. */
const MAX_NUMERIC_DATE = 100_000_000_000
const MAX_SUBJECT_CHARACTERS = 255
const MAX_AUDIENCES = 16
/** 32 bytes; the last character holds four of their bits. */
export const SHA256_BASE64URL = /^[\w-]{42}[AEIMQUYcgkosw048]$/

/** The `typ` of our tokens (RFC 9068 §2.1); any other kind of JWT is never taken for one. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** Whether a `typ` is one of the media types, which may leave `application/` away (RFC 7515 §4.1.9); `none`: no `typ`. */
export function hasType(typ: unknown, types: readonly string[]): boolean {
  if (typ === undefined) return types.includes('none')
  return typeof typ === 'string' && typ !== 'none' && types.includes(typ.toLowerCase().replace(/^application\//, ''))
}

/** A team, application, environment or token id: safe in store keys, metric labels and file names. */
export function isClaimName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS && /^[A-Za-z0-9._-]+$/.test(value)
}

/** Space-separated scopes (RFC 6749 §3.3); undefined where the text is none. */
export function parseScope(value: unknown): ReadonlySet<string> | undefined {
  if (typeof value !== 'string' || value.length > MAX_SCOPE_CHARACTERS) return undefined
  const scopes = value.split(' ')
  return scopes.every(scope => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)) ? new Set(scopes) : undefined
}

/** Globs of model ids; undefined where the value is no such list. */
export function parseModels(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_TOKEN_MODELS) return undefined
  const ok = (glob: unknown) => typeof glob === 'string' && glob !== '' && glob.length <= MAX_MODEL_GLOB_CHARACTERS
  return value.every(ok) ? (value as string[]) : undefined
}

/**
 * Checks the claims of a token whose signature has been verified, at the moment `nowMs` (Unix epoch). Pure. Clocks may
 * differ by 30 s for `nbf` and `iat`, never for `exp`.
 */
export function checkClaims(claims: Claims, profile: TokenProfile, nowMs: number): Principal | TokenRefusal {
  const missing = REQUIRED.find(claim => claims[claim] === undefined)
  if (missing !== undefined) return { reason: 'missing_claim', claim: missing }
  const badName = NAMES.find(claim => !isClaimName(claims[claim]))
  if (badName !== undefined) return invalid(badName)
  const badDate = DATES.find(claim => !isNumericDate(claims[claim]))
  if (badDate !== undefined) return invalid(badDate)
  if (!isSubject(claims.sub)) return invalid('sub')
  const scopes = claims.scope instanceof Set ? (claims.scope as ReadonlySet<string>) : parseScope(claims.scope)
  if (scopes === undefined) return invalid('scope')
  const models = claims.models === undefined ? ['*'] : parseModels(claims.models)
  if (models === undefined) return invalid('models')
  const limits = claims.limits === undefined ? undefined : parseLimits(claims.limits)
  if (limits === undefined && claims.limits !== undefined) return invalid('limits')
  const certThumbprint = claims.cnf === undefined ? undefined : boundTo(claims.cnf)
  if (claims.cnf !== undefined && certThumbprint === undefined) return invalid('cnf')
  if (claims.priority !== undefined && !isClaimName(claims.priority)) return invalid('priority')

  if (claims.iss !== profile.issuer) return { reason: 'wrong_issuer' }
  if (!isFor(claims.aud, profile.audience)) return { reason: 'wrong_audience' }
  return (
    checkTimes(claims, profile.maxLifetimeMs, nowMs) ?? {
      tokenId: claims.jti as string,
      issuer: profile.issuer,
      subject: claims.sub,
      team: claims.team as string,
      app: claims.app as string,
      env: claims.env as string,
      scopes,
      models,
      ...(limits && { limits }),
      ...(claims.priority !== undefined && { priority: claims.priority as string }),
      issuedAtMs: (claims.iat as number) * 1000,
      expiresAtMs: (claims.exp as number) * 1000,
      ...(certThumbprint !== undefined && { certThumbprint }),
    }
  )
}

/**
 * The thumbprint of the certificate that a token is bound to (RFC 8705). Any other confirmation would be a condition that is not
 * checked here, so a token with one is of no use.
 */
function boundTo(cnf: unknown): string | undefined {
  if (typeof cnf !== 'object' || cnf === null || Object.keys(cnf).length !== 1) return undefined
  const thumbprint = (cnf as Record<string, unknown>)['x5t#S256']
  return typeof thumbprint === 'string' && SHA256_BASE64URL.test(thumbprint) ? thumbprint : undefined
}

function checkTimes(claims: Claims, maxLifetimeMs: number, nowMs: number): TokenRefusal | undefined {
  const [expiresMs = 0, notBeforeMs = 0, issuedMs = 0] = DATES.map(claim => (claims[claim] as number) * 1000)
  if (nowMs >= expiresMs) return { reason: 'expired' }
  if (notBeforeMs > nowMs + CLOCK_TOLERANCE_MS || issuedMs > nowMs + CLOCK_TOLERANCE_MS) {
    return { reason: 'not_yet_valid' }
  }
  return expiresMs - issuedMs > maxLifetimeMs ? { reason: 'lifetime_too_long' } : undefined
}

function isNumericDate(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_NUMERIC_DATE
}

function isSubject(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_SUBJECT_CHARACTERS && /^[^\p{Cc}]+$/u.test(value)
}

function isFor(aud: unknown, audience: string | readonly string[]): boolean {
  const named: unknown[] = Array.isArray(aud) ? aud : [aud]
  const accepted: readonly unknown[] = typeof audience === 'string' ? [audience] : audience
  return named.length <= MAX_AUDIENCES && named.some(name => accepted.includes(name))
}

function invalid(claim: ClaimName): TokenRefusal {
  return { reason: 'invalid_claim', claim }
}
