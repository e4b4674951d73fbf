import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { firstTime, lastRotatedLine, readTail } from './audit-tail.ts'
import { openDurable, syncFolder } from './durable-file.ts'
import { reasonOf } from './error-code.ts'
import { type FileLock, takeLock } from './file-lock.ts'
import { type AuditFile, type AuditFileOptions, LockedAuditFile } from './locked-audit-file.ts'

export type { AuditFile, AuditFileOptions }

/**
 * Opens an audit log in a file, for this process alone, on Node and Bun.
 * @throws an Error whose message names the file and is safe to print: it cannot be made, or another process has it.
 */
export async function openAuditFile(options: AuditFileOptions): Promise<AuditFile> {
  try {
    await mkdir(dirname(options.path), { recursive: true, mode: 0o700 })
    const lock = await takeLock(`${options.path}.lock`)
    try {
      return await openLocked(options, lock)
    } catch (error) {
      await lock.release()
      throw error
    }
  } catch (error) {
    throw new Error(`audit log ${options.path}: ${reasonOf(error)}`, { cause: error })
  }
}

async function openLocked(options: AuditFileOptions, lock: FileLock): Promise<AuditFile> {
  const { path } = options
  const handle = await openDurable(path)
  try {
    const { lastLine, end, torn } = await readTail(handle)
    let tornPath: string | undefined
    if (torn.length > 0) {
      tornPath = await setAside(path, torn)
      await handle.truncate(end)
      options.telemetry?.log('warn', 'audit_torn_line', { file: tornPath, bytes: torn.length })
    }
    await handle.sync()
    await syncFolder(path)
    const before = lastLine ?? (await lastRotatedLine(path))
    const began = (end > 0 ? await firstTime(handle) : undefined) ?? Date.now()
    return new LockedAuditFile(options, lock, handle, await handle.stat(), { lastLine: before, began, tornPath })
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Keeps what a crash left of a line that nobody was told is durable. */
async function setAside(path: string, torn: Buffer): Promise<string> {
  const aside = `${path}.torn-${new Date().toISOString().replaceAll(/[-:.]/g, '')}`
  const handle = await open(aside, 'wx', 0o600)
  try {
    await handle.writeFile(torn)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return aside
}
