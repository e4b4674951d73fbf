import { hmacKey, hmacKeyId } from '../../src/audit/hmac.ts'
import { ExpiryWarnings } from '../../src/auth/expiry-warnings.ts'
import type { ReadTokenIssuer } from '../../src/auth/token-issuer.ts'
import { createTokenVerifier } from '../../src/auth/verify-token.ts'
import { type ClientTlsPlace, clientTlsPlaces } from '../../src/config/client-tls.ts'
import type { Config } from '../../src/config/config.ts'
import { createCacheSalt } from '../../src/firewall/cache-salt.ts'
import { createDigest } from '../../src/guard/digest.ts'
import type { Digest } from '../../src/guard/replacement.ts'
import { compilePolicies, type PolicyBook } from '../../src/pipeline/policy-book.ts'
import type { Services } from '../../src/pipeline/services.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Hashing } from '../../src/ports/hashing.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import { createAskProxy } from '../../src/proxies/trusted-proxies.ts'
import { createQuotaPlanner } from '../../src/quota/plan.ts'
import { Validators } from '../../src/validators/validators.ts'
import { nodeCertificates } from '../node/certificates.ts'
import { reasonOf } from '../node/error-code.ts'
import { ClientTlsFiles } from '../node/tls/client-tls-files.ts'
import { CommandFailure } from './failure.ts'
import { loadIssuers, type TokenIssuers } from './token-issuers.ts'
import { openIssuer } from './token-issuing.ts'

/** The services that go by the configuration alone. */
type Decided =
  | 'config'
  | 'hmac'
  | 'cacheSalt'
  | 'policies'
  | 'keys'
  | 'verifyToken'
  | 'expiryWarnings'
  | 'askProxy'
  | 'planQuota'
  | 'validators'

/**
 * What one configuration decides. A reload makes the next one, of which the parts that have not changed are those of the one
 * before, with all that they remember; requests that run keep the one that they began with.
 */
export interface Generation {
  readonly decided: Pick<Services, Decided>
  readonly issuers: TokenIssuers
  readonly issuer: ReadTokenIssuer | undefined
  readonly tls: { readonly places: readonly ClientTlsPlace[]; readonly files: ClientTlsFiles }
}

export interface GenerationServices {
  readonly clock: Clock
  readonly hashing: Hashing
  readonly telemetry: Telemetry
  readonly upstream: Upstream
}

/**
 * Reads and compiles what the configuration names. Touches nothing that is in use.
 * @param before whose parts `config` shares where they are the same (`shareUnchanged`)
 * @throws CommandFailure with what is wrong and the key or file it is wrong with; then nothing is left open
 */
export async function nextGeneration(
  config: Config,
  services: GenerationServices,
  before?: Generation,
): Promise<Generation> {
  const { hashing, telemetry, clock } = services
  const known = before?.decided
  const had = known?.config
  const secret = hmacKey(config.audit.hmacSecret)
  if (!secret.ok) throw new CommandFailure(`audit.hmacSecret: ${secret.reason}`)
  const { key } = secret
  const sameSecret = known !== undefined && had?.audit.hmacSecret === config.audit.hmacSecret
  const { quotas, instances, proxies, tokens, guard } = config
  // First what only computes: what is opened has to be closed where something behind it fails.
  const policies =
    known && sameSecret && had?.guard === guard ? known.policies : readPolicies(config, createDigest(hashing, key))
  const planQuota =
    known && had?.quotas === quotas && had.instances === instances
      ? known.planQuota
      : createQuotaPlanner(quotas, hashing)
  const askProxy =
    known && had?.proxies === proxies ? known.askProxy : proxies && createAskProxy(proxies, nodeCertificates, clock)
  const expiryWarnings =
    known && had?.tokens.expiryWarningMs === tokens.expiryWarningMs
      ? known.expiryWarnings
      : new ExpiryWarnings(tokens.expiryWarningMs, telemetry)

  const issuers = await loadIssuers(tokens, telemetry, before?.issuers)
  try {
    const path = config.admin?.issue?.key
    const issuer = path === undefined ? undefined : await openIssuer(path, issuers.own)
    const places = clientTlsPlaces(config)
    const files =
      before && isSame(before.tls.places, places) ? before.tls.files : await openClientTls(places, telemetry)
    return {
      issuers,
      issuer,
      tls: { places, files },
      decided: {
        config,
        policies,
        planQuota,
        askProxy,
        expiryWarnings,
        hmac: known && sameSecret ? known.hmac : { key, keyId: hmacKeyId(hashing, key) },
        cacheSalt: known && sameSecret ? known.cacheSalt : createCacheSalt(hashing, key),
        keys: issuers.sources,
        verifyToken: createTokenVerifier({ issuers: issuers.issuers, clock, hashing, before: known?.verifyToken }),
        validators:
          guard.validators.length === 0 ? undefined : new Validators(guard.validators, services, known?.validators),
      },
    }
  } catch (error) {
    issuers.close(before?.issuers)
    throw error
  }
}

/** Closes what a generation has opened, but what another one goes on with. */
export function closeGeneration({ issuers, tls }: Generation, other?: Generation): void {
  issuers.close(other?.issuers)
  if (tls.files !== other?.tls.files) tls.files.close()
}

async function openClientTls(places: readonly ClientTlsPlace[], telemetry: Telemetry): Promise<ClientTlsFiles> {
  try {
    return await ClientTlsFiles.open(places, telemetry)
  } catch (error) {
    throw new CommandFailure(reasonOf(error))
  }
}

/** Wherever in the file they stand. */
function isSame(some: readonly ClientTlsPlace[], others: readonly ClientTlsPlace[]): boolean {
  const all = (places: readonly ClientTlsPlace[]) => new Map(places.map(({ origin, tls }) => [origin, tls]))
  const [one, other] = [all(some), all(others)]
  return (
    one.size === other.size &&
    [...one].every(([origin, tls]) => JSON.stringify(other.get(origin)) === JSON.stringify(tls))
  )
}

function readPolicies(config: Config, digest: Digest): PolicyBook {
  const compiled = compilePolicies(config.guard, digest)
  if (compiled.ok) return compiled.book
  const lines = compiled.faults.map(({ rule, reason }) => `  guard.rules: ${rule}: ${reason}`)
  throw new CommandFailure(`the guard's rules cannot be compiled:\n${lines.join('\n')}`)
}
