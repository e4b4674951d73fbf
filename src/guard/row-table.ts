import { mixed, type StateSet } from './state-set.ts'

/** Remembered rows; past this all are forgotten and grow anew. Each costs a power of two of at least `classes` × 2 bytes. */
export const MAX_ROWS = 16_384
/** In the table: the step has not been taken yet. */
export const UNKNOWN = 0
/** In the table, added to a row. */
export const FLAG = 0x8000
export const ROW = 0x7fff

const SLOTS = 4 * MAX_ROWS

/**
 * The rows of a deterministic automaton that is made on the way: each stands for a set of states, and its part of the table
 * says which row follows by which class. All of it lives in a few arrays, so that rows come and go without garbage: an
 * attacker can make a new row with nearly every character.
 */
export class RowTable {
  /** By row and class (`row << shift | class`), the row that follows, perhaps with `FLAG`; or `UNKNOWN`. */
  table: Uint16Array
  readonly shift: number
  /** Rises when all rows are forgotten: rows of an earlier epoch mean nothing. */
  epoch = 0
  private readonly first: number
  private count: number
  /** The members of all rows, one behind the other. */
  members = new Int32Array(4096)
  /** Where the members of a row end; they begin where those of the row in front end. */
  private readonly ends = new Int32Array(MAX_ROWS)
  private readonly tags = new Int32Array(MAX_ROWS)
  private readonly hashes = new Int32Array(MAX_ROWS)
  /** Rows by hash, open addressing. */
  private readonly slots = new Uint16Array(SLOTS)

  /** @param reserved rows from 1 on that have no members and are never forgotten */
  constructor(classes: number, reserved: number) {
    this.shift = Math.max(1, Math.ceil(Math.log2(classes)))
    this.first = reserved + 1
    this.count = this.first
    this.table = new Uint16Array(Math.max(64, 2 * this.first) << this.shift)
  }

  /** The row of these states and this tag: what else tells rows apart. May forget all others. */
  rowOf(set: StateSet, tag: number): number {
    const hash = (set.hash + mixed(~tag)) | 0
    let slot = mixed(hash) & (SLOTS - 1)
    for (;;) {
      const row = this.slots[slot] as number
      if (row === 0) break
      if (this.hashes[row] === hash && this.tags[row] === tag && this.holds(row, set)) return row
      slot = (slot + 1) & (SLOTS - 1)
    }
    if (this.count === MAX_ROWS) {
      this.forget()
      slot = mixed(hash) & (SLOTS - 1)
    }
    return this.add(set, tag, hash, slot)
  }

  /** Where the members of a row begin in `members`; reserved rows have none. */
  start(row: number): number {
    return row <= this.first ? 0 : (this.ends[row - 1] as number)
  }

  end(row: number): number {
    return row < this.first ? 0 : (this.ends[row] as number)
  }

  tag(row: number): number {
    return this.tags[row] as number
  }

  /** Remembers a step. */
  set(row: number, unitClass: number, entry: number): void {
    this.table[(row << this.shift) | unitClass] = entry
  }

  private holds(row: number, set: StateSet): boolean {
    const from = this.start(row)
    const to = this.end(row)
    if (to - from !== set.size) return false
    for (let at = from; at < to; at++) if (!set.has(this.members[at] as number)) return false
    return true
  }

  private add(set: StateSet, tag: number, hash: number, slot: number): number {
    const row = this.count++
    const from = this.start(row)
    const to = from + set.size
    if (to > this.members.length) {
      const grown = new Int32Array(Math.max(to, 2 * this.members.length))
      grown.set(this.members)
      this.members = grown
    }
    this.members.set(set.members.subarray(0, set.size), from)
    this.ends[row] = to
    this.tags[row] = tag
    this.hashes[row] = hash
    this.slots[slot] = row
    if ((row + 1) << this.shift > this.table.length) {
      const table = new Uint16Array(2 * this.table.length)
      table.set(this.table)
      this.table = table
    }
    return row
  }

  /** Forgets all rows but the reserved ones. */
  forget(): void {
    this.table.fill(UNKNOWN)
    this.slots.fill(0)
    this.count = this.first
    this.epoch++
  }
}
