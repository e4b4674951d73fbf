import type { Command } from 'commander'
import { clientTlsPlaces } from '../../../src/config/client-tls.ts'
import type { Config } from '../../../src/config/config.ts'
import { locateConfig, readForwarding } from '../../node/config-file.ts'
import { reasonOf } from '../../node/error-code.ts'
import { forwardingState } from '../../node/forward/forwarding-state.ts'
import { createTelemetry } from '../../node/telemetry.ts'
import { ClientTlsFiles } from '../../node/tls/client-tls-files.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure } from '../failure.ts'
import { print, printJson } from '../print.ts'
import { startForwarding } from '../start-forwarding.ts'
import { untilStopped } from '../stop-signal.ts'

interface ForwardOptions {
  readonly config?: string
  readonly status?: true
  readonly json?: true
}

/** `sallyport audit forward`: the forwarding in a process of its own. */
export function registerAuditForward(audit: Command): void {
  audit
    .command('forward')
    .description('send the log to the destinations of the configuration, for a gateway that runs with --no-forward')
    .option('--config <file>', 'the configuration of the gateway: where its log is, and audit.forward')
    .option('--status', 'print instead how far each destination is')
    .option('--json', 'with --status: print JSON')
    .action(forward)
}

async function forward({ config, status, json }: ForwardOptions): Promise<void> {
  const location = await locateConfig(config, process.env, process.cwd())
  const read = await readForwarding(location, process.env)
  if (!read.ok) throw new CommandFailure(faultList(nameOf(location), read.faults))
  const { audit } = read
  if (audit.forward.length === 0) throw new CommandFailure(`${nameOf(location)}: audit.forward: names no destination`)
  if (status) return await showStatus(audit, json === true)
  await run(audit)
}

async function run(audit: Pick<Config['audit'], 'file' | 'forward'>): Promise<void> {
  const telemetry = createTelemetry()
  const places = clientTlsPlaces({ models: [], guard: { validators: [] }, audit })
  const tlsFiles = await ClientTlsFiles.open(places, telemetry).catch((error: unknown) => {
    throw new CommandFailure(reasonOf(error))
  })
  const forwarding = await startForwarding(audit, { tlsOf: tlsFiles.of, telemetry })
  telemetry.log('info', 'forwarding', { file: audit.file, destinations: audit.forward.map(({ name }) => name).join() })
  const signal = await untilStopped()
  telemetry.log('info', 'stopping', { signal })
  await forwarding.close()
  tlsFiles.close()
}

async function showStatus(audit: Pick<Config['audit'], 'file' | 'forward'>, json: boolean): Promise<void> {
  const states = await forwardingState(audit).catch((error: unknown) => {
    throw new CommandFailure(`audit.forward: ${reasonOf(error)}`)
  })
  if (json) return printJson(states)
  for (const { name, kind, seq, lag, fault } of states) {
    const behind = `${lag.records} records, ${lag.bytes} bytes, ${Math.round(lag.seconds)} s behind`
    print(`${name}  ${kind}  ${fault ?? `sent up to ${seq ?? 'none yet'}, ${behind}`}`)
  }
}
