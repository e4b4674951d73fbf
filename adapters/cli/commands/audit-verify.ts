import type { Command } from 'commander'
import { type CheckpointCheck, checkAgainst } from '../../../src/audit/checked-chain.ts'
import type { NoteVerifier } from '../../../src/audit/signed-note.ts'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { nodeHashing } from '../../node/hashing.ts'
import { type FilesReport, verifyAuditFiles } from '../../node/verify-audit-files.ts'
import { chosenFiles, fileFault } from '../audit-files.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../print.ts'
import { readCheckpoints } from '../read-checkpoints.ts'
import { keyFilesOf, statementKeys } from '../retention.ts'

/** Interrupted requests that are named without `--json`. */
const MAX_SHOWN = 10
const PROGRESS_MS = 200

interface VerifyOptions {
  readonly checkpoints?: string
  readonly key?: string
  readonly origin?: string
  readonly complete?: true
  readonly config?: string
  readonly json?: true
}

/** `sallyport audit verify`. */
export function registerAuditVerify(audit: Command): void {
  audit
    .command('verify')
    .description(
      'prove that no record was changed, removed, added or moved; with checkpoints, that none is missing at the end',
    )
    .argument(
      '[file...]',
      'the files of one log, rotated ones included, in any order (default: those of the configuration)',
    )
    .option('--checkpoints <place>', 'a file of signed checkpoints, or the URL of a Redis, to hold the log against')
    .option(
      '--key <file>',
      'the key that checkpoints and deletions are signed with: a JWK, public or private, or a JWK Set (default: those of the configuration)',
    )
    .option('--complete', 'fail where the log does not begin with its first record')
    .option('--origin <name>', 'of checkpoints, only those of this log')
    .option('--config <file>', 'the configuration of the gateway, for where its log is')
    .option('--json', 'print the result as JSON')
    .action(verify)
}

/** What was found, with what checkpoints say at the end. */
interface Report extends FilesReport {
  /** Checkpoints that the log agrees with; undefined where none were given. */
  readonly confirmed: number | undefined
  /** What the log lacks, by its checkpoints. */
  readonly missing: string | undefined
  readonly seconds: number
}

async function verify(named: readonly string[], options: VerifyOptions): Promise<void> {
  const check = await checkOf(options)
  const files = await chosenFiles(named, options.config)
  const keys = await keysOf(named, options)
  const started = performance.now()
  const progress = showProgress()
  let found: FilesReport
  try {
    found = await verifyAuditFiles(nodeHashing, files, {
      ...(check && { witness: check.witness }),
      keys,
      progress: progress.add,
    })
  } catch (error) {
    process.exitCode = 1
    console.error(`error: ${fileFault(error)}`)
    return
  } finally {
    progress.clear()
  }
  const seconds = (performance.now() - started) / 1000
  const missing =
    found.bad === undefined ? (check?.ending(found.verified) ?? beginning(found, options.complete)) : undefined
  const report: Report = { ...found, confirmed: check?.confirmed, missing, seconds }
  const fault = report.bad === undefined ? missing : badRecord(report)
  if (options.json) console.log(JSON.stringify(asJson(report), null, 2))
  else if (fault === undefined) console.log(asText(report))
  else console.error(`error: ${fault}`)
  if (fault !== undefined) process.exitCode = 1
}

async function checkOf({ checkpoints, key, origin }: VerifyOptions): Promise<CheckpointCheck | undefined> {
  if (checkpoints === undefined) return undefined
  const checked = checkAgainst(await readCheckpoints({ checkpoints, key, origin }))
  if (!checked.ok) throw new CommandFailure(checked.fault)
  return checked.check
}

/** Of a log that is named by its files, the configuration is another's. */
async function keysOf(named: readonly string[], { key, config }: VerifyOptions): Promise<readonly NoteVerifier[]> {
  if (key !== undefined) return await statementKeys([key])
  if (named.length > 0) return []
  const read = await readConfig(await locateConfig(config, process.env, process.cwd()), process.env)
  return read.ok && read.config.audit.checkpoint ? await statementKeys(keyFilesOf(read.config.audit.checkpoint)) : []
}

