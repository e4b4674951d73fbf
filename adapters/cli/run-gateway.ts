import type { Hono } from 'hono'
import { createAdmin } from '../../src/admin/app.ts'
import { AuditLog } from '../../src/audit/log.ts'
import { AuditSearch } from '../../src/audit/search.ts'
import { Revocations } from '../../src/auth/revocations.ts'
import type { Config } from '../../src/config/config.ts'
import {
  ADMIN_CALLS_PER_MINUTE,
  MAX_USAGE_ROWS,
  SHUTDOWN_DRAIN_MS,
  SHUTDOWN_QUEUE_MS,
} from '../../src/config/limits.ts'
import { changedParts, needsRestart } from '../../src/config/restart.ts'
import { shareUnchanged } from '../../src/config/share.ts'
import { createGateway } from '../../src/gateway.ts'
import { Admission } from '../../src/pipeline/admission.ts'
import { InputSizes } from '../../src/pipeline/input-sizes.ts'
import { RequestMeter } from '../../src/pipeline/request-meter.ts'
import { RunningExchanges } from '../../src/pipeline/running.ts'
import { sampleGauges } from '../../src/pipeline/sample-gauges.ts'
import { UpstreamPool } from '../../src/pipeline/upstream-pool.ts'
import { HealthChecks } from '../../src/pool/health-checks.ts'
import type { Upstream } from '../../src/ports/upstream.ts'
import { LeaseKeeper } from '../../src/quota/lease-keeper.ts'
import { UsageTotals } from '../../src/quota/usage-totals.ts'
import { createCallLimit } from '../embedded/call-limit.ts'
import { createAuditReader } from '../node/audit-backwards.ts'
import { openAuditFile } from '../node/audit-file.ts'
import { systemClock } from '../node/clock.ts'
import { nodeHashing } from '../node/hashing.ts'
import type { RunningServer } from '../node/server.ts'
import { StartError } from '../node/start-error.ts'
import type { NodeTelemetry } from '../node/telemetry.ts'
import type { ClientTlsOf } from '../node/tls/client-tls.ts'
import { type EndingsByUse, timesLeft } from '../node/tls/expiry-gauge.ts'
import { createRunningChecklist, type Deployment } from './checklist/running-checklist.ts'
import { CommandFailure, opened } from './failure.ts'
import { closeGeneration, type Generation, nextGeneration } from './generation.ts'
import { openState } from './open-state.ts'
import { keepConnectionsOwn } from './own-connections.ts'
import { startRetention } from './retention.ts'
import { currentRuntime, type Runtime } from './runtime.ts'
import { checkpointSigner, startCheckpoints } from './start-checkpoints.ts'
import { startForwarding } from './start-forwarding.ts'
import { createTracer, startOtlp } from './start-otlp.ts'

export interface RunningGateway {
  readonly url: string
  /** Of the admin listener, where there is one. */
  readonly adminUrl?: string
  /** Where its own doings are recorded, too. */
  readonly audit: AuditLog
  /** In force now. */
  readonly config: Config
  /**
   * Takes a configuration in place of the one in force: requests that come from then on see all of it, those that run none.
   * One at a time.
   * @throws CommandFailure (rejects) with the field and what is wrong; then nothing has changed
   */
  reload(config: Config): Promise<Reloaded>
  /** Accepts nothing more, lets streams finish, then commits the log and closes everything. Safe to repeat. */
  close(): Promise<void>
}

export interface Reloaded {
  /** The keys at the top of the document that were not the same. */
  readonly changed: readonly string[]
}

export interface RunOptions {
  readonly config: Config
  readonly deployment: Deployment
  /** What it counts is at `/metrics` of the admin listener. */
  readonly telemetry: NodeTelemetry
  /** Whether this process sends the audit log to its destinations. Default true. */
  readonly forwards?: boolean
  /** In place of what `telemetry` has counted: that of several processes. */
  readonly counters?: () => Promise<ReadonlyMap<string, number>>
  /** Other processes listen on the same ports. */
  readonly sharesPorts?: boolean
  /** In place of the runtime's own: how `dev` puts its demo model behind the gateway. */
  readonly upstream?: Upstream
}

