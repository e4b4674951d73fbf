import type { Command } from 'commander'
import { locateConfig } from '../../node/config-file.ts'
import { createTelemetry } from '../../node/telemetry.ts'
import { boundYoungGeneration } from '../../node/young-generation.ts'
import { note } from '../print.ts'
import { ConfigReload } from '../reload-config.ts'
import { readServable } from '../servable-config.ts'
import { untilStopped } from '../stop-signal.ts'

/** `sallyport serve`: production. Refuses to start on anything unsafe or unclear. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('serve as the configuration says; refuses to start on anything unsafe or unclear')
    .option('--config <file>', 'the configuration file (default: ./sallyport.yaml, else $SALLYPORT_CONFIG)')
    .action(serve)
}

async function serve(options: { readonly config?: string }): Promise<void> {
  const letYoungGenerationGrow = boundYoungGeneration()
  // Loaded here, so that no other command waits for the whole gateway.
  const { runGateway } = await import('../run-gateway.ts')
  const location = await locateConfig(options.config, process.env, process.cwd())
  const { config, sha256, warnings } = await readServable(location)
  for (const { path, reason } of warnings) note(`warning: ${path}: ${reason}`)
  const telemetry = createTelemetry()
  // From the start: without a listener the signal would end the process.
  const stay = () => {}
  process.on('SIGHUP', stay)
  const gateway = await runGateway({ config, telemetry })
  const reload = new ConfigReload(location, gateway, telemetry)
  const onHangUp = () => void reload.request()
  process.on('SIGHUP', onHangUp)
  telemetry.log('info', 'listening', { url: gateway.url, adminUrl: gateway.adminUrl, config: location.path, sha256 })
  letYoungGenerationGrow()
  const signal = await untilStopped()
  telemetry.log('info', 'stopping', { signal })
  await gateway.close()
  process.off('SIGHUP', onHangUp)
  process.off('SIGHUP', stay)
  telemetry.log('info', 'stopped')
}
