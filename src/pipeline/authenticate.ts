import type { Principal } from '../auth/principal.ts'
import type { RefusedToken } from '../auth/token-refusal.ts'
import { isTokenRefusal } from '../auth/verify-token.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/** What becomes of the requests of a revoked token: new ones, and those on their way. */
export const REVOKED: Refusal = { code: 'invalid_token', reason: 'revoked' }

const BEARER = /^Bearer +([^ ]+) *$/i

/**
 * Who is it? Sets `forwarded`, `principal` and `expires`; from then on the exchange is one of those that run. All failures
 * share one public answer; the reason goes to the record. An address that failed too often is locked out, except for tokens
 * that were verified before: those who share it go on working. So is a token that is refused too often.
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
  const { address } = exchange
  const verdict = services.verifyToken(token, () => services.lockout.lockedForMs(address) > 0)
  if (
    !(verdict instanceof Promise) &&
    !isTokenRefusal(verdict) &&
    services.revocations.standing(verdict) === 'good' &&
    !misbound(verdict, exchange, services)
  ) {
    return admit(exchange, services, verdict)
  }
  return settled(exchange, services, verdict)
}

function admit(exchange: Exchange, services: Services, principal: Principal): undefined {
  exchange.principal = principal
  exchange.expires = services.expiryWarnings.of(principal, exchange.receivedAt)
  services.running.add(exchange)
}

/**
 * For a token that was not verified before, that is known to be bad, or that may have been revoked. A token id is locked
 * out for attempts that fail anyway, never for one that succeeds: whoever repeats a token without what goes with it cannot
 * keep its holder out. An attempt that the lock of its token answers is no guess, and does not count against the address.
 */
async function settled(
  exchange: Exchange,
  services: Services,
  verdict: ReturnType<Services['verifyToken']>,
): Promise<Refusal | undefined> {
  const { address } = exchange
  const lockedMs = services.lockout.lockedForMs(address)
  const verified = await verdict
  const isUnseen = isTokenRefusal(verified) && verified.reason === 'locked_out'
  if (lockedMs > 0 || isUnseen) return lockedOut('address_locked_out', Math.max(lockedMs, 1))
  const result = isTokenRefusal(verified) ? verified : (misbound(verified, exchange, services) ?? verified)
  if (!isTokenRefusal(result)) {
    const standing = services.revocations.standing(result)
    if (standing === 'good') return admit(exchange, services, result)
    // Its claims were verified: the record may say whose it is.
    exchange.principal = result
    if (standing === 'unknown') return { code: 'revocations_unavailable', headers: { 'retry-after': '1' } }
    // Answered from memory: a lock of its own would only tell whoever holds it that it was good once.
    await services.lockout.failed(address)
    return REVOKED
  }
  // Nobody guessed: the token may well be good.
  if (result.reason === 'keys_unavailable') return { code: 'keys_unavailable', reason: result.reason }
  // Its claims were verified: the record may say whose token it is.
  if (!isTokenRefusal(verified)) exchange.principal = verified
  exchange.refusedTokenId = result.tokenId
  const locked = await failed(exchange, services, result.tokenId)
  if (locked) return locked
  const detail = 'claim' in result ? `:${result.claim}` : 'header' in result ? `:${result.header}` : ''
  return { code: 'invalid_token', reason: result.reason + detail }
}

/** Counts a failure, of the address and of the token that it names; a refusal where that one is locked out. */
async function failed(
  { address }: Exchange,
  { lockout, tokenLockout }: Services,
  tokenId: string | undefined,
): Promise<Refusal | undefined> {
  const lockedMs = tokenId === undefined ? 0 : tokenLockout.lockedForMs(tokenId)
  if (lockedMs > 0) return lockedOut('token_locked_out', lockedMs)
  await Promise.all([lockout.failed(address), tokenId === undefined ? undefined : tokenLockout.failed(tokenId)])
  return undefined
}

function lockedOut(reason: string, forMs: number): Refusal {
  return { code: 'too_many_failures', reason, headers: { 'retry-after': String(Math.ceil(forMs / 1000)) } }
}

/** Why a good token is no good on this connection. */
function misbound(principal: Principal, exchange: Exchange, services: Services): RefusedToken | undefined {
  const { certThumbprint, tokenId } = principal
  if (certThumbprint !== undefined) {
    return certThumbprint === exchange.certificate?.thumbprint ? undefined : { reason: 'certificate_mismatch', tokenId }
  }
  return services.config.tokens.requireBound ? { reason: 'not_certificate_bound', tokenId } : undefined
}
