import type { Hashing } from '../ports/hashing.ts'
import { GENESIS } from './record.ts'

/**
 * The line that stands in a log for records that were deleted, one after the other in the chain. It has the `prev` of the
 * first and the `seq` and `hash` of the last of them, so the chain goes on over it. By itself it proves nothing: anybody can
 * write one. What counts is a signed statement at the head of the file that has the digest of all of its `run`.
 */
export interface Tombstone {
  /** The `seq` of the first record that was deleted. */
  readonly deletedFrom: number
  readonly hash: string
  readonly prev: string
  /** Names the retention run, and so the statement. */
  readonly run: string
  readonly seq: number
}

/** As canonical JSON (RFC 8785), like every line of the log. */
export function tombstoneLine({ deletedFrom, hash, prev, run, seq }: Tombstone): string {
  return JSON.stringify({ deletedFrom, hash, prev, run, seq })
}

/** Where a digest of tombstones begins. */
export const NO_TOMBSTONES = GENESIS

/** The digest of those before and the next line. */
export function digestWith(hashing: Hashing, digest: string, line: string): string {
  return hashing.sha256(`${digest}\n${line}`)
}

const HEX_64 = /^[0-9a-f]{64}$/

/** Where the chain goes on after a line that is a tombstone; undefined for any other. */
export function endOfTombstone(line: string): { readonly seq: number; readonly hash: string } | undefined {
  try {
    const { deletedFrom, seq, hash } = JSON.parse(line) as Partial<Tombstone>
    const isOne = Number.isSafeInteger(deletedFrom) && typeof seq === 'number' && Number.isSafeInteger(seq) && seq > 0
    return isOne && typeof hash === 'string' && HEX_64.test(hash) ? { seq, hash } : undefined
  } catch {
    return undefined
  }
}
