import type { Hono } from 'hono'
import { createAdmin } from '../../src/admin/app.ts'
import { hmacKey, hmacKeyId } from '../../src/audit/hmac.ts'
import { AuditLog } from '../../src/audit/log.ts'
import { ExpiryWarnings } from '../../src/auth/expiry-warnings.ts'
import type { IssuerKeys } from '../../src/auth/issuer.ts'
import { TOKEN_LOCKOUT } from '../../src/auth/lockout-policy.ts'
import { Revocations } from '../../src/auth/revocations.ts'
import { createTokenIssuer, type IssuerResult, type ReadTokenIssuer } from '../../src/auth/token-issuer.ts'
import { createTokenVerifier } from '../../src/auth/verify-token.ts'
import { clientTlsPlaces } from '../../src/config/client-tls.ts'
import { type Config, embeddedFile } from '../../src/config/config.ts'
import { MAX_USAGE_ROWS, SHUTDOWN_DRAIN_MS, SHUTDOWN_QUEUE_MS, STORE_TIMEOUT_MS } from '../../src/config/limits.ts'
import { createCacheSalt } from '../../src/firewall/cache-salt.ts'
import { createGateway } from '../../src/gateway.ts'
import { createDigest } from '../../src/guard/digest.ts'
import type { Digest } from '../../src/guard/replacement.ts'
import { Admission } from '../../src/pipeline/admission.ts'
import { InputSizes } from '../../src/pipeline/input-sizes.ts'
import { compilePolicies, type PolicyBook } from '../../src/pipeline/policy-book.ts'
import { RequestMeter } from '../../src/pipeline/request-meter.ts'
import { RunningExchanges } from '../../src/pipeline/running.ts'
import { sampleGauges } from '../../src/pipeline/sample-gauges.ts'
import { UpstreamPool } from '../../src/pipeline/upstream-pool.ts'
import { HealthChecks } from '../../src/pool/health-checks.ts'
import type { Lockout } from '../../src/ports/lockout.ts'
import type { StateStore } from '../../src/ports/state-store.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import type { TokenRegistry } from '../../src/ports/token-registry.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import { createAskProxy } from '../../src/proxies/trusted-proxies.ts'
import { LeaseKeeper } from '../../src/quota/lease-keeper.ts'
import type { QuotaLimit } from '../../src/quota/limit.ts'
import { withOutageModes } from '../../src/quota/outage.ts'
import { createQuotaPlanner } from '../../src/quota/plan.ts'
import { UsageTotals } from '../../src/quota/usage-totals.ts'
import type { ValidatorServices } from '../../src/validators/validator.ts'
import { Validators } from '../../src/validators/validators.ts'
import { openAuditFile } from '../node/audit-file.ts'
import { nodeCertificates } from '../node/certificates.ts'
import { systemClock } from '../node/clock.ts'
import { reasonOf } from '../node/error-code.ts'
import { nodeHashing } from '../node/hashing.ts'
import type { RunningServer } from '../node/server.ts'
import { StartError } from '../node/start-error.ts'
import type { NodeTelemetry } from '../node/telemetry.ts'
import { ClientTlsFiles } from '../node/tls/client-tls-files.ts'
import { CommandFailure } from './failure.ts'
import { readKeyFile } from './key-files.ts'
import { currentRuntime, type Runtime } from './runtime.ts'
import { checkpointSigner, startCheckpoints } from './start-checkpoints.ts'
import { createTracer, startOtlp } from './start-otlp.ts'
import { loadIssuers } from './token-issuers.ts'

export interface RunningGateway {
  readonly url: string
  /** Of the admin listener, where there is one. */
  readonly adminUrl?: string
  /** Accepts nothing more, lets streams finish, then commits the log and closes everything. Safe to repeat. */
  close(): Promise<void>
}

