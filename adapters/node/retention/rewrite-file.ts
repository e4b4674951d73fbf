import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type DeletionStatement, statementLine } from '../../../src/audit/deletion-statement.ts'
import type { ReadBack } from '../../../src/audit/query.ts'
import { type DeletionPlan, RecordDeleter } from '../../../src/audit/record-deleter.ts'
import type { Fate } from '../../../src/audit/retention.ts'
import type { NoteSigner, NoteVerifier } from '../../../src/audit/signed-note.ts'
import { linesOf, SMALL_BLOCK } from '../audit-lines.ts'
import { syncFolder, writeAll } from '../durable-file.ts'
import { nodeHashing } from '../hashing.ts'
import { verifyAuditFiles } from '../verify-audit-files.ts'

/** One run of retention over a log. */
export interface Run {
  readonly id: string
  readonly by: string
  readonly nowMs: number
  readonly fateOf: (record: ReadBack) => Fate
  /** Names of the holds in force. */
  readonly holds: readonly string[]
  readonly signal: AbortSignal
}

export interface Keys {
  readonly signer: NoteSigner
  /** The signer's own, and earlier ones. */
  readonly verifiers: readonly NoteVerifier[]
}

const MAX_NAMED_HOLDS = 100
/** Behind the name of a file, then the run: what a run that was killed leaves is known by it. */
const UNFINISHED = '.retaining-'

/** What a run would do to a file. @throws where a line is no JSON */
export async function planFile(path: string, { id, fateOf, signal }: Run): Promise<DeletionPlan> {
  const deleter = new RecordDeleter(nodeHashing, fateOf, id, () => {})
  for await (const lines of linesOf([path], SMALL_BLOCK)) {
    signal.throwIfAborted()
    for (const line of lines) deleter.line(line)
  }
  return deleter.end()
}

/**
 * Deletes what is planned: writes the file anew beside itself, proves it, and puts it in its place, at once or not at all.
 * Whoever reads the old one may go on. A file that is not intact, or would not be, stays as it is.
 * @throws an Error that says why, safe to print
 */
export async function rewriteFile(path: string, plan: DeletionPlan, run: Run, keys: Keys): Promise<void> {
  await expectIntact(path, keys)
  const unfinished = path + UNFINISHED + run.id
  try {
    await writeRest(path, unfinished, plan, run, keys)
    await expectIntact(unfinished, keys)
    run.signal.throwIfAborted()
    await rename(unfinished, path)
    await syncFolder(path)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** Takes away what a run that was killed has left beside the files of a log. */
export async function removeUnfinished(log: string): Promise<void> {
  const folder = dirname(log)
  const stem = basename(log).replace(/\.[^.]*$/, '')
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${stem}.`) && name.includes(UNFINISHED)) await rm(join(folder, name), { force: true })
  }
}

async function writeRest(path: string, to: string, plan: DeletionPlan, run: Run, keys: Keys): Promise<void> {
  await using original = await open(path, 'r')
  const { mode, uid, gid } = await original.stat()
  await using file = await open(to, 'wx', mode & 0o777)
  const made = await file.stat()
  // The gateway's own, though an administrator runs the command.
  if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid)
  let out = [await statementLine(keys.signer, statementOf(plan, run))]
  const write = async () => {
    if (out.length > 0) await writeAll(file, Buffer.from(`${out.join('\n')}\n`))
    out = []
  }
  const deleter = new RecordDeleter(nodeHashing, run.fateOf, run.id, line => out.push(line))
  for await (const lines of linesOf([path], SMALL_BLOCK)) {
    run.signal.throwIfAborted()
    for (const line of lines) deleter.line(line)
    await write()
  }
  const done = deleter.end()
  await write()
  if (done.digest !== plan.digest) throw new Error('the file changed while it was read')
  await file.sync()
}

async function expectIntact(path: string, { verifiers }: Keys): Promise<void> {
  const { bad } = await verifyAuditFiles(nodeHashing, [path], { keys: verifiers, blockBytes: SMALL_BLOCK })
  if (bad !== undefined) throw new Error(`line ${bad.line} is damaged (${bad.reason}): verify the log`)
}

function statementOf({ digest, from, to, deleted, rules }: DeletionPlan, run: Run): DeletionStatement {
  return {
    by: run.by,
    digest,
    from,
    to,
    holds: run.holds.slice(0, MAX_NAMED_HOLDS),
    records: deleted,
    run: run.id,
    rules,
    time: new Date(run.nowMs).toISOString(),
  }
}
