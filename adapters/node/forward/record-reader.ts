import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { headOf } from '../../../src/audit/forward/record-line.ts'
import { MAX_LINE_BYTES } from '../../../src/audit/record.ts'
import { errorCode } from '../error-code.ts'

const BLOCK = 64 * 1024
const LINE_END = 0x0a

/** A line of a file that is a record. */
export interface FoundRecord {
  readonly seq: number
  readonly prev: string
  readonly id: string
  readonly line: string
  /** Bytes from the beginning of the file to behind its line end. */
  readonly end: number
}

/** One file of a log, open for reading: it stays readable when it is renamed or deleted. */
export class RecordReader {
  readonly handle: FileHandle
  readonly ino: number
  readonly dev: number

  private constructor(handle: FileHandle, ino: number, dev: number) {
    this.handle = handle
    this.ino = ino
    this.dev = dev
  }

  /** Undefined where there is no such file. */
  static async open(path: string): Promise<RecordReader | undefined> {
    let handle: FileHandle
    try {
      handle = await open(path, constants.O_RDONLY)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    }
    const { ino, dev } = await handle.stat()
    return new RecordReader(handle, ino, dev)
  }

  close(): Promise<void> {
    return this.handle.close()
  }

  /** The first record; undefined in a file that has none yet. */
  async first(): Promise<FoundRecord | undefined> {
    for await (const record of this.from(0)) return record
    return undefined
  }

  /**
   * The records behind an offset, which is 0 or behind a line end. Lines that are no records are passed over: `seq` shows that
   * they are missing. Holds a block and one line.
   */
  async *from(offset: number): AsyncGenerator<FoundRecord> {
    let at = offset
    let held: Buffer = Buffer.alloc(0)
    for (;;) {
      const block = Buffer.allocUnsafe(BLOCK)
      const { bytesRead } = await this.handle.read(block, 0, BLOCK, at + held.length)
      if (bytesRead === 0) return
      const read = block.subarray(0, bytesRead)
      const data = held.length === 0 ? read : Buffer.concat([held, read])
      let start = 0
      for (let end = data.indexOf(LINE_END); end >= 0; end = data.indexOf(LINE_END, start)) {
        const line = data.toString('utf8', start, end)
        start = end + 1
        const head = headOf(line)
        if (head) yield { ...head, line, end: at + start }
      }
      // No record is as long: what stands here is not one.
      if (data.length - start > MAX_LINE_BYTES) start = data.length
      at += start
      held = data.subarray(start)
    }
  }

  /** The record that ends at an offset; undefined where none does, or one that is longer than a block. */
  async endingAt(offset: number): Promise<FoundRecord | undefined> {
    const length = Math.min(BLOCK, offset)
    const { buffer, bytesRead } = await this.handle.read(Buffer.alloc(length), 0, length, offset - length)
    if (bytesRead < length || length < 2 || buffer[length - 1] !== LINE_END) return undefined
    const before = buffer.lastIndexOf(LINE_END, length - 2)
    if (before < 0 && length < offset) return undefined
    const line = buffer.toString('utf8', before + 1, length - 1)
    const head = headOf(line)
    return head && { ...head, line, end: offset }
  }
}
