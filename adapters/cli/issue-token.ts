import { setTimeout as sleep } from 'node:timers/promises'
import { decodeProtectedHeader, importJWK, type JWK, SignJWT } from 'jose'
import { issuedToken } from '../../src/auth/issued-token.ts'
import type { Principal } from '../../src/auth/principal.ts'
import { RevocationList } from '../../src/auth/revocation-list.ts'
import { type Claims, checkClaims, type TokenProfile } from '../../src/auth/token-profile.ts'
import { isTokenRefusal, type TokenVerdict } from '../../src/auth/verify-token.ts'
import type { StateLocation } from '../../src/config/config.ts'
import { CommandFailure, UsageError } from './failure.ts'
import { isOpenToOthers, readKeyFile, type StoredKey } from './key-files.ts'
import { withRegistry } from './open-registry.ts'
import { note } from './print.ts'

export interface SignedToken {
  readonly token: string
  readonly principal: Principal
}

/**
 * Makes a token and records it in the registry at a place; one that cannot be recorded is not given out. Tokens say in whole
 * seconds when they were issued, so behind a revocation of all that was issued up to now, this waits for the next second.
 */
export function issueToken(make: () => Promise<SignedToken>, state: StateLocation): Promise<SignedToken> {
  return withRegistry(state, { create: true }, async registry => {
    const revoked = new RevocationList()
    revoked.add((await registry.revocations()).revocations, Date.now())
    let made = await make()
    if (revoked.isRevoked(made.principal)) {
      await sleep(1000 - (Date.now() % 1000))
      made = await make()
      if (revoked.isRevoked(made.principal)) throw new CommandFailure('the gateway would refuse this token: revoked')
    }
    await registry.record(issuedToken(made.principal, decodeProtectedHeader(made.token).kid ?? ''))
    return made
  })
}

/** No token leaves here that the gateway would refuse. */
export function usablePrincipal(claims: Claims, profile: TokenProfile, nowMs: number): Principal {
  const verdict: TokenVerdict = checkClaims(claims, profile, nowMs)
  if (!isTokenRefusal(verdict)) return verdict
  const claim = 'claim' in verdict ? ` (${verdict.claim})` : ''
  throw new UsageError(`the gateway would refuse this token: ${verdict.reason}${claim}`)
}

/** Signs claims with the private key in a file. */
export async function signToken(claims: Claims, path: string): Promise<string> {
  const jwk = (await readKeyFile(path)) as Partial<StoredKey> | null
  const { kid, alg } = jwk ?? {}
  if (typeof kid !== 'string' || typeof alg !== 'string' || jwk?.d === undefined || jwk.kty === 'oct') {
    throw new CommandFailure(`${path} is no private signing key with "kid" and "alg" (sallyport keys init makes one)`)
  }
  if (await isOpenToOthers(path)) note(`warning: ${path} can be read by others; chmod 600 closes it`)
  try {
    const key = await importJWK(jwk as JWK, alg)
    return await new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'at+jwt' }).sign(key)
  } catch {
    // The library's messages may name parts of the key.
    throw new CommandFailure(`${path} is not a valid ${alg} key`)
  }
}
