import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_LINE_BYTES } from '../../src/audit/record.ts'
import { rotatedSiblings } from './audit-tail.ts'
import { statOf } from './durable-file.ts'

const BLOCK = 1 << 20
/** For reading beside requests: some seventy records, well under a millisecond of work. */
export const SMALL_BLOCK = 1 << 16
const LINE_END = 0x0a
const POLL_MS = 200

/** The files of a log, oldest first: those that are full, then the one that is written. */
export async function filesOfLog(path: string): Promise<string[]> {
  const rotated = await rotatedSiblings(path)
  return (await statOf(path)) === undefined ? rotated : [...rotated, path]
}

/** Those files that may hold records since a time: the name of a full one says when its last record was made. */
export function filesSince(files: readonly string[], since: number | undefined): readonly string[] {
  if (since === undefined) return files
  return files.filter(file => {
    const [, date, hour, minute, second] = /\.(\d{8})T(\d\d)(\d\d)(\d\d)\d{3}Z\.[^.]+$/.exec(basename(file)) ?? []
    if (date === undefined) return true
    const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
    // A second on the safe side: the name has the time to the millisecond, and clocks may have been set.
    return Date.parse(`${day}T${hour}:${minute}:${second}Z`) + 1000 >= since
  })
}

/**
 * The complete lines of files, in batches, in constant memory. What stands after the last line end is left out.
 * @param blockBytes read at once: whoever serves requests beside reads little, so that they get their turn
 */
export async function* linesOf(paths: readonly string[], blockBytes = BLOCK): AsyncGenerator<readonly string[]> {
  for (const path of paths) {
    await using handle = await open(path, constants.O_RDONLY)
    const reader = new LineReader(handle, 0, blockBytes)
    for (let lines = await reader.read(); lines !== undefined; lines = await reader.read()) yield lines
  }
}

/** Opens a log at its end, to read what is added from now on. */
export async function followLog(path: string): Promise<LogFollower> {
  return new LogFollower(path, await openAt(path, true))
}

type Opened = Awaited<ReturnType<typeof openAt>>

/** Reads the lines that are added to a log, across the files that follow each other under its path. */
export class LogFollower {
  readonly #path: string
  #current: Opened

  constructor(path: string, current: Opened) {
    this.#path = path
    this.#current = current
  }

  /** In batches, until the signal. */
  async *lines(signal: AbortSignal): AsyncGenerator<readonly string[]> {
    try {
      while (!signal.aborted) {
        // Before the read: what is written between it and a move is then in it.
        const now = await statOf(this.#path)
        yield* this.#rest()
        if (now !== undefined && now.ino !== this.#current?.ino) {
          yield* this.#rest()
          await this.#current?.handle.close()
          this.#current = await openAt(this.#path, false)
        } else {
          await sleep(POLL_MS, undefined, { signal }).catch(() => undefined)
        }
      }
    } finally {
      await this.#current?.handle.close()
    }
  }

  async *#rest(): AsyncGenerator<readonly string[]> {
    for (;;) {
      const lines = await this.#current?.reader.read()
      if (lines === undefined) return
      yield lines
    }
  }
}

async function openAt(path: string, atEnd: boolean) {
  try {
    const handle = await open(path, constants.O_RDONLY)
    const { ino, size } = await handle.stat()
    return { handle, ino, reader: new LineReader(handle, atEnd ? size : 0) }
  } catch {
    return undefined
  }
}

/** Reads a file that may grow, line by line. */
class LineReader {
  readonly #handle: FileHandle
  readonly #blockBytes: number
  #position: number
  #held: Buffer = Buffer.alloc(0)

  constructor(handle: FileHandle, position = 0, blockBytes = BLOCK) {
    this.#handle = handle
    this.#position = position
    this.#blockBytes = blockBytes
  }

  /** The next complete lines, none where they are longer than a block; undefined at the end. */
  async read(): Promise<readonly string[] | undefined> {
    const block = Buffer.allocUnsafe(this.#blockBytes)
    const { bytesRead } = await this.#handle.read(block, 0, block.length, this.#position)
    if (bytesRead === 0) return undefined
    this.#position += bytesRead
    const data = Buffer.concat([this.#held, block.subarray(0, bytesRead)])
    const end = data.lastIndexOf(LINE_END)
    this.#held = data.subarray(end + 1)
    // No record is as long: what follows is no log, and is not kept.
    if (this.#held.length > MAX_LINE_BYTES) this.#held = Buffer.alloc(0)
    return end < 0 ? [] : data.toString('utf8', 0, end).split('\n')
  }
}
