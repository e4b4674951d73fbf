import type { Principal } from '../auth/principal.ts'
import type { TokenRefusal } from '../auth/token-refusal.ts'
import { isTokenRefusal } from '../auth/verify-token.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

const BEARER = /^Bearer +([^ ]+) *$/i

/**
 * Who is it? Sets `forwarded` and `principal`. All failures share one public answer; the reason goes to the record. An
 * address that failed too often is locked out, except for tokens that were verified before: those who share it go on working.
 *
 * A token that is bound to a certificate is good on a connection of that certificate only. What is remembered of a token is
 * what it says; whether it fits the connection is looked at with every request.
 */
export function authenticate(
  exchange: Exchange,
  services: Services,
): Refusal | undefined | Promise<Refusal | undefined> {
  if (services.askProxy) {
    const said = services.askProxy(exchange.connection)
    if (said && 'unreadable' in said) {
      return { code: 'invalid_token', reason: `proxy_header_malformed:${said.unreadable}` }
    }
    exchange.forwarded = said
  }
  const { authorization, apiKey } = exchange
  const token = authorization === undefined ? apiKey : BEARER.exec(authorization)?.[1]
  if (token === undefined) {
    // Without a credential nothing was guessed: no failure is counted.
    const reason = authorization === undefined ? 'token_missing' : 'authorization_malformed'
    return { code: 'invalid_token', reason }
  }
  const verdict = services.verifyToken(token)
  if (!(verdict instanceof Promise) && !isTokenRefusal(verdict) && !misbound(verdict, exchange, services)) {
    exchange.principal = verdict
    return undefined
  }
  return settled(exchange, services, verdict)
}

/** For a token that was not verified before, or that is known to be bad. */
async function settled(
  exchange: Exchange,
  services: Services,
  verdict: ReturnType<Services['verifyToken']>,
): Promise<Refusal | undefined> {
  const { address } = exchange
  const lockedMs = services.lockout.lockedForMs(address)
  const verified = await verdict
  const result = isTokenRefusal(verified) ? verified : (misbound(verified, exchange, services) ?? verified)
  if (lockedMs > 0) {
    return {
      code: 'too_many_failures',
      reason: 'address_locked_out',
      headers: { 'retry-after': String(Math.ceil(lockedMs / 1000)) },
    }
  }
  if (!isTokenRefusal(result)) {
    exchange.principal = result
    return undefined
  }
  // Its claims were verified: the record may say whose token it is.
  if (!isTokenRefusal(verified)) exchange.principal = verified
  await services.lockout.failed(address)
  const detail = 'claim' in result ? `:${result.claim}` : 'header' in result ? `:${result.header}` : ''
  return { code: 'invalid_token', reason: result.reason + detail }
}

/** Why a good token is no good on this connection. */
function misbound(principal: Principal, exchange: Exchange, services: Services): TokenRefusal | undefined {
  const { certThumbprint } = principal
  if (certThumbprint !== undefined) {
    return certThumbprint === exchange.certificate?.thumbprint ? undefined : { reason: 'certificate_mismatch' }
  }
  return services.config.tokens.requireBound ? { reason: 'not_certificate_bound' } : undefined
}
