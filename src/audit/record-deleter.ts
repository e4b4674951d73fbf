import type { Hashing } from '../ports/hashing.ts'
import type { ReadBack } from './query.ts'
import type { Fate } from './retention.ts'
import { digestWith, NO_TOMBSTONES, type Tombstone, tombstoneLine } from './tombstone.ts'

/** What deleting does to one file. */
export interface DeletionPlan {
  /** Records that are in it now. */
  readonly records: number
  readonly deleted: number
  /** By rule, how many are deleted; by hold, how many are kept in spite of a rule. */
  readonly rules: Readonly<Record<string, number>>
  readonly held: Readonly<Record<string, number>>
  /** The first and the last that is deleted; 0 where none is. */
  readonly from: number
  readonly to: number
  /** Of all tombstones, in their order. */
  readonly digest: string
  /** The last `seq` in the file. */
  readonly lastSeq: number
  /** When the next record is due, in ms since the epoch: now where a hold keeps one that is. */
  readonly dueAt: number
}

/**
 * Takes the lines of a file and gives back those that stay, with tombstones in place of those that go. Records next to each
 * other go in one tombstone. Lines that are no records (earlier tombstones, statements) stay as they are. Give it lines of
 * a chain that verifies. Constant memory.
 */
export class RecordDeleter {
  readonly #hashing: Hashing
  readonly #fateOf: (record: ReadBack) => Fate
  readonly #run: string
  readonly #emit: (line: string) => void
  #open: Tombstone | undefined
  #records = 0
  #deleted = 0
  readonly #rules = new Map<string, number>()
  readonly #held = new Map<string, number>()
  #from = 0
  #to = 0
  #digest = NO_TOMBSTONES
  #lastSeq = 0
  #dueAt = Number.POSITIVE_INFINITY

  constructor(hashing: Hashing, fateOf: (record: ReadBack) => Fate, run: string, emit: (line: string) => void) {
    this.#hashing = hashing
    this.#fateOf = fateOf
    this.#run = run
    this.#emit = emit
  }

  line(line: string): void {
    const record = JSON.parse(line) as ReadBack
    const seq = record['seq']
    if (typeof seq === 'number') this.#lastSeq = seq
    if (record['statement'] !== undefined || record['deletedFrom'] !== undefined || typeof seq !== 'number') {
      return this.#keep(line)
    }
    this.#records += 1
    const fate = this.#fateOf(record)
    if (fate.kind === 'deleted') {
      count(this.#rules, fate.rule)
      return this.#delete(seq, String(record['prev']), String(record['hash']))
    }
    if (fate.kind === 'held') count(this.#held, fate.hold)
    this.#dueAt = Math.min(this.#dueAt, fate.kind === 'held' ? 0 : fate.dueAt)
    this.#keep(line)
  }

  /** Ends the file. */
  end(): DeletionPlan {
    this.#bury()
    return {
      records: this.#records,
      deleted: this.#deleted,
      rules: Object.fromEntries(this.#rules),
      held: Object.fromEntries(this.#held),
      from: this.#from,
      to: this.#to,
      digest: this.#digest,
      lastSeq: this.#lastSeq,
      dueAt: this.#dueAt,
    }
  }

  #keep(line: string): void {
    this.#bury()
    this.#emit(line)
  }

  #delete(seq: number, prev: string, hash: string): void {
    this.#deleted += 1
    this.#from ||= seq
    this.#to = seq
    this.#open = { ...(this.#open ?? { deletedFrom: seq, prev, run: this.#run }), hash, seq }
  }

  #bury(): void {
    if (this.#open === undefined) return
    const line = tombstoneLine(this.#open)
    this.#digest = digestWith(this.#hashing, this.#digest, line)
    this.#open = undefined
    this.#emit(line)
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
