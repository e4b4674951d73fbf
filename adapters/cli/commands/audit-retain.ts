import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { AuditLog } from '../../../src/audit/log.ts'
import type { Config } from '../../../src/config/config.ts'
import type { RetentionConfig } from '../../../src/config/retention-schema.ts'
import { openAuditFile } from '../../node/audit-file.ts'
import { systemClock } from '../../node/clock.ts'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { reasonOf } from '../../node/error-code.ts'
import { nodeHashing } from '../../node/hashing.ts'
import type { LogRetention, RunReport } from '../../node/retention/log-retention.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure, UsageError } from '../failure.ts'
import { note, print, printJson, printTable } from '../print.ts'
import { createLogRetention, keyFilesOf, statementKeys } from '../retention.ts'
import { checkpointSigner } from '../start-checkpoints.ts'

interface RetainOptions {
  readonly config?: string
  readonly dryRun?: true
  readonly yes?: true
  readonly json?: true
}

/** What is done is told at the end; a command's log would only be in its way. */
const SILENT = { log: () => {}, count: () => {} }

/** `sallyport audit retain`: deletes what the configuration does not keep, or says what it would delete. */
export function registerAuditRetain(audit: Command): void {
  audit
    .command('retain')
    .description('delete records as audit.retention says; what is deleted is signed for, and the log still verifies')
    .option('--dry-run', 'say what would be deleted, and delete nothing')
    .option('--yes', 'delete it; a running gateway does so by itself, and has the log')
    .option('--config <file>', 'the configuration of the gateway')
    .option('--json', 'print JSON')
    .action(retain)
}

async function retain({ config: file, dryRun, yes, json }: RetainOptions): Promise<void> {
  if (dryRun === yes) throw new UsageError('give one of --dry-run and --yes')
  const { audit } = await configOf(file)
  if (audit.retention === undefined) {
    throw new CommandFailure('audit.retention: not configured: everything is kept')
  }
  const retention = createLogRetention(audit, audit.retention, SILENT)
  const report = await (dryRun
    ? retention.dryRun(Date.now(), new AbortController().signal)
    : deleteDue(audit, retention)
  ).catch((error: unknown) => {
    throw error instanceof CommandFailure ? error : new CommandFailure(reasonOf(error))
  })
  if (json) printJson({ dryRun: dryRun === true, ...report })
  else show(report, audit.retention, dryRun === true)
  if (report.failed) process.exitCode = 1
}

async function configOf(file: string | undefined): Promise<Config> {
  const location = await locateConfig(file, process.env, process.cwd())
  const read = await readConfig(location, process.env)
  if (!read.ok) throw new CommandFailure(faultList(nameOf(location), read.faults))
  return read.config
}

async function deleteDue(audit: Config['audit'], retention: LogRetention): Promise<RunReport> {
  const { checkpoint } = audit
  if (checkpoint === undefined) throw new CommandFailure('audit.retention: needs audit.checkpoint')
  const signer = await checkpointSigner(checkpoint, audit.file)
  const verifiers = await statementKeys(keyFilesOf(checkpoint))
  const sink = await openAuditFile({ path: audit.file, maxBytes: audit.maxBytes, maxAgeMs: audit.maxAgeMs })
  try {
    const log = await AuditLog.open({ sink, hashing: nodeHashing, clock: systemClock, telemetry: SILENT })
    const stop = new AbortController()
    return await retention.run(userInfo().username, { signer, verifiers }, log, Date.now(), stop.signal)
  } finally {
    await sink.close()
  }
}

function show(
  { files, deleted, held, holds, run }: RunReport,
  { holds: path }: RetentionConfig,
  dryRun: boolean,
): void {
  if (files.length === 0) return print('nothing is due')
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([name, count]) => `${name}: ${count}`)
      .join(', ')
  printTable([
    ['FILE', 'RECORDS', dryRun ? 'DUE' : 'DELETED', 'BY RULE', 'HELD', 'NOTE'],
    ...files.map(each => [
      each.file,
      String(each.records),
      String(dryRun || each.kept === undefined ? each.deleted : 0),
      counts(each.rules),
      counts(each.held),
      each.kept ?? '',
    ]),
  ])
  const holding = holds.length === 0 ? '' : `; legal holds in force (${path}): ${holds.join(', ')}`
  note(`${dryRun ? 'would delete' : `run ${run}: deleted`} ${deleted} records, ${held} are held${holding}`)
}
