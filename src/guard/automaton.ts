import { charCodeAt } from '../text/char-code-at.ts'
import { IGNORABLE_CLASS } from './alphabet.ts'
import type { Nfa } from './nfa.ts'

/**
 * The automaton that all streams share: a non-deterministic one built from the rules' patterns, determinised on the way.
 * A deterministic state is made the first time a text leads there, so that starting costs nothing and rules with large
 * counters do not explode; the number of remembered states is bounded. A step costs one table look-up, or, the first
 * time, time linear in the rules' size: never more, whatever the text (Thompson's construction, no backtracking).
 */

/** Remembered states; past this the memory is dropped and grows anew. Each costs about `classes × 8` bytes. */
const MAX_STATES = 8192

/** In the table: nothing is known, or a rule matches, so the state itself has to be asked. */
export const NO_ROW = 0
/** In the table: no rule can match any more. */
export const FAILS = 1
const FIRST_ROW = 2

/** A deterministic state. `next[class]`: undefined = not made yet, null = no rule can match any more. */
export interface State {
  readonly next: (State | null | undefined)[]
  /** Rules whose pattern ends here, in the order of declaration; null for none. */
  readonly accepts: readonly number[] | null
  /** Whether some rule could still read on from here. */
  readonly open: boolean
  readonly members: readonly number[]
  /** Its row in the automaton's table; 0 once it has been forgotten. */
  row: number
}

/** Determinises an `Nfa` on the way. */
export class Automaton {
  private readonly nfa: Nfa
  private readonly classes: number
  /** Where set, a match may start anywhere: these states join every step. */
  private readonly restart: readonly number[]
  private readonly known = new Map<string, State>()
  /** The states by row. */
  private states: State[] = []
  /**
   * The remembered steps once more, as numbers: by row and class the row that follows. A tenth of the memory of the states,
   * so that it stays in the processor's caches.
   */
  private table: Uint16Array

  constructor(nfa: Nfa, classes: number, restart: readonly number[] = []) {
    this.nfa = nfa
    this.classes = classes
    this.restart = restart
    this.table = new Uint16Array(64 * classes)
  }

  /** The state in which exactly these first states of patterns are live; null for none. */
  start(firsts: readonly number[]): State | null {
    return this.intern(new Set(this.nfa.closure(firsts)))
  }

  /**
   * Follows a candidate where only remembered steps and no matches have to be looked at. Most fail within a few characters.
   * @param classOf class of each unit of the text
   * @returns FAILS; the row it stands in at the end of the text; or NO_ROW where it has to be followed with care
   */
  run(state: State, text: string, from: number, classOf: Uint8Array): number {
    const { table, classes } = this
    let { row } = state
    for (let at = from; at < text.length; at++) {
      const unitClass = classOf[charCodeAt.call(text, at)] as number
      if (unitClass === IGNORABLE_CLASS) return NO_ROW
      row = table[row * classes + unitClass] as number
      if (row < FIRST_ROW) return row
    }
    return row
  }

  /** The state of a row that `run` gave. */
  stateOf(row: number): State {
    return this.states[row - FIRST_ROW] as State
  }

  /** One step; remembers its result in `state.next`. */
  step(state: State, unitClass: number): State | null {
    const remembered = state.next[unitClass]
    if (remembered !== undefined) return remembered
    const members = new Set<number>()
    for (const member of state.members) this.nfa.advance(member, unitClass, members)
    for (const first of this.restart) this.nfa.close(first, members)
    const result = this.intern(members)
    state.next[unitClass] = result
    // A match has to be asked of its state.
    const entry = result === null ? FAILS : result.accepts ? NO_ROW : result.row
    if (state.row !== NO_ROW) this.table[state.row * this.classes + unitClass] = entry
    return result
  }

  private intern(set: ReadonlySet<number>): State | null {
    if (set.size === 0) return null
    const members = [...set].sort((one, other) => one - other)
    const key = members.join()
    const found = this.known.get(key)
    if (found) return found
    const rules = members.map(member => this.nfa.accepted(member)).filter(rule => rule >= 0)
    const accepts = [...new Set(rules)].sort((one, other) => one - other)
    if (this.known.size >= MAX_STATES) this.forget()
    const row = FIRST_ROW + this.known.size
    this.growTo(row)
    const state: State = {
      next: Array.from<State | null | undefined>({ length: this.classes }),
      accepts: accepts.length > 0 ? accepts : null,
      open: rules.length < members.length,
      members,
      row,
    }
    this.known.set(key, state)
    this.states.push(state)
    return state
  }

  private growTo(row: number): void {
    const needed = (row + 1) * this.classes
    if (needed <= this.table.length) return
    const table = new Uint16Array(Math.max(needed, 2 * this.table.length))
    table.set(this.table)
    this.table = table
  }

  /** Cuts all remembered states loose; those that streams still stand on live on until they are left. */
  private forget(): void {
    for (const state of this.states) {
      state.next.fill(undefined)
      state.row = NO_ROW
    }
    this.states = []
    this.known.clear()
    this.table.fill(NO_ROW)
  }
}
