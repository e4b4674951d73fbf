import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { checkHolds, type Hold, inForce } from '../../../src/audit/holds.ts'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { reasonOf } from '../../node/error-code.ts'
import { readHoldFile } from '../../node/retention/hold-file.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { PRIVATE_MODE, writeKeyFile } from '../key-files.ts'
import { print, printable, printJson, printTable } from '../print.ts'

interface PlaceOptions {
  readonly config?: string
  readonly json?: true
}

interface AddOptions extends PlaceOptions {
  readonly reason: string
  readonly by: string
  readonly until?: string
  readonly team?: string[]
  readonly app?: string[]
  readonly requestId?: string[]
  readonly from?: string
  readonly before?: string
  readonly all?: true
}

/** `sallyport audit hold`: legal holds, which keep records in spite of retention. */
export function registerAuditHold(audit: Command): void {
  const hold = audit.command('hold').description('legal holds: records that no retention rule deletes')
  const common = (command: Command) =>
    command.option('--config <file>', 'the configuration of the gateway').option('--json', 'print JSON')
  common(hold.command('list').description('print the holds, those that have ended too')).action(list)
  common(hold.command('add').description('place a hold; all that is given has to fit a record'))
    .argument('<name>', 'what it is called')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--by <name>', 'who places it')
    .option('--until <time>', 'when it ends by itself (default: when it is released)', time)
    .option('--team <names>', 'records of these teams, separated by commas', names)
    .option('--app <names>', 'of these applications', names)
    .option('--request-id <ids>', 'of these requests', names)
    .option('--from <time>', 'from a time (2026-11-24T09:00:00Z)', time)
    .option('--before <time>', 'up to but not at a time', time)
    .option('--all', 'every record')
    .action(add)
  common(hold.command('release').description('end a hold; it stays in the file, with who ended it'))
    .argument('<name>', 'what it is called')
    .requiredOption('--by <name>', 'who releases it')
    .action(release)
}

async function list({ config, json }: PlaceOptions): Promise<void> {
  const { holds } = await read(config)
  const active = new Set(inForce(holds, Date.now()))
  if (json) return printJson(holds.map(each => ({ ...each, inForce: active.has(each) })))
  if (holds.length === 0) return print('there are no holds')
  printTable([
    ['NAME', 'IN FORCE', 'PLACED', 'BY', 'RECORDS', 'REASON'],
    ...holds.map(each => [
      each.name,
      active.has(each) ? `until ${each.until ?? 'released'}` : 'no',
      each.placed,
      printable(each.by),
      printable(matchText(each.match)),
      printable(each.reason),
    ]),
  ])
}

async function add(name: string, options: AddOptions): Promise<void> {
  const { team, app, requestId, from, before, until, all } = options
  const match = Object.fromEntries(
    Object.entries({ team, app, requestId, from, before }).filter(([, value]) => value !== undefined),
  )
  if ((Object.keys(match).length === 0) !== (all === true)) {
    throw new UsageError('say which records: some of --team, --app, --request-id, --from, --before; or --all')
  }
  const placed = new Date().toISOString()
  const hold: Hold = {
    name,
    reason: options.reason,
    by: options.by,
    placed,
    ...(until !== undefined && { until }),
    match,
  }
  const { path, holds } = await read(options.config)
  await write(path, [...holds, hold])
  if (options.json) printJson(hold)
  else print(`${name}: ${matchText(match) || 'every record'} is held ${until ? `until ${until}` : 'until released'}`)
}

async function release(name: string, { by, config, json }: PlaceOptions & { readonly by: string }): Promise<void> {
  const { path, holds } = await read(config)
  const found = holds.find(each => each.name === name)
  if (found === undefined) throw new CommandFailure(`${path}: there is no hold ${name}`)
  if (found.released) throw new CommandFailure(`${name} was released at ${found.released.at} by ${found.released.by}`)
  const released: Hold = { ...found, released: { by, at: new Date().toISOString() } }
  await write(
    path,
    holds.map(each => (each === found ? released : each)),
  )
  if (json) printJson(released)
  else print(`${name}: released by ${by}; what is due of its records is deleted with the next run`)
}

async function read(config: string | undefined): Promise<{ path: string; holds: readonly Hold[] }> {
  const location = await locateConfig(config, process.env, process.cwd())
  const result = await readConfig(location, process.env)
  if (!result.ok) throw new CommandFailure(faultList(nameOf(location), result.faults))
  const { retention } = result.config.audit
  if (retention === undefined) throw new CommandFailure('audit.retention: not configured: everything is kept as it is')
  try {
    return { path: retention.holds, holds: await readHoldFile(retention.holds, false) }
  } catch (error) {
    throw new CommandFailure(reasonOf(error))
  }
}

async function write(path: string, holds: readonly Hold[]): Promise<void> {
  const checked = checkHolds(holds)
  if (!checked.ok) throw new UsageError(`${path}: ${checked.reason}`)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeKeyFile(path, { holds }, PRIVATE_MODE, true)
}

function matchText(match: Hold['match']): string {
  return Object.entries(match)
    .map(([key, value]) => `${key}=${[value].flat().join('|')}`)
    .join(' ')
}

function names(value: string): string[] {
  const found = value.split(',').filter(part => part !== '')
  if (found.length === 0) throw new InvalidArgumentError('Name at least one.')
  return found
}

function time(value: string): string {
  const at = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('Use a time such as 2026-11-24T09:00:00Z.')
  return new Date(at).toISOString()
}
