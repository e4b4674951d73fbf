import { charCodeAt } from '../text/char-code-at.ts'
import { type Alphabet, IGNORABLE_CLASS } from './alphabet.ts'
import type { Nfa } from './nfa.ts'

/** Remembered rows; past this all are forgotten and grow anew. Each costs a power of two of at least `classes` × 2 bytes. */
const MAX_ROWS = 16_384
/** In the table: the step has not been taken yet. */
const UNKNOWN = 0
/** In the table, added to the row: a match may have ended in front of the unit that was read. */
const SUSPECT = 0x8000
const ROW = 0x7fff

/** What the screen needs to know of the rules. */
export interface ScreenRules {
  readonly alphabet: Alphabet
  /** The rules' loose forms: they match at least what the rules match. */
  readonly nfa: Nfa
  /** The first states of the rules of which a match may start behind a character of the class. */
  readonly firstsAfter: (unitClass: number) => readonly number[]
  /** By rule: classes before which no match of it ends; undefined for any. */
  readonly notBefore: readonly (Uint8Array | undefined)[]
}

/**
 * Tells where in a text no match can start, at one table look-up a character, whatever the number of rules: it follows the
 * candidates of all places at once, without knowing which is which. What it does not clear is looked at place by place.
 * A row is *idle* when no candidate is open: everything in front of it is settled.
 */
export class Screen {
  /** Behind `clear`: the end of the part, from the place it returned, that must be looked at with care. */
  until = 0
  private readonly rules: ScreenRules
  private readonly shift: number
  private table: Uint16Array
  /** By row: the open candidates, and which starting states join them. */
  private rows: { readonly open: readonly number[]; readonly start: number }[] = []
  private readonly rowOf = new Map<string, number>()
  /** By class: the idle row behind it. */
  private readonly idleAfter: Uint16Array
  private readonly starts: (readonly number[])[] = []
  private readonly startOf: Uint16Array

  constructor(rules: ScreenRules) {
    this.rules = rules
    const { size } = rules.alphabet
    this.shift = Math.ceil(Math.log2(size))
    this.idleAfter = new Uint16Array(size)
    this.startOf = new Uint16Array(size)
    const known = new Map<string, number>()
    for (let unitClass = 0; unitClass < size; unitClass++) {
      const firsts = rules.firstsAfter(unitClass)
      const key = firsts.join()
      let start = known.get(key)
      if (start === undefined) {
        start = this.starts.push(rules.nfa.closure(firsts)) - 1
        known.set(key, start)
      }
      this.startOf[unitClass] = start
      this.idleAfter[unitClass] = start + 1
    }
    this.table = new Uint16Array(64 << this.shift)
    this.forget()
  }

  /**
   * The place behind `from` in front of which no match starts; the length of the text when that is all of it. In the others,
   * what lies between that place and `until` is undecided here.
   * @param before class of the character in front of `from`
   * @param complete the text ends here: what has not matched will not
   */
  clear(text: string, from: number, before: number, complete: boolean): number {
    const { classOf } = this.rules.alphabet
    const { shift } = this
    const { length } = text
    const lastIdle = this.starts.length
    let { table } = this
    let row = this.idleAfter[before] ?? 0
    let settled = from
    let at = from
    for (; at < length; at++) {
      const unitClass = classOf[charCodeAt.call(text, at)] as number
      let entry = table[(row << shift) | unitClass] as number
      if (entry > lastIdle && entry < SUSPECT) {
        row = entry
        continue
      }
      if (unitClass === IGNORABLE_CLASS) {
        this.until = at + 1
        return settled
      }
      if (entry === UNKNOWN) {
        entry = this.step(row, unitClass)
        table = this.table
      }
      row = entry & ROW
      if (entry >= SUSPECT) {
        this.until = this.nextIdle(text, at + 1, row)
        return settled
      }
      if (row <= lastIdle) settled = at + 1
    }
    if (settled === length || (complete && !this.mayEnd(row))) return length
    this.until = length
    return settled
  }

  /** Where no candidate is open again: no candidate from in front of it reaches further. */
  private nextIdle(text: string, from: number, reached: number): number {
    const { classOf } = this.rules.alphabet
    let row = reached
    let at = from
    while (row > this.starts.length && at < text.length) {
      const unitClass = classOf[charCodeAt.call(text, at)] as number
      if (unitClass === IGNORABLE_CLASS) break
      row = (this.table[(row << this.shift) | unitClass] || this.step(row, unitClass)) & ROW
      at++
    }
    return at
  }

  /** Whether a match may end with the text. */
  private mayEnd(row: number): boolean {
    return this.rows[row]?.open.some(state => this.rules.nfa.accepted(state) >= 0) ?? true
  }

  private step(row: number, unitClass: number): number {
    const { nfa, notBefore } = this.rules
    const { open, start } = this.rows[row] as (typeof this.rows)[number]
    const reached = new Set<number>()
    let suspect = 0
    for (const state of open) {
      const rule = nfa.accepted(state)
      if (rule >= 0 && !notBefore[rule]?.[unitClass]) suspect = SUSPECT
      nfa.advance(state, unitClass, reached)
    }
    for (const state of this.starts[start] as readonly number[]) nfa.advance(state, unitClass, reached)
    const full = this.rows.length >= MAX_ROWS
    if (full) this.forget()
    const entry =
      this.intern(
        [...reached].sort((one, other) => one - other),
        unitClass,
      ) | suspect
    // The row that was left is among those that are forgotten.
    if (!full) this.table[(row << this.shift) | unitClass] = entry
    return entry
  }

  private intern(open: readonly number[], unitClass: number): number {
    if (open.length === 0) return this.idleAfter[unitClass] as number
    const start = this.startOf[unitClass] as number
    const key = `${start} ${open.join()}`
    const known = this.rowOf.get(key)
    if (known !== undefined) return known
    const row = this.rows.push({ open, start }) - 1
    this.rowOf.set(key, row)
    if (this.rows.length << this.shift > this.table.length) {
      const table = new Uint16Array(2 * this.table.length)
      table.set(this.table)
      this.table = table
    }
    return row
  }

  /** Leaves nothing but the idle rows, which have the numbers from 1. */
  private forget(): void {
    this.table.fill(UNKNOWN)
    this.rowOf.clear()
    this.rows = [{ open: [], start: 0 }, ...this.starts.map((_, start) => ({ open: [], start }))]
  }
}
