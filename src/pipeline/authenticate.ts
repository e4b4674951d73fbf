import { isTokenRefusal } from '../auth/verify-token.ts'
import type { Refusal } from '../errors/refusal.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

const BEARER = /^Bearer +([^ ]+) *$/i

/**
 * Who is it? Sets `principal`. All failures share one public answer; the reason goes to the record. An address that failed
 * too often is locked out, except for tokens that were verified before: those who share it go on working.
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

/** For a token that was not verified before, or that is known to be bad. */
async function settled(
  exchange: Exchange,
  services: Services,
  verdict: ReturnType<Services['verifyToken']>,
): Promise<Refusal | undefined> {
  const { address } = exchange.connection
  const lockedMs = services.lockout.lockedForMs(address)
  const result = await verdict
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
  // Nobody guessed: the token may well be good.
  if (result.reason === 'keys_unavailable') return { code: 'keys_unavailable', reason: result.reason }
  await services.lockout.failed(address)
  const detail = 'claim' in result ? `:${result.claim}` : 'header' in result ? `:${result.header}` : ''
  return { code: 'invalid_token', reason: result.reason + detail }
}
