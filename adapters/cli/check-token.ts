import { createTokenVerifier, isTokenRefusal, type TokenVerdict } from '../../src/auth/verify-token.ts'
import type { TokensConfig } from '../../src/config/config.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { systemClock } from '../node/clock.ts'
import { nodeHashing } from '../node/hashing.ts'
import { CommandFailure } from './failure.ts'
import { createIssuers } from './token-issuers.ts'

/** What goes wrong is in the failure of the command. */
const SILENT: Telemetry = { log: () => {}, count: () => {} }

/**
 * What a gateway with this configuration would say about a token. Looks for the keys of the token's own issuer alone.
 * @throws CommandFailure when those cannot be had
 */
export async function checkToken(token: string, tokens: TokensConfig): Promise<TokenVerdict> {
  const { issuers, sources } = await createIssuers(tokens, SILENT)
  const verdict = await createTokenVerifier({ issuers, clock: systemClock, hashing: nodeHashing })(token)
  if (!isTokenRefusal(verdict) || verdict.reason !== 'keys_unavailable') return verdict
  const [issuer, source] = [...sources].find(([, { failure }]) => failure !== undefined) ?? []
  throw new CommandFailure(`the keys of ${issuer} cannot be used: ${source?.failure}`)
}
