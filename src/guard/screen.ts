import { type Alphabet, START_CLASS } from './alphabet.ts'
import type { Nfa } from './nfa.ts'
import { FLAG, MAX_ROWS, ROW, RowTable, UNKNOWN } from './row-table.ts'
import { StateSet } from './state-set.ts'

/** In a step's result, added to the row: a match may have ended in front of the unit that was read. */
export const SUSPECT = FLAG

/**
 * Characters that have to be read for each row that is made, and how many may be read ahead. A row costs as much as looking at
 * some dozen places with care, and a text can be made so that nearly every character needs a new one.
 */
const CHARACTERS_A_ROW = 32
const MAX_CREDIT = (CHARACTERS_A_ROW * MAX_ROWS) / 2

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
  readonly rows: RowTable
  /** Rows up to this are idle. */
  readonly lastIdle: number
  /** Behind `run`. */
  row = 0
  idle = -1
  reached = 0
  /** Behind `clear`: the end of the part, from the place it returned, that must be looked at with care. */
  until = 0
  /** Characters read that no row has been made for. */
  private credit = MAX_CREDIT
  private readonly rules: ScreenRules
  private readonly states: StateSet
  /** By class: the idle row behind it. */
  private readonly idleRows: Uint16Array
  /** The different sets of states that join the open candidates at a place, and by class which one does behind it. */
  private readonly starts: (readonly number[])[] = []
  private readonly startOf: Uint16Array
  /** By such a set and class: what its states reach. */
  private readonly firstSteps: (readonly number[] | undefined)[] = []

  constructor(rules: ScreenRules) {
    this.rules = rules
    const { size } = rules.alphabet
    this.idleRows = new Uint16Array(size)
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
      this.idleRows[unitClass] = start + 1
    }
    this.lastIdle = this.starts.length
    this.rows = new RowTable(size, this.lastIdle)
    this.states = new StateSet(rules.nfa.size)
  }

  /** The idle row behind a character of the class. */
  idleAfter(unitClass: number): number {
    return this.idleRows[unitClass] as number
  }

  /** Whether nothing matches anywhere in a raw text, as far as can be told quickly. */
  isClear(text: string): boolean {
    const { alphabet } = this.rules
    const classes = alphabet.lend(text.length)
    const clear = alphabet.readPlain(text, classes) && this.run(this.idleAfter(START_CLASS), classes, 0, text.length)
    alphabet.giveBack(classes)
    return clear && !this.mayEnd(this.row)
  }

  /**
   * Goes on from `row` over the classes from `from` to `to`. Leaves in `row` where it stands, in `idle` the last place behind
   * which it was idle, or -1; false as soon as something is suspect, in front of
   * `reached`, or the way on is not known.
   */
  run(from: number, classes: Uint8Array, start: number, to: number): boolean {
    const { lastIdle } = this
    const { shift } = this.rows
    let { table } = this.rows
    let row = from
    let idle = -1
    let suspect = false
    let at = start
    while (at < to && !suspect) {
      const unitClass = classes[at++] as number
      let entry = table[(row << shift) | unitClass] as number
      if (entry > lastIdle && entry < SUSPECT) {
        row = entry
        continue
      }
      if (entry === UNKNOWN) {
        entry = this.learns(row) ? this.step(row, unitClass) : row | SUSPECT
        table = this.rows.table
      }
      suspect = entry >= SUSPECT
      row = entry & ROW
      if (row <= lastIdle && !suspect) idle = at
    }
    this.row = row
    this.idle = idle
    this.reached = at
    this.credit = Math.min(MAX_CREDIT, this.credit + at - start)
    return !suspect
  }

  /** Whether a step from the row may be made that has not been taken yet. From idle rows always: they are few. */
  private learns(row: number): boolean {
    if (row <= this.lastIdle) return true
    if (this.credit < CHARACTERS_A_ROW) return false
    this.credit -= CHARACTERS_A_ROW
    return true
  }

  /**
   * The place behind `from` in front of which no match starts; `to` when that is all. In the others, what lies between that
   * place and `until` is undecided here. That is no more than leads to the first place where a match may have ended: from
   * there the screen starts anew, so that candidates of long rows do not pile up in it.
   * @param before class of the character in front of `from`
   * @param complete the text ends at `to`: what has not matched will not
   */
  clear(classes: Uint8Array, from: number, to: number, before: number, complete: boolean): number {
    const clear = this.run(this.idleAfter(before), classes, from, to)
    const settled = Math.max(from, this.idle)
    if (clear && (settled === to || (complete && !this.mayEnd(this.row)))) return to
    this.until = clear ? to : this.reached - 1
    return settled
  }

  /** One step: the row that follows, with `SUSPECT` where a match may have ended. May begin a new epoch. */
  private step(row: number, unitClass: number): number {
    const { nfa, notBefore } = this.rules
    const { states: reached, rows } = this
    const { epoch, members } = rows
    const start = row <= this.lastIdle ? row - 1 : rows.tag(row)
    reached.clear()
    const accepted = nfa.advance(members, rows.start(row), rows.end(row), unitClass, reached)
    const suspect = accepted?.some(rule => !notBefore[rule]?.[unitClass]) ? SUSPECT : 0
    for (const state of this.firstStep(start, unitClass)) reached.add(state)
    const next = reached.size === 0 ? this.idleAfter(unitClass) : rows.rowOf(reached, this.startOf[unitClass] as number)
    if (rows.epoch === epoch) rows.set(row, unitClass, next | suspect)
    else this.credit = MAX_CREDIT
    return next | suspect
  }

  /** Whether a match may end with the text. */
  private mayEnd(row: number): boolean {
    const { rows } = this
    for (let at = rows.start(row); at < rows.end(row); at++) {
      if (this.rules.nfa.accepted(rows.members[at] as number) >= 0) return true
    }
    return false
  }

  /** What the states that start behind some character reach by the class. */
  private firstStep(start: number, unitClass: number): readonly number[] {
    const key = start * this.rules.alphabet.size + unitClass
    const known = this.firstSteps[key]
    if (known) return known
    const reached = new Set<number>()
    const { nfa } = this.rules
    for (const state of this.starts[start] as readonly number[]) {
      for (const target of nfa.targetsBy(state, unitClass)) reached.add(target)
    }
    const targets = [...reached]
    this.firstSteps[key] = targets
    return targets
  }
}
