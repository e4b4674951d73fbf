import type { Hashing } from '../ports/hashing.ts'
import { readRecord } from './chain.ts'
import { GENESIS } from './record.ts'

/** The first record that breaks the chain. */
export interface BadRecord {
  /** The file given to `startFile`, or undefined. */
  readonly file: string | undefined
  /** Counted from 1 in its file. */
  readonly line: number
  /** What the record says of itself; undefined when it cannot be read. */
  readonly seq: number | undefined
  readonly reason: string
}

/** What was proved so far. */
export interface Verified {
  readonly records: number
  /** The first `seq`: more than 1 when older files are not at hand. */
  readonly firstSeq: number | undefined
  readonly lastSeq: number | undefined
  readonly firstTime: string | undefined
  readonly lastTime: string | undefined
  /** The hash of the last record: what the next one's `prev` will be. */
  readonly head: string | undefined
}

/** Proves a chain line by line, over any number of files, in constant memory. */
export interface Verifier {
  /** The lines that follow are of this file; they are counted from 1 again. */
  startFile(file: string): void
  /** Takes the next line, without its line end. Returns the first bad record, then and ever after. */
  line(line: string | Uint8Array): BadRecord | undefined
  /** Ends a file. `tail` is what stands after its last line end: a torn line, unless it is empty. */
  endFile(tail: string | Uint8Array): BadRecord | undefined
  verified(): Verified
}

/** Starts at the beginning of a chain, or of the part of it that is at hand. */
export function createVerifier(hashing: Hashing): Verifier {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let file: string | undefined
  let lines = 0
  let bad: BadRecord | undefined
  let state: Verified = {
    records: 0,
    firstSeq: undefined,
    lastSeq: undefined,
    firstTime: undefined,
    lastTime: undefined,
    head: undefined,
  }

  function fail(reason: string, seq?: number): BadRecord {
    bad = { file, line: lines, seq, reason }
    return bad
  }

  return {
    startFile(name) {
      file = name
      lines = 0
    },
    line(line) {
      if (bad !== undefined) return bad
      lines += 1
      let text: string
      try {
        text = typeof line === 'string' ? line : utf8.decode(line)
      } catch {
        return fail('not UTF-8')
      }
      const read = readRecord(hashing, text)
      if (!read.ok) return fail(read.reason, read.seq)
      const { seq, prev, hash, time } = read.record
      const broken = brokenLink(state, seq, prev)
      if (broken !== undefined) return fail(broken, seq)
      state = {
        records: state.records + 1,
        firstSeq: state.firstSeq ?? seq,
        lastSeq: seq,
        firstTime: state.firstTime ?? time,
        lastTime: time,
        head: hash,
      }
      return undefined
    },
    endFile(tail) {
      if (bad !== undefined || tail.length === 0) return bad
      lines += 1
      return fail('torn last line')
    },
    verified: () => state,
  }
}

/** The number tells more than the hash (what is missing, what came twice), so it is looked at first. */
function brokenLink(before: Verified, seq: number, prev: string): string | undefined {
  if (before.lastSeq === undefined) {
    return seq === 1 && prev !== GENESIS ? 'prev does not match: the first record must have none before it' : undefined
  }
  if (seq > before.lastSeq + 1) return `seq jumps from ${before.lastSeq} to ${seq}`
  if (seq === before.lastSeq) return `seq ${seq} comes twice`
  if (seq < before.lastSeq) return `seq goes back from ${before.lastSeq} to ${seq}`
  return prev === before.head ? undefined : 'prev does not match the record before'
}
