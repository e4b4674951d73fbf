import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { Config } from '../../../src/config/config.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { RedteamRun } from '../../../src/redteam/record.ts'
import { type CategoryScore, type Outcome, percent, rate, scoreCategory } from '../../../src/redteam/score.ts'
import { type ConfigLocation, locateConfig, readConfig } from '../../node/config-file.ts'
import { type CallerOptions, callerOf, exceptionOf, withCallerOptions } from '../caller-options.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import {
  durationOption,
  type GatewayOptions,
  gatewayAccess,
  gatewayUrl,
  withGatewayOptions,
} from '../gateway-options.ts'
import { note, print, printJson, printTable } from '../print.ts'
import { redteamFile, writeProofFile } from '../proof-files.ts'
import { guardTrial } from '../redteam/in-process.ts'
import { readSuite, type Suite } from '../redteam/read-suite.ts'
import { Target } from '../redteam/target.ts'

interface RedteamOptions extends CallerOptions, GatewayOptions {
  readonly suite: string
  readonly target?: URL
  readonly concurrency: number
  readonly maxRequests: number
  readonly deadline: number
  readonly config?: string
  readonly report?: string
  readonly record?: string | false
  readonly json?: true
}

/** `sallyport redteam`: a suite of attacks and harmless texts against the guard, or against a running gateway. */
export function registerRedteam(program: Command): void {
  const command = program
    .command('redteam')
    .description('try attacks and harmless texts on the guard or on a running gateway')
    .requiredOption('--suite <folder>', 'the folder of *.jsonl, a category each, and floors.json')
    .option(
      '--target <url>',
      'a running gateway; without one, the guard of the configuration is tried in process',
      gatewayUrl,
    )
    .option('--concurrency <n>', 'requests at the same time', between(1, 32), 4)
    .option('--max-requests <n>', 'most requests to --target', between(1, 100_000), 1000)
    .option('--deadline <duration>', 'for all requests', durationOption, 600_000)
    .option('--config <file>', 'the configuration file')
    .option('--report <file>', 'write the result as JSON to a file too')
    .option('--record <file>', 'where the checklist finds the last run (default: checklist/redteam-last.json)')
    .option('--no-record', 'do not record the run for the checklist')
    .option('--json', 'print the result as JSON')
  withCallerOptions(withGatewayOptions(command, '--target', 30_000)).action(redteam)
}

async function redteam(options: RedteamOptions): Promise<void> {
  const suite = await readSuite(options.suite)
  const location = await locateConfig(options.config, process.env, process.cwd())
  const started = performance.now()
  const outcomes = options.target
    ? await tryTarget(options.target, suite, options)
    : tryInProcess(suite, await configOf(location), options)
  const scores = suite.categories.map(category =>
    scoreCategory(category, outcomes.get(category.name) ?? [], suite.floors),
  )
  const passed = scores.every(({ faults }) => faults.length === 0)
  const run: RedteamRun = {
    version: 1,
    time: new Date().toISOString(),
    passed,
    target: options.target?.href ?? null,
    suite: suite.digest,
    categories: scores.map(score => ({ ...score, wrong: [...score.wrong], faults: [...score.faults] })),
  }
  if (options.record !== false) {
    await writeProofFile(options.record === undefined ? redteamFile(location.folder) : resolve(options.record), run)
  }
  if (options.report !== undefined) await writeProofFile(resolve(options.report), run)
  if (options.json) printJson(run)
  else printScores(scores, (performance.now() - started) / 1000)
  for (const reason of failures(outcomes)) note(`failed: ${reason}`)
  for (const { name, faults } of scores) for (const fault of faults) note(`error: ${name}: ${fault}`)
  if (!passed) process.exitCode = 1
}

function tryInProcess({ categories }: Suite, config: Config, options: CallerOptions): Map<string, Outcome[]> {
  exceptionOf(config, options) // a model that there is not
  const tryProbe = guardTrial(config, callerOf(options))
  return new Map(categories.map(({ name, probes }) => [name, probes.map(tryProbe)]))
}

async function tryTarget(url: URL, { categories }: Suite, options: RedteamOptions): Promise<Map<string, Outcome[]>> {
  const all = categories.reduce((sum, { probes }) => sum + probes.length, 0)
  if (all > options.maxRequests) {
    throw new UsageError(`--max-requests: the suite has ${all} rows, and ${options.maxRequests} requests are allowed`)
  }
  const target = new Target({
    ...(await gatewayAccess(options, '--target')),
    url,
    connections: options.concurrency,
    deadline: performance.now() + options.deadline,
  })
  try {
    const model = options.model ?? (await target.firstModel())
    const outcomes = new Map<string, Outcome[]>()
    let done = 0
    const progress = () => {
      done++
      if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${done} of ${all} requests`)
    }
    for (const { name, probes } of categories) outcomes.set(name, await target.tryAll(probes, model, progress))
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[K')
    return outcomes
  } finally {
    target.close()
  }
}

/** The configuration of `--config` and so on; where there is none, the guard's defaults. */
async function configOf(location: ConfigLocation): Promise<Config> {
  if (location.path !== undefined) {
    const result = await readConfig(location, process.env)
    if (result.ok) return result.config
    throw new CommandFailure(faultList(nameOf(location), result.faults))
  }
  const text = JSON.stringify({
    models: [{ id: 'any', upstreams: [{ url: 'http://127.0.0.1:8080/v1', kind: 'openai' }] }],
    audit: { hmacSecret: randomBytes(32).toString('hex') },
  })
  const result = await loadConfig(text, {
    env: {},
    readFile: () => Promise.resolve({ ok: false, reason: 'no files are read' }),
    resolvePath: path => path,
  })
  if (!result.ok) throw new Error(faultList('the defaults', result.faults))
  return result.config
}

function printScores(scores: readonly CategoryScore[], seconds: number): void {
  printTable([
    ['CATEGORY', 'ROWS', 'DETECTION', 'FALSE ALARMS', 'UNTRIED', 'RESULT'],
    ...scores.map(({ name, probes, attacks, detected, harmless, alarms, untried, faults }) => [
      name,
      String(probes),
      percent(rate(detected, attacks)),
      percent(rate(alarms, harmless)),
      String(untried),
      faults.length === 0 ? 'ok' : 'FAILED',
    ]),
  ])
  print(`${scores.reduce((sum, { probes }) => sum + probes, 0)} rows in ${seconds.toFixed(1)} s`)
}

/** The different reasons why requests failed, each once. */
function failures(outcomes: ReadonlyMap<string, readonly Outcome[]>): Set<string> {
  return new Set([...outcomes.values()].flat().flatMap(outcome => (outcome.kind === 'failed' ? outcome.reason : [])))
}

function between(min: number, max: number) {
  return (value: string): number => {
    const number = Number(value)
    if (Number.isInteger(number) && number >= min && number <= max) return number
    throw new InvalidArgumentError(`Use a whole number from ${min} to ${max}.`)
  }
}
