import type { Position } from '../../../src/ports/forward-log.ts'
import { type FoundRecord, RecordReader } from './record-reader.ts'

/** A file of the log, and an offset in it: 0, or behind a line end. */
export interface Place {
  readonly reader: RecordReader
  readonly offset: number
}

/** The two files that a position lies between: the one that should hold it, and the one that begins behind it. */
interface Around {
  readonly holding: RecordReader | undefined
  readonly behind: { readonly reader: RecordReader; readonly first: FoundRecord } | undefined
}

/**
 * Where the records behind a position begin. Undefined: nowhere yet. `unknown`: the log has another record in its place, or
 * ends before it.
 */
export async function findPosition(
  files: readonly string[],
  after: Position | undefined,
): Promise<Place | 'unknown' | undefined> {
  const { holding, behind } = await filesAround(files, after)
  const found = holding && after ? await offsetBehind(holding, after) : 'absent'
  if (holding && typeof found === 'number') {
    await behind?.reader.close()
    return { reader: holding, offset: found }
  }
  await holding?.close()
  if (behind === undefined) return holding === undefined ? undefined : 'unknown'
  const { first, reader } = behind
  const follows = after === undefined || first.seq > after.seq + 1 || first.prev === after.id
  if (found !== 'another' && follows) return { reader, offset: 0 }
  await reader.close()
  return 'unknown'
}

/** The file that begins behind a position, whatever the one before it still holds. */
export async function findNextFile(files: readonly string[], after: Position | undefined): Promise<Place | undefined> {
  const { holding, behind } = await filesAround(files, after)
  await holding?.close()
  return behind && { reader: behind.reader, offset: 0 }
}

/** Newest file first, since a destination is seldom far behind. */
async function filesAround(files: readonly string[], after: Position | undefined): Promise<Around> {
  let behind: Around['behind']
  for (const file of files.toReversed()) {
    const reader = await RecordReader.open(file)
    const first = await reader?.first()
    if (reader === undefined || first === undefined) {
      await reader?.close()
    } else if (after !== undefined && first.seq <= after.seq) {
      return { holding: reader, behind }
    } else {
      await behind?.reader.close()
      behind = { reader, first }
    }
  }
  return { holding: undefined, behind }
}

/** `another`: a different record has its `seq`. `absent`: the file ends before it. */
async function offsetBehind(reader: RecordReader, after: Position): Promise<number | 'another' | 'absent'> {
  const there = await reader.endingAt(after.end)
  if (there?.seq === after.seq && there.id === after.id) return after.end
  let offset = 0
  for await (const record of reader.from(0)) {
    if (record.seq === after.seq) return record.id === after.id ? record.end : 'another'
    // It was taken out of the middle of the file: what follows it is what comes next.
    if (record.seq > after.seq) return offset
    offset = record.end
  }
  return 'absent'
}
