import type { Hashing } from '../ports/hashing.ts'
import { MAX_LINE } from './record.ts'

/** What the chain needs of a record that was read. */
export interface ReadRecord {
  readonly seq: number
  readonly prev: string
  readonly hash: string
  readonly time: string
}

export type ReadResult =
  | { readonly ok: true; readonly record: ReadRecord }
  | { readonly ok: false; readonly reason: string; readonly seq?: number }

const HASH_MEMBER = ',"hash":"'
const HASH_MEMBER_LENGTH = HASH_MEMBER.length + 64 + 1
const HEX_64 = /^[0-9a-f]{64}$/

/**
 * Reads one line (without its line end) and proves its hash. The hash is taken over the line as it is written, minus
 * the hash member, and not over the parsed value: so white space, a repeated key or another spelling of the same
 * value cannot hide in a record. A quote inside a JSON string is always escaped, so the member's text can only occur
 * as the member itself.
 */
export function readRecord(hashing: Hashing, line: string): ReadResult {
  if (line.length > MAX_LINE) return { ok: false, reason: `line is longer than ${MAX_LINE} characters` }
  const record = parseObject(line)
  if (record === undefined) return { ok: false, reason: 'not JSON' }
  const { seq, prev, hash, time } = record
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return { ok: false, reason: 'seq is missing' }
  if (!isHash(hash)) return { ok: false, reason: 'hash is missing', seq }
  if (!isHash(prev)) return { ok: false, reason: 'prev is missing', seq }
  if (typeof time !== 'string') return { ok: false, reason: 'time is missing', seq }
  const at = line.indexOf(HASH_MEMBER)
  if (at < 0 || hashing.sha256(line.slice(0, at) + line.slice(at + HASH_MEMBER_LENGTH)) !== hash) {
    return { ok: false, reason: 'hash differs', seq }
  }
  return { ok: true, record: { seq, prev, hash, time } }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && HEX_64.test(value)
}
