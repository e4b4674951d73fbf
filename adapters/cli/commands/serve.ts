import { type Command, InvalidArgumentError } from 'commander'
import { type ConfigLocation, locateConfig } from '../../node/config-file.ts'
import { createTelemetry } from '../../node/telemetry.ts'
import { boundYoungGeneration } from '../../node/young-generation.ts'
import { UsageError } from '../failure.ts'
import { note } from '../print.ts'
import { ConfigReload } from '../reload-config.ts'
import { readServable, type ServableConfig } from '../servable-config.ts'
import { untilStopped } from '../stop-signal.ts'
import { letGo, SupervisorLink, workerPlace } from '../workers/worker.ts'
import { assertShareable, type WorkerPlace, workerConfig } from '../workers/worker-config.ts'

const MAX_WORKERS = 256

interface Options {
  readonly config?: string
  readonly forward: boolean
  readonly workers: number
}

/** `sallyport serve`: production. Refuses to start on anything unsafe or unclear. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('serve as the configuration says; refuses to start on anything unsafe or unclear')
    .option('--config <file>', 'the configuration file (default: ./sallyport.yaml, else $SALLYPORT_CONFIG)')
    .option('--no-forward', 'leave the audit log to `sallyport audit forward`')
    .option('--workers <n>', 'processes that serve together; more than one need Redis', workerCount, 1)
    .action(serve)
}

async function serve(options: Options): Promise<void> {
  const location = await locateConfig(options.config, process.env, process.cwd())
  const place = workerPlace()
  if (place) return serveHere(location, options, place).finally(letGo)
  if (options.workers === 1) return serveHere(location, options)
  if (!options.forward) throw new UsageError('--no-forward: each of several workers has to send its own log')
  return superviseWorkers(location, options.workers)
}

async function serveHere(location: ConfigLocation, { forward }: Options, place?: WorkerPlace): Promise<void> {
  const letYoungGenerationGrow = boundYoungGeneration()
  // Loaded here, so that no other command waits for the whole gateway.
  const { runGateway } = await import('../run-gateway.ts')
  const read = () => readServable(location).then(found => (place ? ofWorker(found, place) : found))
  const { config, sha256, warnings } = await read()
  if (!place) for (const { path, reason } of warnings) note(`warning: ${path}: ${reason}`)
  const telemetry = createTelemetry(place && { fields: { worker: place.slot } })
  const link = place && new SupervisorLink(telemetry.snapshot)
  // From the start: without a listener the signal would end the process.
  const stay = () => {}
  process.on('SIGHUP', stay)
  const gateway = await runGateway({
    config,
    telemetry,
    forwards: forward,
    ...(link && { counters: () => link.collect(), sharesPorts: true }),
  })
  const { url, adminUrl } = gateway
  const reload = new ConfigReload({ read, file: location.path, gateway, telemetry })
  const onHangUp = () => void reload.request()
  process.on('SIGHUP', onHangUp)
  telemetry.log('info', 'listening', { url, adminUrl, config: location.path, sha256 })
  link?.ready({ url, adminUrl, sha256 })
  letYoungGenerationGrow()
  const signal = await (link?.stopped ?? untilStopped())
  telemetry.log('info', 'stopping', { signal })
  await gateway.close()
  process.off('SIGHUP', onHangUp)
  process.off('SIGHUP', stay)
  telemetry.log('info', 'stopped')
  await link?.close()
}

function ofWorker(read: ServableConfig, place: WorkerPlace): ServableConfig {
  assertShareable(read.config, runtimeName())
  return { ...read, config: workerConfig(read.config, place) }
}

async function superviseWorkers(location: ConfigLocation, count: number): Promise<void> {
  const { config, warnings } = await readServable(location)
  assertShareable(config, runtimeName())
  for (const { path, reason } of warnings) note(`warning: ${path}: ${reason}`)
  const { Supervisor } = await import('../workers/supervisor.ts')
  const telemetry = createTelemetry()
  const supervisor = new Supervisor(count, telemetry)
  process.on('SIGHUP', () => supervisor.reload())
  process.on('SIGUSR2', () => void supervisor.roll())
  // Nobody would be left to tell the workers.
  process.on('exit', () => supervisor.kill())
  const stopped = untilStopped()
  const started = await Promise.race([supervisor.start(), stopped])
  if (typeof started !== 'string') telemetry.log('info', 'workers_listening', { ...started, workers: count })
  const signal = await stopped
  telemetry.log('info', 'stopping', { signal })
  await supervisor.stop()
  telemetry.log('info', 'stopped')
  process.exit(0)
}

function runtimeName(): 'node' | 'bun' {
  return process.versions.bun === undefined ? 'node' : 'bun'
}

function workerCount(value: string): number {
  const count = Number(value)
  if (/^\d{1,3}$/.test(value) && count >= 1 && count <= MAX_WORKERS) return count
  throw new InvalidArgumentError(`Use a number from 1 to ${MAX_WORKERS}.`)
}
