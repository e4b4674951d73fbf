import type { Nfa } from './nfa.ts'
import { FLAG, ROW, RowTable, UNKNOWN } from './row-table.ts'
import { StateSet } from './state-set.ts'

/**
 * The automaton that all streams share: a non-deterministic one built from the rules' patterns, determinised on the way.
 * A row is made the first time a text leads there, so that starting costs nothing and rules with large counters do not
 * explode. A step costs one table look-up, or, the first time, time linear in the candidates that are open: never more,
 * whatever the text (Thompson's construction, no backtracking).
 */

/** The row from which no rule can match any more. */
export const FAILS = 1
/** In a step's result, added to the row: some pattern ends here. */
export const MATCHES = FLAG

/** Which rules match where a candidate stands. */
interface Accepts {
  /** In the order of declaration. */
  readonly rules: readonly number[]
  /** Whether some rule could still read on. */
  readonly open: boolean
  /** The first of them whose matches go on without bound, or -1. */
  readonly tail: number
}

/** Determinises an `Nfa` on the way. */
export class Automaton {
  readonly rows: RowTable
  private readonly nfa: Nfa
  private readonly reached: StateSet
  /** By row with a match. */
  private accepts: (Accepts | undefined)[] = []
  private acceptsEpoch = 0
  private readonly firstsAfter: (unitClass: number, wordless: boolean) => readonly number[]
  /** By class, twice: the rows in which candidates start. */
  private readonly starts: Uint16Array
  private startsEpoch = 0
  private readonly classes: number
  private readonly hasTail: (rule: number) => boolean
  /** Behind `run`, where it met a match: the index of the class that led there, the row in front, and its epoch. */
  metAt = 0
  metFrom = 0
  metEpoch = 0

  /** @param firstsAfter the first states of the rules of which a match may start behind a character of the class */
  constructor(
    nfa: Nfa,
    classes: number,
    firstsAfter: (unitClass: number, wordless: boolean) => readonly number[],
    hasTail: (rule: number) => boolean,
  ) {
    this.hasTail = hasTail
    this.nfa = nfa
    this.classes = classes
    this.rows = new RowTable(classes, FAILS)
    this.reached = new StateSet(nfa.size)
    this.firstsAfter = firstsAfter
    this.starts = new Uint16Array(2 * classes)
  }

  /**
   * The row in which a candidate starts behind a character of the class; `FAILS` where none may.
   * @param wordless no letter stands in the text that a validator may look at
   */
  startAfter(unitClass: number, wordless: boolean): number {
    const known = this.starts[wordless ? this.classes + unitClass : unitClass] as number
    return known !== UNKNOWN && this.startsEpoch === this.rows.epoch ? known : this.makeStart(unitClass, wordless)
  }

  /**
   * Follows a candidate that stands in `row` over the classes from `from` to `to`, as far as nothing matches: the row at their
   * end; `FAILS`; or `UNKNOWN` where a pattern ends (`metAt`). May begin a new epoch.
   */
  run(row: number, classes: Uint8Array, from: number, to: number): number {
    const { rows } = this
    const { shift } = rows
    let { table, epoch } = rows
    let at = row
    for (let index = from; index < to; index++) {
      const unitClass = classes[index] as number
      let entry = table[(at << shift) | unitClass] as number
      if (entry === UNKNOWN) {
        entry = this.step(at, unitClass)
        table = rows.table
      }
      if (entry === FAILS) return FAILS
      if (entry >= MATCHES) {
        this.metAt = index
        this.metFrom = at
        this.metEpoch = epoch
        return UNKNOWN
      }
      at = entry
      epoch = rows.epoch
    }
    return at
  }

  /** One step: the row that follows, `FAILS` for none, with `MATCHES` where a pattern ends. May begin a new epoch. */
  step(row: number, unitClass: number): number {
    const { rows, nfa, reached } = this
    const { epoch, members } = rows
    reached.clear()
    nfa.advance(members, rows.start(row), rows.end(row), unitClass, reached)
    const entry = this.entryOf(reached)
    if (rows.epoch === epoch) rows.set(row, unitClass, entry)
    return entry
  }

  /** What matches in a row that was reached with `MATCHES`. */
  acceptsOf(row: number): Accepts {
    if (this.acceptsEpoch !== this.rows.epoch) {
      this.accepts = []
      this.acceptsEpoch = this.rows.epoch
    }
    return this.accepts[row] ?? this.readAccepts(row)
  }

  private makeStart(unitClass: number, wordless: boolean): number {
    const { reached, rows } = this
    reached.clear()
    for (const state of this.nfa.closure(this.firstsAfter(unitClass, wordless))) reached.add(state)
    const row = this.entryOf(reached) & ROW
    if (this.startsEpoch !== rows.epoch) {
      this.starts.fill(UNKNOWN)
      this.startsEpoch = rows.epoch
    }
    this.starts[wordless ? this.classes + unitClass : unitClass] = row
    return row
  }

  private entryOf(reached: StateSet): number {
    if (reached.size === 0) return FAILS
    const row = this.rows.rowOf(reached, 0)
    for (let at = 0; at < reached.size; at++) {
      if (this.nfa.accepted(reached.members[at] as number) >= 0) return row | MATCHES
    }
    return row
  }

  private readAccepts(row: number): Accepts {
    const { rows, nfa } = this
    const found = new Set<number>()
    let open = false
    for (let at = rows.start(row); at < rows.end(row); at++) {
      const rule = nfa.accepted(rows.members[at] as number)
      if (rule >= 0) found.add(rule)
      else open = true
    }
    const rules = [...found].sort((one, other) => one - other)
    const accepts = { rules, open, tail: rules.find(this.hasTail) ?? -1 }
    this.accepts[row] = accepts
    return accepts
  }
}
