import type { Command } from 'commander'
import type { Config } from '../../../src/config/config.ts'
import type { Fault } from '../../../src/config/fault.ts'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure } from '../failure.ts'
import { print, printJson, styled } from '../print.ts'
import { tlsWarnings } from '../tls-warnings.ts'
import { registerConfigPrint } from './config-print.ts'

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

  registerConfigPrint(config)
}

interface Options {
  readonly config?: string
  readonly json?: true
}

async function check(file: string | undefined, options: Options): Promise<void> {
  const location = await locateConfig(file ?? options.config, process.env, process.cwd())
  const read = await readConfig(location, process.env)
  const result = read.ok ? await withFiles(read, read.config) : read
  const name = nameOf(location)
  if (options.json) printJson({ file: location.path ?? null, ...withoutConfig(result) })
  if (!result.ok) throw new CommandFailure(faultList(name, result.faults))
  if (options.json) return
  print(`${name}: ${styled('green', 'valid', process.stdout)}`)
  for (const warning of result.warnings) {
    print(`  ${styled('yellow', 'warning', process.stdout)} ${warning.path}: ${warning.reason}`)
  }
}

/** With what the certificates themselves say. */
async function withFiles<T extends { readonly warnings: readonly Fault[] }>(
  result: T,
  { tls, admin }: Pick<Config, 'tls' | 'admin'>,
): Promise<T> {
  const data = tls ? await tlsWarnings('tls', tls) : []
  const own = admin?.tls && admin.tls.cert !== tls?.cert ? await tlsWarnings('admin.tls', admin.tls) : []
  return { ...result, warnings: [...result.warnings, ...data, ...own] }
}

async function schema(): Promise<void> {
  const { configJsonSchema } = await import('../../../src/config/json-schema.ts')
  printJson(configJsonSchema())
}

function withoutConfig(result: Awaited<ReturnType<typeof readConfig>>) {
  return result.ok ? { ok: true, warnings: result.warnings } : result
}
