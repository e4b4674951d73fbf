import { isTokenRefusal } from '../auth/verify-token.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

const BEARER = /^Bearer +([^ ]+) *$/i

/**
 * Who is it? Sets `principal`. All failures share one public answer; the reason goes to the record. An address that failed
 * too often is locked out, except for tokens that were verified before: those who share it go on working. So is a token
 * that is refused too often.
 */
export function authenticate(
  exchange: Exchange,
  services: Services,
): Refusal | undefined | Promise<Refusal | undefined> {
  const { authorization, apiKey } = exchange
  const token = authorization === undefined ? apiKey : BEARER.exec(authorization)?.[1]
  if (token === undefined) {
    // Without a credential nothing was guessed: no failure is counted.
    const reason = authorization === undefined ? 'token_missing' : 'authorization_malformed'
    return { code: 'invalid_token', reason }
  }
  const verdict = services.verifyToken(token)
  if (!(verdict instanceof Promise) && !isTokenRefusal(verdict)) {
    exchange.principal = verdict
    return undefined
  }
  return settled(exchange, services, verdict)
}

/**
 * For a token that was not verified before, or that is known to be bad. A token id is locked out for attempts that fail
 * anyway, never for one that succeeds: whoever repeats a token without what goes with it cannot keep its holder out. An
 * attempt that the lock of its token answers is no guess, and does not count against the address.
 */
async function settled(
  exchange: Exchange,
  services: Services,
  verdict: ReturnType<Services['verifyToken']>,
): Promise<Refusal | undefined> {
  const { lockout, tokenLockout } = services
  const { address } = exchange.connection
  const lockedMs = lockout.lockedForMs(address)
  const result = await verdict
  if (lockedMs > 0) return lockedOut('address_locked_out', lockedMs)
  if (!isTokenRefusal(result)) {
    exchange.principal = result
    return undefined
  }
  const { tokenId } = result
  exchange.refusedTokenId = tokenId
  const tokenLockedMs = tokenId === undefined ? 0 : tokenLockout.lockedForMs(tokenId)
  if (tokenLockedMs > 0) return lockedOut('token_locked_out', tokenLockedMs)
  await Promise.all([lockout.failed(address), tokenId === undefined ? undefined : tokenLockout.failed(tokenId)])
  const detail = 'claim' in result ? `:${result.claim}` : 'header' in result ? `:${result.header}` : ''
  return { code: 'invalid_token', reason: result.reason + detail }
}

function lockedOut(reason: string, forMs: number): Refusal {
  return { code: 'too_many_failures', reason, headers: { 'retry-after': String(Math.ceil(forMs / 1000)) } }
}
