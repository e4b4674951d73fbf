import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { Fault } from '../../../src/config/fault.ts'
import { maskSecrets } from '../../../src/config/mask.ts'
import type { NotEnforced } from '../../../src/config/unsupported.ts'
import { type ConfigLocation, locateConfig, readConfig } from '../../node/config-file.ts'
import { CommandFailure } from '../failure.ts'
import { note, print, printJson, styled } from '../print.ts'

/** `sallyport config`: check, schema, print. */
export function registerConfig(program: Command): void {
  const config = program.command('config').description('check and show the configuration')

  config
    .command('check')
    .description('say whether a configuration is valid, with a path and a reason for each fault')
    .argument('[file]', 'the file (default: as for --config)')
    .option('--config <file>', 'the same')
    .option('--json', 'print the result as JSON')
    .action(check)

  config.command('schema').description('print the JSON Schema of the configuration file, for editors').action(schema)

  config
    .command('print')
    .description('print the configuration in force: defaults and environment included, secrets masked')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print JSON in place of YAML')
    .action(show)
}

interface Options {
  readonly config?: string
  readonly json?: true
}

async function check(file: string | undefined, options: Options): Promise<void> {
  const location = await locateConfig(file ?? options.config, process.env, process.cwd())
  const result = await readConfig(location, process.env)
  const name = nameOf(location)
  if (options.json) printJson({ file: location.path ?? null, ...withoutConfig(result) })
  if (!result.ok) throw new CommandFailure(faultList(name, result.faults))
  if (options.json) return
  print(`${name}: ${styled('green', 'valid', process.stdout)}`)
  for (const warning of [...result.warnings, ...result.notEnforced.map(consequence)]) {
    print(`  ${styled('yellow', 'warning', process.stdout)} ${warning.path}: ${warning.reason}`)
  }
}

async function schema(): Promise<void> {
  const { configJsonSchema } = await import('../../../src/config/json-schema.ts')
  printJson(configJsonSchema())
}

async function show(options: Options): Promise<void> {
  const location = await locateConfig(options.config, process.env, process.cwd())
  const result = await readConfig(location, process.env)
  if (!result.ok) throw new CommandFailure(faultList(nameOf(location), result.faults))
  const config = maskSecrets(result.config)
  if (options.json) printJson(config)
  else print(stringify(config, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd())
  for (const { path } of result.notEnforced) note(`${path} is not shown: this release does not enforce it`)
}

function withoutConfig(result: Awaited<ReturnType<typeof readConfig>>) {
  return result.ok ? { ok: true, warnings: result.warnings, notEnforced: result.notEnforced } : result
}

function consequence({ path, reason, serve }: NotEnforced): Fault {
  return { path, reason: serve === 'refuse' ? `${reason}; serve refuses to start with it` : reason }
}

/** What errors call the configuration. */
export function nameOf({ path }: ConfigLocation): string {
  return path ?? 'the defaults (there is no sallyport.yaml here; --config names another file)'
}

/** One fault a line, under the name of the file. */
export function faultList(file: string, faults: readonly Fault[]): string {
  const lines = faults.map(({ path, reason }) => `  ${path === '' ? '' : `${path}: `}${reason}`)
  return [`${file}: ${faults.length === 1 ? '1 fault' : `${faults.length} faults`}`, ...lines].join('\n')
}