/**
 * Puts the parts together for a configuration and starts to listen. Everything that could make serving unsafe is looked at
 * before the first caller is let in.
 * @throws CommandFailure with what is wrong and the file, field or address it is wrong with
 */
export async function runGateway(options: RunOptions): Promise<RunningGateway> {
  const { config, deployment, telemetry, upstream, sharesPorts, forwards = true } = options
  keepConnectionsOwn(telemetry)
  const counters = options.counters ?? telemetry.snapshot
  const [clock, hashing] = [systemClock, nodeHashing]
  let current: Generation
  const tlsOf: ClientTlsOf = origin => current.tls.files.of(origin)
  const modelServers = upstream ?? (await (await currentRuntime()).createUpstream({ tlsOf }))
  const parts = { clock, hashing, telemetry, upstream: modelServers }
  current = await nextGeneration(config, parts)
  const inForce = () => current.decided.config
  const { checkpoint } = config.audit
  const signer = checkpoint && (await checkpointSigner(checkpoint, config.audit.file))
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
  const retention = await startRetention(config.audit, audit, signer, { clock, telemetry })
  const forwarding =
    forwards && config.audit.forward.length > 0
      ? await startForwarding(config.audit, { tlsOf, telemetry, durable: () => audit.head.seq })
      : undefined
  const { closeState, registry, endings: redisEndings, ...state } = await openState(inForce, telemetry)
  const running = new RunningExchanges()
  const revocations = new Revocations({
    ...config.tokens.revocation,
    registry,
    clock,
    telemetry,
    changed: () => running.endRevoked(revocations),
  })
  await revocations.start()
  const pool = new UpstreamPool({
    models: config.models,
    clock,
    telemetry,
    changed: model => admission.changed(model),
  })
  const admission = new Admission({ config, pool, clock, telemetry })
  telemetry.onRead(() => sampleGauges({ audit, pool }, telemetry.set))
  const otlp = await startOtlp(config, { upstream: modelServers, telemetry, instance: audit.instance })
  let health = new HealthChecks(modelServers, Math.random)
  const lasting = {
    ...parts,
    ...state,
    meter: new RequestMeter(telemetry),
    tracer: otlp && createTracer(config, otlp),
    audit,
    ...(forwarding && { forwarding }),
    revocations,
    running,
    inputSizes: new InputSizes({
      ...parts,
      get timeoutMs() {
        return inForce().timeouts.countMs
      },
    }),
    leases: new LeaseKeeper(state.store, telemetry),
    pool,
    admission,
    totals: config.admin && new UsageTotals(clock.now(), MAX_USAGE_ROWS),
  }
  const servers = new Map<string, RunningServer>()
  const certificateUses = (): EndingsByUse => [
    ...[...servers].map(([use, { endings }]) => [use, endings?.() ?? []] as const),
    ...[...current.tls.files.endings].map(([origin, endings]) => [`upstream:${origin}`, endings] as const),
    ['redis', redisEndings],
  ]
  telemetry.onRead(() => {
    for (const { labels, seconds } of timesLeft(certificateUses(), clock.now())) {
      telemetry.set('sallyport_certificate_expiry_seconds', labels, seconds)
    }
  })
  const adminParts = {
    registry,
    counters,
    busy: new Set<string>(),
    limitCalls: createCallLimit(ADMIN_CALLS_PER_MINUTE),
    auditSearch: new AuditSearch(createAuditReader(config.audit.file), clock),
    checkpoints: () => checkpoints?.sent ?? [],
    checklist: createRunningChecklist(() => current.decided, deployment, registry),
  }
  const apps = {
    data: new LiveApp(({ decided }, transport) => createGateway({ ...lasting, ...decided }, transport)),
    admin: new LiveApp(({ decided, issuer }, transport) => {
      const { totals } = lasting
      if (!totals) throw new Error('an admin listener has totals to show')
      const services = { ...lasting, ...decided, ...adminParts, totals, issuer }
      return createAdmin(services, transport, config.admin?.tls !== undefined)
    }),
  }
  const serve = async (use: keyof typeof apps, { listen, tls }: Pick<Config, 'listen' | 'tls'>) => {
    const runtime = await currentRuntime(tls !== undefined)
    const app = apps[use]
    app.start(current, runtime.transport)
    const server = await runtime.serve({ app, listen, tls, limits: config.limits, telemetry, sharesPorts })
    servers.set(use, server)
    return server.url
  }
  const closeServers = () => Promise.all([...servers.values()].map(server => server.close(SHUTDOWN_DRAIN_MS)))
  /** Whoever waits for a model server may have its turn for a while; the rest of the time is for answers in progress. */
  const drain = async () => {
    const timer = setTimeout(() => admission.dismiss(), SHUTDOWN_QUEUE_MS)
    await closeServers()
    clearTimeout(timer)
  }
  const closeParts = async () => {
    closeGeneration(current)
    health.close()
    await otlp?.close()
    await modelServers.close()
    revocations.close()
    await registry.close()
    await closeState()
    await retention?.close()
    await audit.close()
    await Promise.all([checkpoints?.close(), forwarding?.close()])
  }
  let closing: Promise<void> | undefined

  async function reload(read: Config): Promise<Reloaded> {
    const before = current
    const next = shareUnchanged(inForce(), read)
    const fixed = needsRestart(inForce(), next)
    if (fixed.length > 0) throw new CommandFailure(`only a restart can change ${fixed.join(', ')}`)
    const generation = await nextGeneration(next, parts, before)
    if (closing) {
      closeGeneration(generation, before)
      throw new CommandFailure('the gateway is shutting down')
    }
    // From here on nothing waits and nothing fails: whoever comes sees all of it, or nothing.
    current = generation
    if (next.models !== before.decided.config.models) {
      pool.configure(next.models)
      health.close()
      health = new HealthChecks(modelServers, Math.random)
      health.start(pool.checkedServers())
    }
    admission.configure(next)
    revocations.configure(next.tokens.revocation)
    for (const app of Object.values(apps)) app.change(generation)
    generation.issuers.watch()
    closeGeneration(before, generation)
    return { changed: changedParts(before.decided.config, next) }
  }

  try {
    // Before the data listener, so that whoever can send a request finds both.
    const adminUrl = config.admin && (await serve('admin', config.admin))
    const url = await serve('data', config)
    current.issuers.watch()
    health.start(pool.checkedServers())
    let reloading: Promise<unknown> = Promise.resolve()
    return {
      url,
      ...(adminUrl !== undefined && { adminUrl }),
      audit,
      get config() {
        return inForce()
      },
      reload: read => {
        const result = reloading.then(() => reload(read))
        reloading = result.catch(() => undefined)
        return result
      },
      close: () => (closing ??= drain().then(closeParts)),
    }
  } catch (error) {
    await closeServers()
    await closeParts()
    if (error instanceof StartError) throw new CommandFailure(error.message)
    throw error
  }
}

type Build = (generation: Generation, transport: Runtime['transport']) => Hono

/** What a listener serves: an app of the generation in force, which each request keeps until it is over. */
class LiveApp {
  private readonly build: Build
  private transport: Runtime['transport'] | undefined
  private app: Hono | undefined

  constructor(build: Build) {
    this.build = build
  }

  start(generation: Generation, transport: Runtime['transport']): void {
    this.transport = transport
    this.app = this.build(generation, transport)
  }

  /** For requests that come from now on; nothing where it was not started. */
  change(generation: Generation): void {
    if (this.transport) this.app = this.build(generation, this.transport)
  }

  readonly fetch: Hono['fetch'] = (request, env, context) => {
    if (!this.app) throw new Error('started before it is served')
    return this.app.fetch(request, env, context)
  }
}
