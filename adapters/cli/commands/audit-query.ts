import { type Command, InvalidArgumentError, Option } from 'commander'
import { type AuditQuery, createMatcher, type Matcher } from '../../../src/audit/query.ts'
import { momentOf, OUTCOMES, QUERY_TIME_HINT, readQueryTime, STATUS } from '../../../src/audit/query-terms.ts'
import { newestLines } from '../../node/audit-backwards.ts'
import { filesSince, followLog, linesOf } from '../../node/audit-lines.ts'
import { chosenFiles, fileFault, locateLog } from '../audit-files.ts'
import { recordPrinter } from '../audit-table.ts'
import { CommandFailure } from '../failure.ts'
import { untilStopped } from '../stop-signal.ts'

interface FilterOptions {
  readonly since?: number
  readonly until?: number
  readonly team?: string[]
  readonly app?: string[]
  readonly env?: string[]
  readonly model?: string[]
  readonly outcome?: string[]
  readonly status?: string[]
  readonly finding?: string[]
  readonly token?: string[]
  readonly requestId?: string[]
  readonly errorCode?: string[]
  readonly promptHmac?: string[]
  readonly action?: string[]
  readonly config?: string
  readonly json?: true
}

const STATUSES = new RegExp(`^${STATUS}$`)
const MAX_TAIL = 100_000

/** `sallyport audit query` and `tail`. */
export function registerAuditQuery(audit: Command): void {
  const query = audit
    .command('query')
    .description('print the records that are asked for, oldest first')
    .argument('[file...]', 'the files of one log (default: those of the configuration)')
    .option('--limit <number>', 'stop after so many', whole)
  withFilters(query).action(runQuery)

  const tail = audit
    .command('tail')
    .description('print the last records')
    .option('-n, --lines <number>', 'how many', whole, 10)
    .option('-f, --follow', 'go on with those that are added, until interrupted')
  withFilters(tail).action(runTail)
}

function withFilters(command: Command): Command {
  return command
    .option('--since <time>', 'from a time (2026-11-24T09:00:00Z) or so long ago (1h)', time)
    .option('--until <time>', 'up to a time, or so long ago', time)
    .option('--team <names>', 'of these teams, separated by commas; likewise the following', names)
    .option('--app <names>', 'of these applications', names)
    .option('--env <names>', 'of these environments', names)
    .option('--model <ids>', 'that asked for these models', names)
    .addOption(new Option('--outcome <outcomes>', `that ended so: ${OUTCOMES.join(', ')}`).argParser(outcomes))
    .option('--status <numbers>', 'with these statuses: 429, or 4xx for all of a kind', statuses)
    .option('--finding <rules>', 'in which these rules found something; * for any', names)
    .option('--token <ids>', 'of the tokens with these ids', names)
    .option('--request-id <ids>', 'with these request ids', names)
    .option('--error-code <codes>', 'with these error codes', names)
    .option('--prompt-hmac <hex>', 'of these prompts, as `audit hmac` calls them', names)
    .option('--action <names>', 'of these actions of administrators', names)
    .option('--config <file>', 'the configuration of the gateway, for where its log is')
    .option('--json', 'print the records as they are (default where the output is no terminal)')
}

function queryOf(options: FilterOptions): AuditQuery {
  const { since, until, status, finding, team, app, env, model, outcome, requestId, errorCode, promptHmac, action } =
    options
  const members = { team, app, env, model, outcome, tokenId: options.token, requestId, errorCode, promptHmac, action }
  const given = Object.entries(members).filter(([, values]) => values !== undefined)
  return { since, until, status, finding, members: Object.fromEntries(given) }
}

async function runQuery(named: readonly string[], options: FilterOptions & { readonly limit?: number }): Promise<void> {
  const show = recordPrinter(options.json === true)
  let left = options.limit ?? Number.POSITIVE_INFINITY
  if (left === 0) return
  const files = filesSince(await chosenFiles(named, options.config), options.since)
  await reading(async () => {
    for await (const found of matching(files, createMatcher(queryOf(options)))) {
      show(found.line, found.record)
      if (--left === 0) return
      if (process.stdout.writableNeedDrain) await new Promise(resolve => process.stdout.once('drain', resolve))
    }
  })
}

interface TailOptions extends FilterOptions {
  readonly lines: number
  readonly follow?: true
}

async function runTail(options: TailOptions): Promise<void> {
  const path = await locateLog(options.config)
  const show = recordPrinter(options.json === true)
  const matcher = createMatcher(queryOf(options))
  const count = Math.min(options.lines, MAX_TAIL)
  await reading(async () => {
    // Before the last ones are read: what is added meanwhile is then seen twice, and shown once.
    const follower = options.follow && (await followLog(path))
    let shown = 0
    const showNew = ({ line, record }: Found) => {
      const seq = Number(record['seq'])
      if (seq <= shown) return
      shown = seq
      show(line, record)
    }
    for (const found of await lastMatching(path, matcher, count)) showNew(found)
    if (!follower) return
    const controller = new AbortController()
    void untilStopped().then(() => controller.abort())
    for await (const lines of follower.lines(controller.signal)) {
      for (const line of lines) {
        const record = matcher(line)
        if (record !== undefined) showNew({ line, record })
      }
    }
  })
}

type Found = { readonly line: string; readonly record: NonNullable<ReturnType<Matcher>> }

/** The last records that match, oldest first. */
async function lastMatching(path: string, matcher: Matcher, count: number): Promise<Found[]> {
  const last: Found[] = []
  if (count === 0) return last
  for await (const lines of newestLines(path)) {
    for (const line of lines) {
      const record = matcher(line)
      if (record !== undefined && last.push({ line, record }) === count) return last.reverse()
    }
  }
  return last.reverse()
}

async function* matching(files: readonly string[], matcher: Matcher): AsyncGenerator<Found> {
  for await (const lines of linesOf(files)) {
    for (const line of lines) {
      const record = matcher(line)
      if (record !== undefined) yield { line, record }
    }
  }
}

async function reading(read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (error) {
    throw error instanceof Error && 'code' in error ? new CommandFailure(fileFault(error)) : error
  }
}

function names(value: string): string[] {
  const found = value.split(',').filter(part => part !== '')
  if (found.length === 0) throw new InvalidArgumentError('Name at least one.')
  return found
}

function outcomes(value: string): string[] {
  const found = names(value)
  const unknown = found.find(outcome => !OUTCOMES.some(known => known === outcome))
  if (unknown === undefined) return found
  throw new InvalidArgumentError(`There is no outcome ${unknown}; there are ${OUTCOMES.join(', ')}.`)
}

function statuses(value: string): string[] {
  const found = names(value)
  if (found.every(status => STATUSES.test(status))) return found
  throw new InvalidArgumentError('Use statuses such as 429, or 4xx for all of a kind.')
}

function whole(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('Use a whole number.')
}

function time(value: string): number {
  const read = readQueryTime(value)
  if (read !== undefined) return momentOf(read, Date.now())
  throw new InvalidArgumentError(`Use ${QUERY_TIME_HINT}.`)
}
