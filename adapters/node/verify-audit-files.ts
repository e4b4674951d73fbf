import { isUtf8 } from 'node:buffer'
import { type FileHandle, open } from 'node:fs/promises'
import { MAX_LINE } from '../../src/audit/record.ts'
import { type BadRecord, createVerifier, type Verified, type Verifier } from '../../src/audit/verify.ts'
import type { Hashing } from '../../src/ports/hashing.ts'

export interface FilesReport {
  /** In the order in which they were read: by their first record. */
  readonly files: readonly string[]
  readonly verified: Verified
  /** The first bad record, or undefined when the chain is whole. */
  readonly bad: BadRecord | undefined
  readonly bytes: number
}

const BLOCK = 1 << 20
/** A UTF-16 unit takes at most three bytes of UTF-8. */
const MAX_LINE_BYTES = 3 * MAX_LINE
const LINE_END = 0x0a

/**
 * Verifies the chain over the files of one log, rotated ones included, given in any order. Memory is bounded by the
 * longest line. Rejects with the file system's error, its `path` set, when a file cannot be read.
 */
export async function verifyAuditFiles(hashing: Hashing, paths: readonly string[]): Promise<FilesReport> {
  const files = await inOrder(paths)
  const verifier = createVerifier(hashing)
  let bad: BadRecord | undefined
  let bytes = 0
  for (const file of files) {
    verifier.startFile(file)
    await withFile(file, async handle => {
      const report = await feed(verifier, handle)
      bad = report.bad
      bytes += report.bytes
    })
    if (bad !== undefined) break
  }
  return { files, verified: verifier.verified(), bad, bytes }
}

/** A file whose first line tells no number stays where it was given, and its place in the chain will not fit. */
async function inOrder(paths: readonly string[]): Promise<string[]> {
  const found: { path: string; first: number }[] = []
  for (const path of new Set(paths)) {
    const first = await withFile(path, firstSeq)
    found.push({ path, first: first ?? found.at(-1)?.first ?? 0 })
  }
  return found.sort((a, b) => a.first - b.first).map(({ path }) => path)
}

async function firstSeq(handle: FileHandle): Promise<number | undefined> {
  const start = Buffer.alloc(MAX_LINE_BYTES)
  let length = 0
  while (length < start.length && !start.subarray(0, length).includes(LINE_END)) {
    const { bytesRead } = await handle.read(start, length, Math.min(BLOCK, start.length - length), length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  const end = start.subarray(0, length).indexOf(LINE_END)
  const line = start.toString('utf8', 0, end < 0 ? length : end)
  // Quotes inside strings are escaped, so this is the member itself.
  const seq = /"seq":(\d{1,15})[,}]/.exec(line)?.[1]
  return seq === undefined ? undefined : Number(seq)
}

async function feed(verifier: Verifier, handle: FileHandle): Promise<{ bad: BadRecord | undefined; bytes: number }> {
  let held = Buffer.alloc(0)
  let bytes = 0
  for (;;) {
    const block = Buffer.allocUnsafe(BLOCK)
    const { bytesRead } = await handle.read(block, 0, BLOCK, null)
    bytes += bytesRead
    const data = Buffer.concat([held, block.subarray(0, bytesRead)])
    const end = data.lastIndexOf(LINE_END) + 1
    const bad = end > 0 ? feedLines(verifier, data.subarray(0, end)) : undefined
    if (bad !== undefined) return { bad, bytes }
    held = data.subarray(end)
    if (bytesRead === 0) return { bad: verifier.endFile(held), bytes }
    // Too long for any record: fed as it is, for the verifier to say so.
    if (held.length > MAX_LINE_BYTES) return { bad: verifier.line(held), bytes }
  }
}

/** Feeds complete lines. Decoding a whole block and cutting the text is three times as fast as decoding each line. */
function feedLines(verifier: Verifier, data: Buffer): BadRecord | undefined {
  if (isUtf8(data)) {
    const text = data.toString('utf8')
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf('\n', from)
      const bad = verifier.line(text.slice(from, end))
      if (bad !== undefined) return bad
      from = end + 1
    }
    return undefined
  }
  for (let from = 0; from < data.length; ) {
    const end = data.indexOf(LINE_END, from)
    const bad = verifier.line(data.subarray(from, end))
    if (bad !== undefined) return bad
    from = end + 1
  }
  return undefined
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
