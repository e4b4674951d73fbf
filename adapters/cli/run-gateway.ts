import { hmacKey, hmacKeyId } from '../../src/audit/hmac.ts'
import { AuditLog } from '../../src/audit/log.ts'
import { importKeySet, type KeySet } from '../../src/auth/key-set.ts'
import { createTokenVerifier } from '../../src/auth/verify-token.ts'
import type { Config } from '../../src/config/config.ts'
import { SHUTDOWN_DRAIN_MS, STORE_TIMEOUT_MS } from '../../src/config/limits.ts'
import { createGateway } from '../../src/gateway.ts'
import { createDigest } from '../../src/guard/digest.ts'
import type { Digest } from '../../src/guard/replacement.ts'
import { compilePolicies, type PolicyBook } from '../../src/pipeline/policy-book.ts'
import { UpstreamPool } from '../../src/pipeline/upstream-pool.ts'
import type { Lockout } from '../../src/ports/lockout.ts'
import type { StateStore } from '../../src/ports/state-store.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import { createAskProxy } from '../../src/proxies/trusted-proxies.ts'
import { createQuotaPlanner } from '../../src/quota/plan.ts'
import type { ValidatorServices } from '../../src/validators/validator.ts'
import { Validators } from '../../src/validators/validators.ts'
import { openAuditFile } from '../node/audit-file.ts'
import { nodeCertificates } from '../node/certificates.ts'
import { systemClock } from '../node/clock.ts'
import { reasonOf } from '../node/error-code.ts'
import { nodeHashing } from '../node/hashing.ts'
import { StartError } from '../node/start-error.ts'
import { CommandFailure } from './failure.ts'
import { readKeyFile } from './key-files.ts'
import { currentRuntime } from './runtime.ts'

export interface RunningGateway {
  readonly url: string
  /** Accepts nothing more, lets streams finish, then commits the log and closes everything. Safe to repeat. */
  close(): Promise<void>
}

export interface RunOptions {
  readonly config: Config
  readonly telemetry: Telemetry
  /** In place of the runtime's own: how `dev` puts its demo model behind the gateway. */
  readonly upstream?: Upstream
}

/**
 * Puts the parts together for a configuration and starts to listen. Everything that could make serving unsafe is looked at
 * before the first caller is let in.
 * @throws CommandFailure with what is wrong and the file, field or address it is wrong with
 */
export async function runGateway({ config, telemetry, upstream }: RunOptions): Promise<RunningGateway> {
  const hmac = hmacKey(config.audit.hmacSecret)
  if (!hmac.ok) throw new CommandFailure(`audit.hmacSecret: ${hmac.reason}`)
  const hashing = nodeHashing
  const policies = readPolicies(config, createDigest(hashing, hmac.key))
  const keySet = await readKeySet(config.tokens.jwks)
  const runtime = await currentRuntime(config.tls !== undefined)
  const modelServers = upstream ?? (await runtime.createUpstream())
  const clock = systemClock
  const sink = await opened(`audit.file: ${config.audit.file}`, () =>
    openAuditFile({ path: config.audit.file, maxBytes: config.audit.maxBytes, telemetry }),
  )
  const audit = await opened(`audit.file: ${config.audit.file}`, () =>
    AuditLog.open({ sink, hashing, clock, telemetry }),
  )
  const { store, lockout } = await openState(config, telemetry)
  const services = {
    config,
    clock,
    hashing,
    telemetry,
    store,
    lockout,
    upstream: modelServers,
    audit,
    verifyToken: createTokenVerifier({ ...config.tokens, keySet, clock, hashing }),
    askProxy: config.proxies && createAskProxy(config.proxies, nodeCertificates, clock),
    policies,
    planQuota: createQuotaPlanner(config.quotas, hashing),
    pool: new UpstreamPool(),
    validators: createValidators(config, { upstream: modelServers, clock, hashing, telemetry }),
    hmac: { key: hmac.key, keyId: hmacKeyId(hashing, hmac.key) },
  }
  const closeParts = async () => {
    await modelServers.close()
    await store.close()
    await audit.close()
  }
  try {
    const app = createGateway(services, runtime.transport)
    const server = await runtime.serve({ app, listen: config.listen, tls: config.tls, telemetry })
    let closing: Promise<void> | undefined
    return {
      url: server.url,
      close: () => (closing ??= server.close(SHUTDOWN_DRAIN_MS).then(closeParts)),
    }
  } catch (error) {
    await closeParts()
    if (error instanceof StartError) throw new CommandFailure(error.message)
    throw error
  }
}

function createValidators({ guard }: Config, services: ValidatorServices): Validators | undefined {
  return guard.validators.length === 0 ? undefined : new Validators(guard.validators, services)
}

function readPolicies(config: Config, digest: Digest): PolicyBook {
  const compiled = compilePolicies(config.guard, digest)
  if (compiled.ok) return compiled.book
  const lines = compiled.faults.map(({ rule, reason }) => `  guard.rules: ${rule}: ${reason}`)
  throw new CommandFailure(`the guard's rules cannot be compiled:\n${lines.join('\n')}`)
}

async function readKeySet(path: string): Promise<KeySet> {
  const imported = await importKeySet(await readKeyFile(path))
  if (imported.ok) return imported.keySet
  throw new CommandFailure(`tokens.jwks: ${path}: ${imported.reason}`)
}

/** Loads the one store that is asked for: the other's library would only cost time and memory. */
async function openState(config: Config, telemetry: Telemetry): Promise<{ store: StateStore; lockout: Lockout }> {
  if (config.state === 'embedded') {
    const { createEmbeddedLockout } = await import('../embedded/lockout.ts')
    const { createEmbeddedStore } = await import('../embedded/state-store.ts')
    return { store: createEmbeddedStore(systemClock), lockout: createEmbeddedLockout(systemClock) }
  }
  const { createRedisClient } = await import('../redis/client.ts')
  const { createRedisLockout } = await import('../redis/lockout.ts')
  const { createRedisStoreOn } = await import('../redis/state-store.ts')
  const client = createRedisClient({ url: config.state, timeoutMs: STORE_TIMEOUT_MS, telemetry })
  return { store: createRedisStoreOn(client), lockout: createRedisLockout(client, systemClock) }
}

async function opened<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    throw new CommandFailure(`${what}: ${reasonOf(error)}`)
  }
}