export interface RunOptions {
  readonly config: Config
  /** What it counts is at `/metrics` of the admin listener. */
  readonly telemetry: NodeTelemetry
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
  const keys = await loadIssuers(config.tokens, telemetry)
  const issuer = config.admin?.issue && (await openIssuer(config.admin.issue.key, keys.own))
  const { checkpoint } = config.audit
  const signer = checkpoint && (await checkpointSigner(checkpoint, config.audit.file))
  const tlsFiles = await openClientTls(config, telemetry)
  const modelServers = upstream ?? (await (await currentRuntime()).createUpstream({ tlsOf: tlsFiles.of }))
  const clock = systemClock
  const sink = await opened(`audit.file: ${config.audit.file}`, () =>
    openAuditFile({
      path: config.audit.file,
      maxBytes: config.audit.maxBytes,
      maxAgeMs: config.audit.maxAgeMs,
      telemetry,
    }),
  )
  const audit = await opened(`audit.file: ${config.audit.file}`, () =>
    AuditLog.open({ sink, hashing, clock, telemetry }),
  )
  const checkpoints = await startCheckpoints(config.audit, audit, signer, { clock, telemetry })
  const { store, lockout, tokenLockout, registry, closeState } = await openState(config, telemetry)
  const running = new RunningExchanges()
  const revocations = new Revocations({
    ...config.tokens.revocation,
    registry,
    clock,
    telemetry,
    changed: () => running.endRevoked(revocations),
  })
  await revocations.start()
  const totals = config.admin && new UsageTotals(clock.now(), MAX_USAGE_ROWS)
  const pool = new UpstreamPool({
    models: config.models,
    clock,
    telemetry,
    changed: model => admission.changed(model),
  })
  const admission = new Admission({ config, pool, clock, telemetry })
  const metrics = () => {
    sampleGauges({ audit, pool }, telemetry.set)
    return telemetry.metrics()
  }
  const otlp = await startOtlp(config, { upstream: modelServers, telemetry, metrics, instance: audit.instance })
  const health = new HealthChecks(modelServers, Math.random)
  const services = {
    config,
    clock,
    hashing,
    telemetry,
    meter: new RequestMeter(telemetry),
    tracer: otlp && createTracer(config, otlp),
    store,
    lockout,
    tokenLockout,
    upstream: modelServers,
    audit,
    verifyToken: createTokenVerifier({ issuers: keys.issuers, clock, hashing }),
    keys: keys.sources,
    revocations,
    expiryWarnings: new ExpiryWarnings(config.tokens.expiryWarningMs, telemetry),
    running,
    askProxy: config.proxies && createAskProxy(config.proxies, nodeCertificates, clock),
    policies,
    planQuota: createQuotaPlanner(config.quotas, hashing),
    inputSizes: new InputSizes({
      upstream: modelServers,
      clock,
      hashing,
      telemetry,
      timeoutMs: config.timeouts.countMs,
    }),
    cacheSalt: createCacheSalt(hashing, hmac.key),
    leases: new LeaseKeeper(store, telemetry),
    pool,
    admission,
    totals,
    validators: createValidators(config, { upstream: modelServers, clock, hashing, telemetry }),
    hmac: { key: hmac.key, keyId: hmacKeyId(hashing, hmac.key) },
  }
  const closeParts = async () => {
    keys.close()
    tlsFiles.close()
    health.close()
    await otlp?.close()
    await modelServers.close()
    revocations.close()
    await registry.close()
    await closeState()
    await audit.close()
    await checkpoints?.close()
  }
  const { admin } = config
  const busy = new Set<string>()
  const servers: RunningServer[] = []
  const serve = async (
    appFor: (transport: Runtime['transport']) => Hono,
    { listen, tls }: Pick<Config, 'listen' | 'tls'>,
  ) => {
    const runtime = await currentRuntime(tls !== undefined)
    const app = appFor(runtime.transport)
    const server = await runtime.serve({ app, listen, tls, limits: config.limits, telemetry })
    servers.push(server)
    return server.url
  }
  const closeServers = () => Promise.all(servers.map(server => server.close(SHUTDOWN_DRAIN_MS)))
  /** Whoever waits for a model server may have its turn for a while; the rest of the time is for answers in progress. */
  const drain = async () => {
    const timer = setTimeout(() => admission.dismiss(), SHUTDOWN_QUEUE_MS)
    await closeServers()
    clearTimeout(timer)
  }
  try {
    // Before the data listener, so that whoever can send a request finds both.
    const adminUrl =
      admin && totals
        ? await serve(
            transport => createAdmin({ ...services, totals, registry, issuer, metrics, busy }, transport, !!admin.tls),
            admin,
          )
        : undefined
    const url = await serve(transport => createGateway(services, transport), config)
    keys.watch()
    health.start(pool.checkedServers())
    let closing: Promise<void> | undefined
    return {
      url,
      ...(adminUrl !== undefined && { adminUrl }),
      close: () => (closing ??= drain().then(closeParts)),
    }
  } catch (error) {
    await closeServers()
    await closeParts()
    if (error instanceof StartError) throw new CommandFailure(error.message)
    throw error
  }
}

