import type { Command } from 'commander'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { createTelemetry } from '../../node/telemetry.ts'
import { boundYoungGeneration } from '../../node/young-generation.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure } from '../failure.ts'
import { note } from '../print.ts'
import { untilStopped } from '../stop-signal.ts'

/** `sallyport serve`: production. Refuses to start on anything unsafe or unclear. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('serve as the configuration says; refuses to start on anything unsafe or unclear')
    .option('--config <file>', 'the configuration file (default: ./sallyport.yaml, else $SALLYPORT_CONFIG)')
    .option('--no-forward', 'leave the audit log to `sallyport audit forward`')
    .action(serve)
}

async function serve(options: { readonly config?: string; readonly forward: boolean }): Promise<void> {
  const letYoungGenerationGrow = boundYoungGeneration()
  // Loaded here, so that no other command waits for the whole gateway.
  const { runGateway } = await import('../run-gateway.ts')
  const location = await locateConfig(options.config, process.env, process.cwd())
  const result = await readConfig(location, process.env)
  const name = nameOf(location)
  if (!result.ok) throw new CommandFailure(faultList(name, result.faults))
  for (const { path, reason } of result.warnings) note(`warning: ${path}: ${reason}`)
  const telemetry = createTelemetry()
  // Without a listener of its own the signal would end the process.
  const onHangUp = () => {
    if (process.listenerCount('SIGHUP') === 1) telemetry.log('info', 'nothing_to_reload')
  }
  process.on('SIGHUP', onHangUp)
  const gateway = await runGateway({ config: result.config, telemetry, forwards: options.forward })
  telemetry.log('info', 'listening', { url: gateway.url, adminUrl: gateway.adminUrl })
  letYoungGenerationGrow()
  const signal = await untilStopped()
  telemetry.log('info', 'stopping', { signal })
  await gateway.close()
  process.off('SIGHUP', onHangUp)
  telemetry.log('info', 'stopped')
}
