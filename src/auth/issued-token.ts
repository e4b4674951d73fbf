import type { IssuedToken } from '../ports/token-registry.ts'
import type { Principal } from './principal.ts'

/** What the registry keeps of a token: of one that `checkClaims` has found good, and the key it is signed with. */
export function issuedToken(principal: Principal, keyId: string): IssuedToken {
  const { tokenId, subject, team, app, env, scopes, models, issuedAtMs, expiresAtMs, certThumbprint } = principal
  return {
    tokenId,
    subject,
    team,
    app,
    env,
    scopes: [...scopes],
    models,
    issuedAtMs,
    expiresAtMs,
    keyId,
    ...(certThumbprint !== undefined && { certThumbprint }),
  }
}
