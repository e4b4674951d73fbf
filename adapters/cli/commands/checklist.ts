import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import manifest from '../../../package.json' with { type: 'json' }
import { type Attestation, attestationFault, parseAttestations } from '../../../src/checklist/attestations.ts'
import { htmlPage, markdownPage, summary } from '../../../src/checklist/pages.ts'
import { type Checklist, checklistOf, type Status } from '../../../src/checklist/report.ts'
import { ROWS } from '../../../src/checklist/rows.ts'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { statOf } from '../../node/durable-file.ts'
import { readText } from '../../node/read-text.ts'
import { gatherFacts } from '../checklist/gather.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { note, print, printJson, printTable, styled } from '../print.ts'
import { attestationsFile, redteamFile, writeProofFile } from '../proof-files.ts'

const FORMATS = ['table', 'md', 'html', 'json'] as const
const MAX_ATTESTATIONS_BYTES = 8 * 1024 * 1024

interface PlaceOptions {
  readonly config?: string
  readonly attestations?: string
}

interface ChecklistOptions extends PlaceOptions {
  readonly format: (typeof FORMATS)[number]
  readonly json?: true
  readonly redteam?: string
  readonly full?: true
  readonly probeEgress?: { readonly host: string; readonly port: number }
}

interface AttestOptions extends PlaceOptions {
  readonly by: string
  readonly until: string
  readonly note?: string
  readonly json?: true
}

/** `sallyport checklist`: the rows with evidence; `checklist attest`: vouch for one. */
export function registerChecklist(program: Command): void {
  const places = (command: Command) =>
    command
      .option('--config <file>', 'the configuration file')
      .option('--attestations <file>', 'who vouches for what (default: checklist/attestations.json)')
  const checklist = places(
    program.command('checklist').description('what a deployment does of the security checklist, with evidence'),
  )
    .addOption(new Option('--format <format>', 'of the output').choices(FORMATS).default('table'))
    .option('--json', 'as --format json')
    .option('--redteam <file>', 'the record of the last red-team run (default: checklist/redteam-last.json)')
    .option('--full', 'hash the configured weights, too')
    .option('--probe-egress <host:port>', 'try to connect out of this machine; nothing is sent', hostAndPort)
    .action(show)
  places(checklist.command('attest').description('vouch for a row that the gateway cannot measure'))
    .argument('<row>', 'its number', rowNumber)
    .requiredOption('--by <name>', 'who vouches')
    .requiredOption('--until <date>', 'the last day on which it counts: 2027-03-31')
    .option('--note <text>', 'what was looked at')
    .option('--json', 'print the attestation as JSON')
    // The command above takes those that it has too.
    .action((row: number, _: AttestOptions, command: Command) => attest(row, command.optsWithGlobals()))
}

async function show(options: ChecklistOptions): Promise<void> {
  const location = await locateConfig(options.config, process.env, process.cwd())
  const result = await readConfig(location, process.env)
  if (!result.ok) throw new CommandFailure(faultList(nameOf(location), result.faults))
  const attestations = await readAttestations(placeOf(options, location.folder))
  const facts = await gatherFacts(result.config, {
    redteamFile: options.redteam === undefined ? redteamFile(location.folder) : resolve(options.redteam),
    full: options.full === true,
    ...(options.probeEgress && { egress: options.probeEgress }),
  })
  const checklist = checklistOf(facts, attestations)
  const title = { deployment: location.path ?? 'the defaults', version: manifest.version }
  const format = options.json ? 'json' : options.format
  if (format === 'json') printJson({ ...title, ...checklist })
  else if (format === 'md') print(markdownPage(checklist, title))
  else if (format === 'html') print(htmlPage(checklist, title))
  else printChecklist(checklist)
  if (!checklist.ok) process.exitCode = 1
}

async function attest(row: number, options: AttestOptions): Promise<void> {
  const nowMs = Date.now()
  const attestation: Attestation = {
    row,
    by: options.by,
    date: new Date(nowMs).toISOString().slice(0, 10),
    until: options.until,
    ...(options.note !== undefined && { note: options.note }),
  }
  const fault = attestationFault(attestation, nowMs)
  if (fault !== undefined) throw new UsageError(fault)
  const { folder } = await locateConfig(options.config, process.env, process.cwd())
  const path = placeOf(options, folder)
  const before = await readAttestations(path)
  await writeProofFile(path, { attestations: [...before, attestation] })
  if (options.json) printJson(attestation)
  else print(`row ${row} (${ROWS[row - 1]?.item}): attested by ${attestation.by} until ${attestation.until}`)
}

function placeOf({ attestations }: PlaceOptions, folder: string): string {
  return attestations === undefined ? attestationsFile(folder) : resolve(attestations)
}

/** None where there is no file. @throws CommandFailure where there is one that cannot be used: it may hold what counts */
async function readAttestations(path: string): Promise<readonly Attestation[]> {
  if ((await statOf(path)) === undefined) return []
  const file = await readText(path, MAX_ATTESTATIONS_BYTES)
  if (!file.ok) throw new CommandFailure(`${path} cannot be read: ${file.reason}`)
  const read = parseAttestations(file.text)
  if (!read.ok) throw new CommandFailure(`${path}: ${read.reason}`)
  return read.attestations
}

const COLOURS: Readonly<Record<Status, 'green' | 'red' | 'yellow'>> = {
  pass: 'green',
  attested: 'green',
  fail: 'red',
  expired: 'red',
  'attest-needed': 'yellow',
}

/** The evidence stands under its row: it is as long as it is. */
function printChecklist(checklist: Checklist): void {
  printTable([
    ['#', 'STATUS', 'PRIORITY', 'AREA', 'ITEM'],
    ...checklist.rows.map(({ number, status, priority, area, item }) => [String(number), status, priority, area, item]),
  ])
  print('')
  for (const { number, status, evidence } of checklist.rows) {
    print(`${String(number).padStart(2)} ${styled(COLOURS[status], status, process.stdout)}: ${evidence}`)
  }
  note(`${summary(checklist)}; critical rows ${checklist.ok ? 'all hold' : 'do not all hold'}`)
}

function rowNumber(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 1 && number <= ROWS.length) return number
  throw new InvalidArgumentError(`Use the number of a row, 1 to ${ROWS.length}.`)
}

function hostAndPort(value: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(value) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) }
  throw new InvalidArgumentError('Use HOST:PORT, such as 1.1.1.1:443.')
}
