import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { MAX_LINE_BYTES } from '../../src/audit/record.ts'
import { MAX_TIMEOUT_MS } from '../../src/config/limits.ts'
import type { AuditRange, AuditReader } from '../../src/ports/audit-reader.ts'
import { filesSince, rotatedAt, SMALL_BLOCK } from './audit-lines.ts'
import { readBlock, rotatedSiblings } from './audit-tail.ts'
import { errorCode } from './error-code.ts'

const LINE_END = 0x0a
/** A record stands behind those that were written before its request ended: so long after `time`, which is of its beginning. */
const MAX_LATE_MS = 2 * MAX_TIMEOUT_MS
/** Quotes inside strings are escaped, so this is the member itself. */
const SEQ = /"seq":(\d{1,15})[,}]/

/** The log of which `path` is the file that is written. */
export function createAuditReader(path: string): AuditReader {
  return { newestFirst: range => newestLines(path, range) }
}

/** The lines of a log, newest first. */
export async function* newestLines(path: string, range: AuditRange = {}): AsyncGenerator<readonly string[]> {
  // Opened before the others are listed: whatever is rotated between is then among them, and known by its inode.
  const current = await openIfThere(path)
  const { ino } = (await current?.stat()) ?? {}
  try {
    const files = filesWithin([...(await rotatedSiblings(path)), path], range)
    for (const file of files.toReversed()) {
      if (file === path) {
        if (current) yield* linesBefore(current, range.before)
        continue
      }
      // Retention may just have deleted it.
      await using handle = await openIfThere(file)
      if (handle === undefined || (await handle.stat()).ino === ino) continue
      yield* linesBefore(handle, range.before)
    }
  } finally {
    await current?.close()
  }
}

/** Of the files of a log, oldest first, those that may hold records of a range. */
function filesWithin(files: readonly string[], { since, until = Number.POSITIVE_INFINITY }: AuditRange): string[] {
  // A file begins where the one before it ends.
  const beganAt = (index: number) => rotatedAt(files[index - 1] ?? '') ?? Number.NEGATIVE_INFINITY
  return filesSince(
    files.filter((_, index) => beganAt(index) < until + MAX_LATE_MS),
    since,
  )
}

async function* linesBefore(handle: FileHandle, seq: number | undefined): AsyncGenerator<readonly string[]> {
  const { size } = await handle.stat()
  let position = seq === undefined ? size : await endBefore(handle, size, seq)
  /** The beginning, up to its first line end, of what was read last: the end of a line that begins before it. */
  let held: Buffer = Buffer.alloc(0)
  /** Whether the end was found: what stands behind the last line end is being written. */
  let ended = false
  while (position > 0) {
    const length = Math.min(SMALL_BLOCK, position)
    position -= length
    let data = Buffer.concat([await readBlock(handle, position, length), held])
    if (!ended) {
      const end = data.lastIndexOf(LINE_END) + 1
      ended = end > 0
      if (ended) data = data.subarray(0, end)
    }
    const first = position === 0 ? 0 : data.indexOf(LINE_END) + 1
    if (ended && first < data.length) {
      yield data
        .toString('utf8', first, data.length - 1)
        .split('\n')
        .reverse()
      held = data.subarray(0, first)
    } else {
      // No record is as long: what this is the end of is no line of a log.
      ended &&= data.length <= MAX_LINE_BYTES
      held = data.length > MAX_LINE_BYTES ? Buffer.alloc(0) : data
    }
  }
}

/**
 * Where, in a file, to begin to read backwards for what stands before a record: a line's start that is behind all of it, and
 * at most a block behind. A few reads, as its lines are in the order of their numbers.
 */
async function endBefore(handle: FileHandle, size: number, seq: number): Promise<number> {
  let from = 0
  let end = size
  while (end - from > SMALL_BLOCK) {
    const middle = from + Math.floor((end - from) / 2)
    const block = (await readBlock(handle, middle, Math.min(SMALL_BLOCK, end - middle))).toString('latin1')
    const start = block.indexOf('\n') + 1
    const found = start === 0 ? undefined : SEQ.exec(block.slice(start))?.[1]
    // In the midst of a line that is longer than a block.
    if (found === undefined) return end
    if (Number(found) < seq) from = middle + start
    else end = middle + start
  }
  return end
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
