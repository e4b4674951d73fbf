import { type FileHandle, open, readdir } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

/** Where the complete lines of a file end. */
export interface Tail {
  /** The last complete line, without its line end. */
  readonly lastLine: string | undefined
  /** The length in bytes of all complete lines. */
  readonly end: number
  /** What stands after them: a line that a crash has torn. */
  readonly torn: Buffer
}

const BLOCK = 64 * 1024
/** A line is at most 1 MiB of UTF-16 units, so 3 MiB of UTF-8; a whole one and a torn one must fit. */
const MAX_TAIL = 8 * 1024 * 1024
const LINE_END = 0x0a

/**
 * Reads the end of a file, backwards and no further than needed.
 * @throws when there is no line end within 8 MiB: that is no audit log.
 */
export async function readTail(handle: FileHandle): Promise<Tail> {
  const { size } = await handle.stat()
  let tail: Buffer = Buffer.alloc(0)
  for (let from = size; from > 0; ) {
    const length = Math.min(BLOCK, from)
    from -= length
    tail = Buffer.concat([await readBlock(handle, from, length), tail])
    const last = tail.lastIndexOf(LINE_END)
    const before = last > 0 ? tail.lastIndexOf(LINE_END, last - 1) : -1
    if (last >= 0 && (before >= 0 || from === 0)) {
      return {
        lastLine: tail.toString('utf8', before + 1, last),
        end: from + last + 1,
        torn: tail.subarray(last + 1),
      }
    }
    if (tail.length >= MAX_TAIL) throw new Error('no line ends in its last 8 MiB: this is not an audit log')
  }
  return { lastLine: undefined, end: 0, torn: tail }
}

/** When the first record was made, in ms since the epoch; undefined where none tells in the first 64 KiB. */
export async function firstTime(handle: FileHandle): Promise<number | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(BLOCK), 0, BLOCK, 0)
  const time = Date.parse(/"time":"([^"]+)"/.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? '')
  return Number.isNaN(time) ? undefined : time
}

/** Exactly so many bytes. @throws where the file ends before */
export async function readBlock(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const block = Buffer.alloc(length)
  for (let read = 0; read < length; ) {
    const { bytesRead } = await handle.read(block, read, length - read, from + read)
    if (bytesRead === 0) throw new Error('the file became shorter while it was read')
    read += bytesRead
  }
  return block
}

/**
 * Where the file of `path` goes when it is full: `audit.jsonl` to `audit.20261123T105400123Z.jsonl`, always after the
 * siblings that are there, in the order of their names too, even when the clock went back.
 */
export function rotatedPath(path: string, siblings: readonly string[], now: number): string {
  const newest = siblings.at(-1)
  const stamp = newest === undefined ? undefined : siblingPattern(path).exec(basename(newest))?.[1]
  const [year, month, day, hour, minute, second, ms] = stamp === undefined ? [] : splitStamp(stamp)
  const after = stamp === undefined ? 0 : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`) + 1
  const time = new Date(Math.max(now, after)).toISOString().replaceAll(/[-:.]/g, '')
  const extension = extname(path)
  return `${path.slice(0, path.length - extension.length)}.${time}${extension}`
}

function splitStamp(stamp: string): string[] {
  return /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/.exec(stamp)?.slice(1) ?? []
}

function siblingPattern(path: string): RegExp {
  const extension = extname(path)
  const stem = basename(path, extension)
  return new RegExp(`^${RegExp.escape(stem)}\\.(\\d{8}T\\d{9}Z)${RegExp.escape(extension)}$`)
}

const ROTATED_NAME = /^(.*)\.(\d{8}T\d{9}Z)(\.[^.]+)$/

/** Whether one file's name says that it holds older records of the same log than another. */
export function isNamedBefore(a: string, b: string): boolean {
  const [, stem, stamp, extension] = ROTATED_NAME.exec(a) ?? []
  if (stem === undefined || stamp === undefined) return false
  if (b === `${stem}${extension}`) return true
  const other = ROTATED_NAME.exec(b)
  return other !== null && other[1] === stem && other[3] === extension && stamp < (other[2] ?? '')
}

/** The rotated files of `path`, oldest first. */
export async function rotatedSiblings(path: string): Promise<string[]> {
  const pattern = siblingPattern(path)
  const names = (await readdir(dirname(path))).filter(name => pattern.test(name))
  return names.sort().map(name => join(dirname(path), name))
}

/** The last line of the newest rotated file: what a file that was just started follows. */
export async function lastRotatedLine(path: string): Promise<string | undefined> {
  const newest = (await rotatedSiblings(path)).at(-1)
  if (newest === undefined) return undefined
  const handle = await open(newest, 'r')
  try {
    return (await readTail(handle)).lastLine
  } finally {
    await handle.close()
  }
}
