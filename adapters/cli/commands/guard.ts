import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import type { Config } from '../../../src/config/config.ts'
import { createDigest } from '../../../src/guard/digest.ts'
import { findAll, replaceAll } from '../../../src/guard/find-all.ts'
import { scanInjection } from '../../../src/guard/injection.ts'
import { byGroup, compileSide, type GuardAction, type GuardSide, type RuledAction } from '../../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../../src/guard/recognisers/index.ts'
import type { Digest } from '../../../src/guard/replacement.ts'
import { bracketedIn, StandIns } from '../../../src/guard/stand-ins.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { ownRules } from '../../../src/pipeline/policy-book.ts'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { reasonOf } from '../../node/error-code.ts'
import { nodeHashing } from '../../node/hashing.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { print, printJson, printTable } from '../print.ts'
import { faultList, nameOf } from './config.ts'

/** Text that is scanned as a whole is held in memory, and so is one line of JSON Lines. */
const MAX_TEXT_LENGTH = 64 * 1024 * 1024

type Direction = 'input' | 'output'

interface ScanOptions {
  readonly jsonl?: true
  readonly json?: true
  readonly on: string
  readonly config?: string
}

interface ScanFinding {
  readonly rule: string
  readonly start: number
  readonly end: number
  readonly action: GuardAction
}

/** `sallyport guard`: scan, rules. */
export function registerGuard(program: Command): void {
  const guard = program.command('guard').description('try the guard on text, and list its rules')

  guard
    .command('scan')
    .description('scan text: what is found, and the redacted text')
    .argument('[file]', 'the file; - or nothing for standard input')
    .option('--jsonl', 'a JSON object with a "text" on each line in, one with "id", "findings" and "redacted" out')
    .option('--json', 'print the result as JSON')
    .option('--on <direction>', 'as which text: input or output', 'input')
    .option('--config <file>', 'the configuration file; without one, every rule redacts')
    .action(scan)

  guard
    .command('rules')
    .description('the recognisers and rules in force, with examples')
    .option('--json', 'print the rules as JSON')
    .option('--config <file>', 'the configuration file')
    .action(rules)
}

async function scan(file: string | undefined, options: ScanOptions): Promise<void> {
  if (options.on !== 'input' && options.on !== 'output') throw new UsageError('--on takes input or output')
  const direction: Direction = options.on
  const { [direction]: ruled, digest } = await ruledActions(options.config)
  const side = compile(ruled, digest)
  const input = open(file)
  if (options.jsonl) return scanLines(input, side, direction)
  const text = await readAll(input)
  const result = scanOne(text, side, direction)
  if (options.json) return printJson(result)
  for (const { rule, start, end, action } of result.findings) print(`${start}-${end}\t${rule}\t${action}`)
  if (result.injection?.flagged) print(`injection\t${result.injection.rules.join(',')}\t${result.injection.score}`)
  print(result.redacted)
}

async function scanLines(input: Readable, side: GuardSide, direction: Direction): Promise<void> {
  let number = 0
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (line.trim() === '') continue
    const row = parseRow(line, number)
    const result = scanOne(row.text, side, direction)
    const text = `${JSON.stringify(row.id === undefined ? result : { id: row.id, ...result })}\n`
    if (!process.stdout.write(text)) await new Promise(resolve => process.stdout.once('drain', resolve))
  }
}

function parseRow(line: string, number: number): { id: unknown; text: string } {
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch {
    throw new CommandFailure(`line ${number}: not JSON`)
  }
  const { id, text } = (typeof row === 'object' && row !== null ? row : {}) as { id?: unknown; text?: unknown }
  if (typeof text !== 'string') throw new CommandFailure(`line ${number}: no string "text"`)
  return { id, text }
}

function scanOne(text: string, side: GuardSide, direction: Direction) {
  const standIns = new StandIns(bracketedIn(text))
  const guard = new TextGuard(side, () => standIns)
  const matches = side.enforced ? findAll(side.enforced, text) : []
  const flagged = side.flagged ? findAll(side.flagged, text) : []
  const redacted = replaceAll(text, matches, ({ rule }, value) => guard.replacementOf(rule, value))
  const findings = [...matches, ...flagged]
    .map(({ rule, start, end }): ScanFinding => ({ rule: rule.name, start, end, action: side.actionOf(rule) }))
    .sort((one, other) => one.start - other.start || one.end - other.end)
  if (direction === 'output') return { findings, redacted, injection: undefined }
  return { findings, redacted, injection: scanInjection(text) }
}

async function rules(options: { readonly json?: true; readonly config?: string }): Promise<void> {
  const actions = await ruledActions(options.config)
  const onInput = new Map(actions.input.map(({ rule, action }) => [rule.name, action]))
  const onOutput = new Map(actions.output.map(({ rule, action }) => [rule.name, action]))
  const all = new Map([...actions.input, ...actions.output].map(({ rule }) => [rule.name, rule]))
  const rows = [...all.values()].map(({ name, group, description, pattern, examples, counterExamples }) => ({
    name,
    group,
    input: onInput.get(name) ?? 'off',
    output: onOutput.get(name) ?? 'off',
    description,
    pattern,
    examples: examples.map(example => example.replaceAll(/[«»]/g, '')),
    counterExamples,
  }))
  if (options.json) return printJson(rows)
  printTable([
    ['NAME', 'GROUP', 'INPUT', 'OUTPUT', 'EXAMPLE'],
    ...rows.map(({ name, group, input, output, examples }) => [name, group, input, output, oneLine(examples[0] ?? '')]),
  ])
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 57)}...` : line
}

interface Ruled extends Record<Direction, RuledAction[]> {
  /** Null without a configuration. */
  readonly digest: Digest | null
}

/** What the configuration makes of every rule; without one, all built-in rules redact. */
async function ruledActions(file: string | undefined): Promise<Ruled> {
  const location = await locateConfig(file, process.env, process.cwd())
  if (location.path === undefined) {
    const all = byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' })
    return { input: all, output: all, digest: null }
  }
  const result = await readConfig(location, process.env)
  if (!result.ok) throw new CommandFailure(faultList(nameOf(location), result.faults))
  const { guard, audit }: Config = result.config
  return {
    digest: createDigest(nodeHashing, new TextEncoder().encode(audit.hmacSecret)),
    input: [...ownRules(guard, 'input'), ...byGroup(BUILT_IN_RULES, guard.input)],
    output: [...ownRules(guard, 'output'), ...byGroup(BUILT_IN_RULES, guard.output)],
  }
}

function compile(ruled: readonly RuledAction[], digest: Digest | null): GuardSide {
  const compiled = compileSide(ruled, digest)
  if (compiled.ok) return compiled.side
  throw new CommandFailure(compiled.faults.map(({ rule, reason }) => `rule ${rule}: ${reason}`).join('\n'))
}

function open(file: string | undefined): Readable {
  return file === undefined || file === '-' ? process.stdin : createReadStream(file)
}

async function readAll(input: Readable): Promise<string> {
  let text = ''
  input.setEncoding('utf8')
  try {
    for await (const piece of input as AsyncIterable<string>) {
      text += piece
      if (text.length > MAX_TEXT_LENGTH) throw new CommandFailure('the text is too long; scan it as --jsonl')
    }
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    throw new CommandFailure(`cannot read: ${reasonOf(error)}`)
  }
  return text
}
