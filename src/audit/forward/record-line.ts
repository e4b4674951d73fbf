/** What the first words of a line tell: what is needed of every record, without parsing it. */
export interface Head {
  readonly seq: number
  readonly prev: string
  readonly id: string
}

// A quote inside a JSON string is always escaped: the text of a member can only be the member itself (see `chain.ts`).
const HASH = ',"hash":"'
const PREV = ',"prev":"'
const SEQ = ',"seq":'
const TIME = ',"time":"'
/** The first member of a line in the place of deleted records, which has the members of the chain too. */
const TOMBSTONE = '{"deletedFrom":'
const DIGEST_LENGTH = 64
const HEX = /^[0-9a-f]{64}$/

/** Undefined for a line that is no record, such as what retention leaves of some. Whether the record is intact is for `audit verify` to say. */
export function headOf(line: string): Head | undefined {
  if (line.startsWith(TOMBSTONE)) return undefined
  const id = digestAt(line, HASH)
  const prev = digestAt(line, PREV)
  const at = line.indexOf(SEQ)
  const seq = at < 0 ? Number.NaN : Number.parseInt(line.slice(at + SEQ.length, at + SEQ.length + 17), 10)
  if (id === undefined || prev === undefined || !Number.isSafeInteger(seq) || seq < 1) return undefined
  return line.startsWith('{') && line.endsWith('}') ? { seq, prev, id } : undefined
}

function digestAt(line: string, member: string): string | undefined {
  const at = line.indexOf(member)
  if (at < 0) return undefined
  const digest = line.slice(at + member.length, at + member.length + DIGEST_LENGTH)
  return HEX.test(digest) ? digest : undefined
}

/** When the request arrived, as it stands in the line; the epoch where it does not. */
export function timeOf(line: string): string {
  const at = line.indexOf(TIME)
  const time = at < 0 ? '' : line.slice(at + TIME.length, line.indexOf('"', at + TIME.length))
  return Number.isNaN(Date.parse(time)) ? '1970-01-01T00:00:00.000Z' : time
}

/** The record's members. */
export function membersOf(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    // `audit verify` finds it; it is sent as it is.
    return {}
  }
}
