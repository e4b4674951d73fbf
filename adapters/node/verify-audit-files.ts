import { type FileHandle, open } from 'node:fs/promises'
import { forgery } from '../../src/audit/deletion-statement.ts'
import { MAX_LINE_BYTES } from '../../src/audit/record.ts'
import type { NoteVerifier } from '../../src/audit/signed-note.ts'
import { type BadRecord, createVerifier, type Verified, type Verifier, type Witness } from '../../src/audit/verify.ts'
import type { Hashing } from '../../src/ports/hashing.ts'
import { isNamedBefore } from './audit-tail.ts'

export interface FilesReport {
  /** In the order in which they were read: by their first record. */
  readonly files: readonly string[]
  readonly verified: Verified
  /** The first bad record, or undefined when the chain is whole. */
  readonly bad: BadRecord | undefined
  readonly bytes: number
}

export interface VerifyOptions {
  readonly witness?: Witness
  /** One of which has to have signed each statement of a deletion. Without any, deletions are not proved. */
  readonly keys?: readonly NoteVerifier[]
  /** Read at once; 1 MiB by default. */
  readonly blockBytes?: number
  /** Told how many bytes were read since it was told last. */
  readonly progress?: (bytes: number) => void
}

const BLOCK = 1 << 20
const LINE_END = 0x0a

/**
 * Verifies the chain over the files of one log, rotated ones included, given in any order. Memory is bounded by the
 * longest line. Rejects with the file system's error, its `path` set, when a file cannot be read.
 */
export async function verifyAuditFiles(
  hashing: Hashing,
  paths: readonly string[],
  { witness, keys = [], blockBytes = BLOCK, progress = () => {} }: VerifyOptions = {},
): Promise<FilesReport> {
  const { files, swapped } = await inOrder(paths)
  const verifier = createVerifier(hashing, witness)
  let bad: BadRecord | undefined
  let bytes = 0
  for (const file of files) {
    verifier.startFile(file)
    await withFile(file, async handle => {
      const report = await feed(verifier, handle, blockBytes, progress)
      bad = report.bad ?? (await findForged(verifier, keys, file))
      bytes += report.bytes
    })
    if (bad !== undefined) break
  }
  return { files, verified: verifier.verified(), bad: bad ?? swapped, bytes }
}

async function findForged(
  verifier: Verifier,
  keys: readonly NoteVerifier[],
  file: string,
): Promise<BadRecord | undefined> {
  for (const { line, note } of verifier.takeUnproved()) {
    const reason = await forgery(keys, note)
    if (reason !== undefined) return { file, line, seq: undefined, reason }
  }
  return undefined
}

/** A file whose first record tells no number stays where it was given, and its place in the chain will not fit. */
async function inOrder(paths: readonly string[]): Promise<{ files: string[]; swapped: BadRecord | undefined }> {
  const found: { path: string; first: number; isKnown: boolean }[] = []
  for (const path of new Set(paths)) {
    const first = await withFile(path, firstSeq)
    found.push({ path, first: first ?? found.at(-1)?.first ?? 0, isKnown: first !== undefined })
  }
  found.sort((a, b) => a.first - b.first)
  return { files: found.map(({ path }) => path), swapped: findSwapped(found.filter(({ isKnown }) => isKnown)) }
}

/** The gateway names its files in the order of their records: others have been given each other's names or contents. */
function findSwapped(files: readonly { readonly path: string; readonly first: number }[]): BadRecord | undefined {
  for (const [index, { path, first }] of files.entries()) {
    const before = files[index - 1]
    if (before === undefined || !isNamedBefore(path, before.path)) continue
    const reason = `swapped or renamed: ${before.path} is named as newer and holds older records`
    return { file: path, line: 1, seq: first, reason }
  }
  return undefined
}

/** The first that a line tells: statements, which may stand before, have none. */
async function firstSeq(handle: FileHandle): Promise<number | undefined> {
  const start = Buffer.alloc(MAX_LINE_BYTES)
  for (let length = 0; ; ) {
    const { bytesRead } = await handle.read(start, length, Math.min(BLOCK, start.length - length), length)
    if (bytesRead === 0) return undefined
    length += bytesRead
    // Quotes inside strings are escaped, so this is the member itself.
    const seq = /"seq":(\d{1,15})[,}]/.exec(start.toString('latin1', 0, length))?.[1]
    if (seq !== undefined) return Number(seq)
  }
}

async function feed(
  verifier: Verifier,
  handle: FileHandle,
  blockBytes: number,
  progress: (bytes: number) => void,
): Promise<{ bad: BadRecord | undefined; bytes: number }> {
  let block = Buffer.allocUnsafeSlow(blockBytes)
  let held = 0
  let bytes = 0
  for (;;) {
    // A line that fills the block asks for a larger one.
    if (held === block.length) block = Buffer.concat([block, Buffer.allocUnsafeSlow(block.length)])
    const { bytesRead } = await handle.read(block, held, block.length - held, null)
    bytes += bytesRead
    progress(bytesRead)
    const length = held + bytesRead
    let from = 0
    for (let end = lineEnd(block, held, length); end >= 0; end = lineEnd(block, from, length)) {
      const bad = verifier.line(block, from, end)
      if (bad !== undefined) return { bad, bytes }
      from = end + 1
    }
    const rest = block.subarray(from, length)
    if (bytesRead === 0) return { bad: verifier.endFile(rest), bytes }
    // Too long for any record: fed as it is, for the verifier to say so.
    if (rest.length > MAX_LINE_BYTES) return { bad: verifier.line(rest), bytes }
    if (from > 0) block.copyWithin(0, from, length)
    held = length - from
  }
}

function lineEnd(block: Buffer, from: number, to: number): number {
  const end = block.indexOf(LINE_END, from)
  return end < to ? end : -1
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    return await use(handle)
  } catch (error) {
    // A read does not know the path that was opened.
    throw error instanceof Error ? Object.assign(error, { path }) : error
  } finally {
    await handle?.close()
  }
}
