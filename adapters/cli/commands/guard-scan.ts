import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import type { Direction } from '../../../src/config/rules-in-force.ts'
import { findAll, replaceAll } from '../../../src/guard/find-all.ts'
import { scanInjection } from '../../../src/guard/injection.ts'
import { compileSide, type GuardAction, type GuardSide, type RuledAction } from '../../../src/guard/policy.ts'
import type { Digest } from '../../../src/guard/replacement.ts'
import { bracketedIn, StandIns } from '../../../src/guard/stand-ins.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { reasonOf } from '../../node/error-code.ts'
import { type CallerOptions, withCallerOptions } from '../caller-options.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { guardRulesOf } from '../guard-rules-of.ts'
import { print, printJson } from '../print.ts'
import { openInput, textRows } from '../text-rows.ts'

/** Text that is scanned as a whole is held in memory, and so is one line of JSON Lines. */
const MAX_TEXT_LENGTH = 64 * 1024 * 1024

interface ScanOptions extends CallerOptions {
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

/** `sallyport guard scan`: tries the rules on text. */
export function registerGuardScan(guard: Command): void {
  const command = guard
    .command('scan')
    .description('scan text: what is found, and the redacted text')
    .argument('[file]', 'the file; - or nothing for standard input')
    .option('--jsonl', 'a JSON object with a "text" on each line in, one with "id", "findings" and "redacted" out')
    .option('--json', 'print the result as JSON')
    .option('--on <direction>', 'as which text: input or output', 'input')
    .option('--config <file>', 'the configuration file, with your own rules; without one, every rule redacts')
  withCallerOptions(command).action(scan)
}

async function scan(file: string | undefined, options: ScanOptions): Promise<void> {
  if (options.on !== 'input' && options.on !== 'output') throw new UsageError('--on takes input or output')
  const direction: Direction = options.on
  const { [direction]: ruled, digest, injectionThreshold } = await guardRulesOf(options)
  const side = compile(ruled, digest)
  const scanText = (text: string) => scanOne(text, side, direction, injectionThreshold)
  const input = openInput(file)
  if (options.jsonl) return scanLines(input, scanText)
  const text = await readAll(input)
  const result = scanText(text)
  if (options.json) return printJson(result)
  for (const { rule, start, end, action } of result.findings) print(`${start}-${end}\t${rule}\t${action}`)
  if (result.injection?.flagged) print(`injection\t${result.injection.rules.join(',')}\t${result.injection.score}`)
  print(result.redacted)
}

async function scanLines(input: Readable, scanText: (text: string) => ReturnType<typeof scanOne>): Promise<void> {
  for await (const row of textRows(input)) {
    const result = scanText(row.text)
    const text = `${JSON.stringify(row.id === undefined ? result : { id: row.id, ...result })}\n`
    if (!process.stdout.write(text)) await new Promise(resolve => process.stdout.once('drain', resolve))
  }
}

function scanOne(text: string, side: GuardSide, direction: Direction, threshold: number) {
  const standIns = new StandIns(bracketedIn(text))
  const guard = new TextGuard(side, () => standIns)
  const matches = side.enforced ? findAll(side.enforced, text) : []
  const flagged = side.flagged ? findAll(side.flagged, text) : []
  const redacted = replaceAll(text, matches, ({ rule }, value) => guard.replacementOf(rule, value))
  const findings = [...matches, ...flagged]
    .map(({ rule, start, end }): ScanFinding => ({ rule: rule.name, start, end, action: side.actionOf(rule) }))
    .sort((one, other) => one.start - other.start || one.end - other.end)
  if (direction === 'output') return { findings, redacted, injection: undefined }
  const injection = scanInjection(text, threshold)
  return {
    findings,
    redacted,
    injection: { score: injection.score, flagged: injection.flagged, rules: injection.rules },
  }
}

function compile(ruled: readonly RuledAction[], digest: Digest | null): GuardSide {
  const compiled = compileSide(ruled, digest)
  if (compiled.ok) return compiled.side
  throw new CommandFailure(compiled.faults.map(({ rule, reason }) => `rule ${rule}: ${reason}`).join('\n'))
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
