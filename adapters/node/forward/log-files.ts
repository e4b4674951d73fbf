import { headOf, membersOf } from '../../../src/audit/forward/record-line.ts'
import type { ForwardLog, Lag, LoggedRecord, Position, Read, ReadLimits } from '../../../src/ports/forward-log.ts'
import { filesOfLog } from '../audit-lines.ts'
import { readTail } from '../audit-tail.ts'
import { statOf } from '../durable-file.ts'
import { findNextFile, findPosition, type Place } from './find-position.ts'
import { RecordReader } from './record-reader.ts'

/** Rotations in the middle of a look are rare; this many in a row are a fault. */
const MAX_LOOKS = 10

/**
 * The files of a log: the one at the path and those that it was renamed to. A position is found by its `seq` and `id`, wherever
 * they are now; the offset that it came with is tried first.
 */
export class LogFiles implements ForwardLog {
  readonly #path: string
  #current: RecordReader | undefined
  /** The position in the current file that was read up to. */
  #at: Position | undefined

  constructor(path: string) {
    this.#path = path
  }

  async read(after: Position | undefined, limits: ReadLimits): Promise<Read> {
    let place = await this.#placeBehind(after)
    if (place === 'unknown') return { known: false }
    while (place) {
      // Before the read: what was written between it and a renaming is then read.
      const isFull = await this.#isFull(place.reader)
      const { records, stopped } = await readRecords(place, after, limits)
      if (records.length > 0) this.#at = positionOf(records.at(-1))
      const goesOn = isFull && stopped === 'end'
      if (records.length > 0 || !goesOn) return { known: true, records, atEnd: !goesOn && stopped !== 'limit' }
      place = await this.#enter(await this.#look(files => findNextFile(files, after)))
    }
    return { known: true, records: [], atEnd: true }
  }

  async lag(after: Position | undefined): Promise<Lag> {
    const read = await this.read(after, { records: 1, bytes: 0, upTo: Number.POSITIVE_INFINITY })
    const first = read.known ? read.records[0] : await this.#oldest()
    if (first === undefined) return { records: 0, bytes: 0, seconds: 0 }
    const files = await filesOfLog(this.#path)
    return {
      records: Math.max(0, (await newestSeq(files)) - first.seq) + 1,
      bytes: await this.#bytesFrom(first, files),
      seconds: Math.max(0, (Date.now() - endTime(first.line)) / 1000),
    }
  }

  async close(): Promise<void> {
    await this.#current?.close()
    this.#current = undefined
  }

  async #placeBehind(after: Position | undefined): Promise<Place | 'unknown' | undefined> {
    const reader = this.#current
    if (reader && after && this.#at?.id === after.id && this.#at.end === after.end) {
      const { size } = await reader.handle.stat()
      // A file that was cut back is looked at anew.
      if (size >= after.end) return { reader, offset: after.end }
    }
    const place = await this.#look(files => findPosition(files, after))
    return place === 'unknown' ? place : await this.#enter(place)
  }

  async #enter(place: Place | undefined): Promise<Place | undefined> {
    await this.#current?.close()
    this.#current = place?.reader
    this.#at = undefined
    return place
  }

  /** Looks through the files until none was renamed in the meantime. */
  async #look<T extends Place | 'unknown' | undefined>(find: (files: readonly string[]) => Promise<T>): Promise<T> {
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const files = await filesOfLog(this.#path)
      const found = await find(files)
      if (files.join() === (await filesOfLog(this.#path)).join()) return found
      if (typeof found === 'object') await found.reader.close()
    }
    throw new Error('the files of the log are renamed all the time')
  }

  /** Whether nothing more will be written to a file: the path leads elsewhere. */
  async #isFull({ ino, dev }: RecordReader): Promise<boolean> {
    const now = await statOf(this.#path)
    return now !== undefined && (now.ino !== ino || now.dev !== dev)
  }

  async #oldest(): Promise<LoggedRecord | undefined> {
    const read = await this.read(undefined, { records: 1, bytes: 0, upTo: Number.POSITIVE_INFINITY })
    return read.known ? read.records[0] : undefined
  }

  /** Of the record, of all behind it in its file, and of the files that follow. */
  async #bytesFrom({ line, end }: LoggedRecord, files: readonly string[]): Promise<number> {
    const current = this.#current
    if (current === undefined) return 0
    let bytes = (await current.handle.stat()).size - end + Buffer.byteLength(line) + 1
    for (const file of files.toReversed()) {
      const state = await statOf(file)
      if (state?.ino === current.ino) break
      bytes += state?.size ?? 0
    }
    return bytes
  }
}

async function readRecords(
  { reader, offset }: Place,
  after: Position | undefined,
  { records: most, bytes, upTo }: ReadLimits,
): Promise<{ readonly records: LoggedRecord[]; readonly stopped: 'limit' | 'bound' | 'end' }> {
  const records: LoggedRecord[] = []
  let size = 0
  let last = after?.seq
  for await (const { seq, id, line, end } of reader.from(offset)) {
    if (seq > upTo) return { records, stopped: 'bound' }
    size += line.length
    if (records.length >= most || (records.length > 0 && size > bytes)) return { records, stopped: 'limit' }
    records.push({ seq, id, line, end, missing: last === undefined ? 0 : Math.max(0, seq - last - 1) })
    last = seq
  }
  return { records, stopped: 'end' }
}

/** The `seq` of the last record. */
async function newestSeq(files: readonly string[]): Promise<number> {
  for (const file of files.toReversed()) {
    const reader = await RecordReader.open(file)
    if (reader === undefined) continue
    try {
      const { lastLine = '' } = await readTail(reader.handle)
      const head = headOf(lastLine)
      if (head) return head.seq
    } finally {
      await reader.close()
    }
  }
  return 0
}

/** When a record was made, in ms since the epoch: its request had arrived so long before. */
function endTime(line: string): number {
  const { time, latencyMs } = membersOf(line)
  return Date.parse(String(time)) + (Number(latencyMs) || 0)
}

function positionOf(record: LoggedRecord | undefined): Position | undefined {
  return record && { seq: record.seq, id: record.id, end: record.end }
}