/** Retention leaves a line for what it deletes: of a beginning without one, somebody else has made away with the files. */
function beginning({ verified: { firstSeq } }: FilesReport, complete: true | undefined): string | undefined {
  return complete && firstSeq !== undefined && firstSeq > 1
    ? `incomplete: the log begins at ${firstSeq}, and nothing says what became of the records before`
    : undefined
}

/** On a terminal, how much was read. */
function showProgress(): { add(bytes: number): void; clear(): void } {
  const { stderr } = process
  if (!stderr.isTTY) return { add: () => {}, clear: () => {} }
  let read = 0
  let shownAt = performance.now()
  return {
    add(bytes) {
      read += bytes
      if (performance.now() - shownAt < PROGRESS_MS) return
      shownAt = performance.now()
      stderr.write(`\r${(read / 1e6).toFixed(0)} MB verified`)
    },
    clear: () => void stderr.write('\r\u001b[K'),
  }
}

function badRecord({ bad, verified }: FilesReport): string {
  const seq = bad?.seq === undefined ? '' : ` (seq ${bad.seq})`
  return `${bad?.file} line ${bad?.line}${seq}: ${bad?.reason}; ${verified.records} records before it are intact`
}

function asText({ files, verified, bytes, confirmed, seconds }: Report): string {
  const { records, firstSeq, lastSeq, firstTime, lastTime, head, deleted } = verified
  if (firstSeq === undefined) return 'ok: no records'
  const older = firstSeq === 1 ? '' : `, starts at ${firstSeq}: older records are not in these files`
  return [
    `ok: ${records} records in ${files.length} ${files.length === 1 ? 'file' : 'files'}`,
    `seq   ${firstSeq} to ${lastSeq}${older}`,
    ...(firstTime === undefined ? [] : [`time  ${firstTime} to ${lastTime}`]),
    `head  ${head}`,
    `speed ${perSecond(records, seconds)} records/s, ${(bytes / seconds / 1e6).toFixed(0)} MB/s`,
    ...(confirmed === undefined ? [] : [`checkpoints ${confirmed} agree`]),
    ...deletions(deleted),
    ...withoutEnd(verified),
  ].join('\n')
}

/** What retention took away, by the statements that were proved. */
function deletions({ records, ranges, statements }: FilesReport['verified']['deleted']): string[] {
  if (records === 0) return []
  const shown = statements.slice(0, MAX_SHOWN).map(each => {
    const why = Object.entries(each.rules).map(([rule, count]) => `${rule}: ${count}`)
    return `  seq ${each.from} to ${each.to}: ${each.records} on ${each.time} by ${each.by} (${why.join(', ')})`
  })
  const more = statements.length - shown.length
  return [
    `deleted ${records} records in ${ranges.length} pieces, signed for`,
    ...shown.map(printable),
    ...(more > 0 ? [`  and ${more} more statements`] : []),
  ]
}

/** Requests of whose end there is no record: no fault of the log, which is how they show. */
function withoutEnd({ interrupted, open, requests }: FilesReport['verified']): string[] {
  if (interrupted + open === 0) return []
  const running = open === 0 ? '' : `, and ${open} of the last process: in progress if it runs, else interrupted too`
  const shown = requests
    .slice(0, MAX_SHOWN)
    .map(({ seq, requestId, time }) => `  seq ${seq}  ${time}  ${printable(requestId)}`)
  const more = interrupted + open - shown.length
  return [`interrupted ${interrupted} requests${running}`, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])]
}

function asJson({ files, verified, bad, bytes, confirmed, missing, seconds }: Report) {
  return {
    ok: bad === undefined && missing === undefined,
    ...verified,
    bad,
    ...(confirmed !== undefined && { checkpoints: { confirmed, fault: missing } }),
    files,
    bytes,
    recordsPerSecond: perSecond(verified.records, seconds),
  }
}

function perSecond(records: number, seconds: number): number {
  return Math.round(records / seconds)
}
