import { setTimeout as sleep } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import { issuedToken } from '../../src/auth/issued-token.ts'
import type { Principal } from '../../src/auth/principal.ts'
import { RevocationList } from '../../src/auth/revocation-list.ts'
import { createTokenIssuer } from '../../src/auth/token-issuer.ts'
import { type Claims, checkClaims, type TokenProfile } from '../../src/auth/token-profile.ts'
import { isTokenRefusal, type TokenVerdict } from '../../src/auth/verify-token.ts'
import type { StateLocation } from '../../src/config/config.ts'
import { CommandFailure, UsageError } from './failure.ts'
import { isOpenToOthers, readKeyFile } from './key-files.ts'
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
      // A timer may fire a millisecond early.
      await sleep(1002 - (Date.now() % 1000))
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
  const created = await createTokenIssuer(await readKeyFile(path))
  if (!created.ok) throw new CommandFailure(`${path} ${created.reason}`)
  if (await isOpenToOthers(path)) note(`warning: ${path} can be read by others; chmod 600 closes it`)
  return created.issuer.sign(claims)
}
