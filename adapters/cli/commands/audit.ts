import type { Command } from 'commander'
import { errorCode, reasonOf } from '../../node/error-code.ts'
import { nodeHashing } from '../../node/hashing.ts'
import { type FilesReport, verifyAuditFiles } from '../../node/verify-audit-files.ts'

/** Adds `audit verify` to the program. */
export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('work with the audit log')
  audit
    .command('verify')
    .description('prove that no record was changed, removed, added or moved')
    .argument('<file...>', 'the files of one log, rotated ones included, in any order')
    .option('--json', 'print the result as JSON')
    .action(async (files: string[], options: { json?: boolean }) => {
      await verify(files, options.json === true)
    })
}

async function verify(paths: readonly string[], json: boolean): Promise<void> {
  const started = performance.now()
  let report: FilesReport
  try {
    report = await verifyAuditFiles(nodeHashing, paths)
  } catch (error) {
    process.exitCode = 1
    console.error(`error: ${fileFault(error)}`)
    return
  }
  const seconds = (performance.now() - started) / 1000
  if (json) console.log(JSON.stringify(asJson(report, seconds), null, 2))
  else if (report.bad === undefined) console.log(asText(report, seconds))
  else console.error(`error: ${badRecord(report)}`)
  if (report.bad !== undefined) process.exitCode = 1
}

function fileFault(error: unknown): string {
  const path = error instanceof Error && 'path' in error ? String(error.path) : 'a file'
  switch (errorCode(error)) {
    case 'ENOENT':
      return `${path}: no such file`
    case 'EISDIR':
      return `${path}: is a folder; name the files in it`
    case 'EACCES':
      return `${path}: may not be read`
    default:
      return `${path}: ${reasonOf(error)}`
  }
}

function badRecord({ bad, verified }: FilesReport): string {
  const seq = bad?.seq === undefined ? '' : ` (seq ${bad.seq})`
  return `${bad?.file} line ${bad?.line}${seq}: ${bad?.reason}; ${verified.records} records before it are intact`
}

function asText({ files, verified, bytes }: FilesReport, seconds: number): string {
  const { records, firstSeq, lastSeq, firstTime, lastTime, head } = verified
  if (records === 0) return 'ok: no records'
  const older = firstSeq === 1 ? '' : `, starts at ${firstSeq}: older records are not in these files`
  return [
    `ok: ${records} records in ${files.length} ${files.length === 1 ? 'file' : 'files'}`,
    `seq   ${firstSeq} to ${lastSeq}${older}`,
    `time  ${firstTime} to ${lastTime}`,
    `head  ${head}`,
    `speed ${perSecond(records, seconds)} records/s, ${(bytes / seconds / 1e6).toFixed(0)} MB/s`,
  ].join('\n')
}

function asJson({ files, verified, bad, bytes }: FilesReport, seconds: number) {
  return {
    ok: bad === undefined,
    ...verified,
    bad,
    files,
    bytes,
    recordsPerSecond: perSecond(verified.records, seconds),
  }
}

function perSecond(records: number, seconds: number): number {
  return Math.round(records / seconds)
}
