import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import * as v from 'valibot'
import { USAGE, type Usage } from '../../../src/admin/usage.ts'
import { reasonOf } from '../../node/error-code.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { type Answer, GatewayClient } from '../gateway-client.ts'
import {
  durationOption,
  type GatewayOptions,
  gatewayAccess,
  gatewayUrl,
  withGatewayOptions,
} from '../gateway-options.ts'
import { note, print, printable, printJson } from '../print.ts'
import { untilStopped } from '../stop-signal.ts'
import { printUsage } from '../usage-table.ts'

const FILTERS = ['team', 'app', 'env', 'token', 'model', 'limit'] as const
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 10_000
const MIN_INTERVAL_MS = 500
const CLEAR_SCREEN = '\u001B[H\u001B[2J'

interface UsageOptions extends GatewayOptions, Partial<Record<(typeof FILTERS)[number], string>> {
  readonly url: URL
  readonly watch?: number
  readonly json?: true
}

/** `sallyport usage`: how far each limit is used up, as the admin listener of a running gateway tells it. */
export function registerUsage(program: Command): void {
  const command = program
    .command('usage')
    .description('how far each limit is used up now, and what was used, from the admin listener of a running gateway')
    .addOption(
      new Option('--url <url>', 'the admin listener of the gateway')
        .env('SALLYPORT_ADMIN_URL')
        .argParser(gatewayUrl)
        .makeOptionMandatory(),
    )
    .option('--team <name>', 'only the windows of this team')
    .option('--app <name>', 'only those of this application')
    .option('--env <name>', 'only those of this environment')
    .option('--token <id>', 'only those of the token with this id')
    .option('--model <id>', 'only those of this model')
    .option('--limit <name>', 'only those of the limit with this name')
    .addOption(
      new Option('--watch [interval]', 'look again and again, until interrupted')
        .preset('5s')
        .argParser(durationOption),
    )
    .option('--json', 'print JSON; with --watch, an object a line')
  withGatewayOptions(command, '--url', TIMEOUT_MS).action(usage)
}

async function usage(options: UsageOptions): Promise<void> {
  const { url, watch, json } = options
  if (watch !== undefined && watch < MIN_INTERVAL_MS) throw new UsageError(`--watch: ${MIN_INTERVAL_MS}ms at least`)
  const access = await gatewayAccess(options, '--url')
  const client = new GatewayClient({ ...access, url, maxAnswerBytes: MAX_ANSWER_BYTES, connections: 1 })
  try {
    const path = pathOf(options)
    if (watch === undefined) return show(await ask(client, url, path), json === true)
    const stop = new AbortController()
    void untilStopped().then(() => stop.abort())
    while (!stop.signal.aborted) {
      const now = await ask(client, url, path)
      if (json) {
        print(JSON.stringify(now))
      } else {
        print(process.stdout.isTTY ? CLEAR_SCREEN : '')
        show(now, false)
      }
      await sleep(watch, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  } finally {
    client.close()
  }
}

function pathOf(options: UsageOptions): string {
  const query = new URLSearchParams()
  for (const name of FILTERS) {
    const value = options[name]
    if (value !== undefined) query.set(name, value)
  }
  const root = options.url.pathname.replace(/\/+$/, '')
  return `${root}/admin/usage${query.size > 0 ? `?${query}` : ''}`
}

/** @throws CommandFailure saying what to do about an answer that is none */
async function ask(client: GatewayClient, url: URL, path: string): Promise<Usage> {
  let answer: Answer
  try {
    answer = await client.ask('GET', path)
  } catch (error) {
    throw new CommandFailure(`--url: ${url.origin} does not answer: ${printable(reasonOf(error))}`)
  }
  if (answer.status !== 200) throw new CommandFailure(refusal(answer, url))
  const read = v.safeParse(USAGE, answer.body)
  if (read.success) return read.output
  throw new CommandFailure(`--url: ${url.origin} answers in a form that this version does not know`)
}

function refusal({ status, body }: Answer, { origin }: URL): string {
  const { code, detail, title } = (body ?? {}) as { code?: unknown; detail?: unknown; title?: unknown }
  if (typeof code !== 'string') return `--url: ${origin} answers ${status}: it is no admin listener of a gateway`
  const said = [detail, title].find(text => typeof text === 'string') ?? ''
  const why = code === 'scope_missing' ? 'the token needs the scope usage:read' : said
  return printable(`the gateway answers ${status} ${code}: ${why}`)
}

function show(usage: Usage, json: boolean): void {
  if (json) return printJson(usage)
  printUsage(usage)
  if (!usage.complete) note('note: there are more windows than are shown; name a team or a limit')
}
