import type { Hashing } from '../ports/hashing.ts'
import { type DeletionStatement, readStatement } from './deletion-statement.ts'
import { digestWith, NO_TOMBSTONES } from './tombstone.ts'

/** Records from one `seq` to another. */
export interface SeqRange {
  from: number
  to: number
}

/** What a log says was deleted from it. */
export interface Deletions {
  readonly records: number
  /** What is gone, the first thousand pieces. */
  readonly ranges: readonly Readonly<SeqRange>[]
  /** Who deleted it, when and why, file by file: the first thousand. */
  readonly statements: readonly DeletionStatement[]
}

/** A statement of which the signature is still to be checked. */
export interface Unproved {
  readonly line: number
  readonly note: string
}

const MAX_NAMED = 1000
/** Of one file: runs that took something from it. */
const MAX_STATEMENTS = 10_000

interface Run {
  readonly line: number
  readonly statement: DeletionStatement
  digest: string
  records: number
  first: number
  last: number
}

/** Holds the tombstones of a log against the statements at the head of each of its files. */
export class VerifiedDeletions {
  readonly #hashing: Hashing
  /** Of the file that is read. */
  readonly #runs = new Map<string, Run>()
  #unproved: Unproved[] = []
  #records = 0
  readonly #ranges: SeqRange[] = []
  readonly #statements: DeletionStatement[] = []

  constructor(hashing: Hashing) {
    this.#hashing = hashing
  }

  /** Takes a statement's line. Returns what is wrong with it. */
  statement(text: string, line: number): string | undefined {
    const read = readStatement(text)
    if (!read.ok || read.note === undefined) return read.ok ? 'no statement' : read.reason
    const { statement, note } = read
    if (this.#runs.has(statement.run)) return `run ${statement.run} has two statements in one file`
    if (this.#runs.size >= MAX_STATEMENTS) return `more than ${MAX_STATEMENTS} statements in one file`
    this.#runs.set(statement.run, { line, statement, digest: NO_TOMBSTONES, records: 0, first: 0, last: 0 })
    this.#unproved.push({ line, note })
    return undefined
  }

  /** Takes a tombstone that is in its place in the chain. Returns what is wrong with it. */
  tombstone(text: string, name: string, from: number, to: number): string | undefined {
    const run = this.#runs.get(name)
    if (run === undefined) return `seq ${from} to ${to} are deleted, and no statement at the head of the file says so`
    run.digest = digestWith(this.#hashing, run.digest, text)
    run.records += to - from + 1
    run.first ||= from
    run.last = to
    this.#records += to - from + 1
    const last = this.#ranges.at(-1)
    if (last?.to === from - 1) last.to = to
    else if (this.#ranges.length < MAX_NAMED) this.#ranges.push({ from, to })
    return undefined
  }

  /** Ends a file. Returns what is wrong, and with which statement. */
  endFile(): { readonly line: number; readonly reason: string } | undefined {
    for (const { line, statement, digest, records, first, last } of this.#runs.values()) {
      const { run } = statement
      const isAll = statement.records === records && statement.from === first && statement.to === last
      if (digest !== statement.digest || !isAll) {
        return { line, reason: `what run ${run} deleted is not what its statement says` }
      }
      if (this.#statements.length < MAX_NAMED) this.#statements.push(statement)
    }
    this.#runs.clear()
    return undefined
  }

  /** Of the files that were read since this was asked last. */
  takeUnproved(): readonly Unproved[] {
    const unproved = this.#unproved
    this.#unproved = []
    return unproved
  }

  result(): Deletions {
    return { records: this.#records, ranges: this.#ranges, statements: this.#statements }
  }
}