async function openClientTls(config: Config, telemetry: Telemetry): Promise<ClientTlsFiles> {
  try {
    return await ClientTlsFiles.open(clientTlsPlaces(config), telemetry)
  } catch (error) {
    throw new CommandFailure(reasonOf(error))
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

/** @throws CommandFailure where no tokens could be issued now */
async function openIssuer(path: string, own: IssuerKeys): Promise<ReadTokenIssuer> {
  const first = await readIssuer(path, own)
  if (!first.ok) throw new CommandFailure(`admin.issue.key: ${first.reason}`)
  return () => readIssuer(path, own)
}

/** The private key for issuing over the admin API: one whose public part this gateway checks tokens with. */
async function readIssuer(path: string, own: IssuerKeys): Promise<IssuerResult> {
  let jwk: unknown
  try {
    jwk = await readKeyFile(path)
  } catch (error) {
    if (error instanceof CommandFailure) return { ok: false, reason: error.message }
    throw error
  }
  const created = await createTokenIssuer(jwk)
  if (!created.ok) return { ok: false, reason: `${path} ${created.reason}` }
  const { keyId } = created.issuer
  // Its public part may have been written a moment ago.
  if (!own.keys?.has(keyId)) await own.reload()
  if (own.keys?.has(keyId)) return created
  return { ok: false, reason: `${path}: its public key is not in tokens.jwks, so its tokens would be refused` }
}

interface State {
  readonly store: StateStore
  readonly lockout: Lockout
  readonly tokenLockout: Lockout
  readonly registry: TokenRegistry
  /** Closes what the others work on. */
  closeState(): Promise<void>
}

/** Loads the one store that is asked for: the other's library would only cost time and memory. */
async function openState(config: Config, telemetry: Telemetry): Promise<State> {
  const { state } = config
  const file = embeddedFile(state)
  if (file !== undefined) {
    const { Database } = await import('../embedded/database.ts')
    const { lockInstance } = await import('../embedded/instance-lock.ts')
    const { KeptWindows } = await import('../embedded/kept-windows.ts')
    const { createEmbeddedLockout } = await import('../embedded/lockout.ts')
    const { createEmbeddedStore } = await import('../embedded/state-store.ts')
    const { createEmbeddedTokenRegistry } = await import('../embedded/token-registry.ts')
    const database = await opened('state', async () => new Database(file))
    const unlock = config.quotas.length > 0 ? await opened('state', async () => lockInstance(file)) : undefined
    const kept = unlock && new KeptWindows(database, systemClock, telemetry)
    const store = await opened('state', async () => createEmbeddedStore(systemClock, kept))
    return {
      store,
      lockout: createEmbeddedLockout(systemClock),
      tokenLockout: createEmbeddedLockout(systemClock, TOKEN_LOCKOUT),
      registry: createEmbeddedTokenRegistry(database, systemClock),
      async closeState() {
        await store.close()
        database.close()
        unlock?.()
      },
    }
  }
  const { createRedisClient } = await import('../redis/client.ts')
  const { createRedisLockout } = await import('../redis/lockout.ts')
  const { createRedisStoreOn } = await import('../redis/state-store.ts')
  const { createRedisTokenRegistry } = await import('../redis/token-registry.ts')
  const client = await opened('state', async () =>
    createRedisClient({ url: state, timeoutMs: STORE_TIMEOUT_MS, telemetry }),
  )
  return {
    store: await toleratingOutages(createRedisStoreOn(client), config, telemetry),
    lockout: createRedisLockout(client, systemClock),
    tokenLockout: createRedisLockout(client, systemClock, TOKEN_LOCKOUT, undefined, 'token-lockout'),
    registry: createRedisTokenRegistry(client, { telemetry }),
    closeState: () => client.close(),
  }
}

/** Puts a breaker and the limits' outage modes in front of a store on the network. */
async function toleratingOutages(store: StateStore, config: Config, telemetry: Telemetry): Promise<StateStore> {
  const { quotas, instances } = config
  const isTolerant = ({ onOutage = 'deny' }: QuotaLimit) => onOutage !== 'deny'
  const { createEmbeddedStore } = await import('../embedded/state-store.ts')
  const local = createEmbeddedStore(systemClock)
  return withOutageModes({
    store,
    local,
    instances,
    tolerates: quotas.length > 0 && quotas.every(isTolerant),
    clock: systemClock,
    telemetry,
  })
}

async function opened<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    throw new CommandFailure(`${what}: ${reasonOf(error)}`)
  }
}
