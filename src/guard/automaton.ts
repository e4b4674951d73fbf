import { FOLDED_UNITS, foldCode, isIgnorable } from './fold.ts'
import type { PatternNode, UnitSet } from './pattern.ts'

/**
 * The automaton that all streams share: a non-deterministic one built from the rules' patterns, determinised on the way.
 * A deterministic state is made the first time a text leads there, so that starting costs nothing and rules with large
 * counters do not explode; the number of remembered states is bounded. A step costs one table look-up, or, the first
 * time, time linear in the rules' size: never more, whatever the text (Thompson's construction, no backtracking).
 */

/** Remembered states; past this the memory is dropped and grows anew. Each costs about `classes × 8` bytes. */
const MAX_STATES = 8192

/** The class of the characters that are skipped inside a candidate (zero-width ones). */
export const IGNORABLE_CLASS = 0
/** The class that stands before the first character of a text. */
export const START_CLASS = 1

const FIRST_CLASS = 2
/** Classes are bytes. */
const MAX_CLASSES = 256

/** Divides the units into classes that no set of any rule tells apart. */
export class Alphabet {
  /** Class of each raw unit (folded on the way). */
  readonly classOf: Uint8Array
  readonly size: number
  private readonly foldedClass: Uint8Array
  /** The first unit of each class. */
  private readonly representatives: readonly number[]

  /** Null where the sets tell more kinds of units apart than a byte can name. */
  static of(sets: readonly UnitSet[]): Alphabet | null {
    const alphabet = new Alphabet(sets)
    return alphabet.size > MAX_CLASSES ? null : alphabet
  }

  private constructor(sets: readonly UnitSet[]) {
    const edges = new Set<number>([0])
    for (const set of sets) {
      for (const [first, last] of set) {
        edges.add(first)
        if (last < 0xffff) edges.add(last + 1)
      }
    }
    // Between two edges no set tells units apart: classes are made of these intervals.
    const starts = Uint32Array.from(edges).sort()
    const classes = numbered(refine(starts, sets))
    const representatives: number[] = []
    this.foldedClass = new Uint8Array(0x10000)
    for (const [index, start] of starts.entries()) {
      const unitClass = classes[index] ?? 0
      representatives[unitClass] ??= start
      this.foldedClass.fill(unitClass, start, starts[index + 1] ?? 0x10000)
    }
    this.size = Math.max(FIRST_CLASS, representatives.length)
    this.representatives = representatives
    this.classOf = this.foldedClass.slice()
    for (const unit of FOLDED_UNITS) {
      this.classOf[unit] = isIgnorable(unit) ? IGNORABLE_CLASS : (this.foldedClass[foldCode(unit)] ?? 0)
    }
  }

  /** Class of a unit that counts although it could be skipped: one of a long run of zero-width characters. */
  classOfKept(unit: number): number {
    return this.foldedClass[unit] ?? 0
  }

  /** A table by class: 1 where the class lies in the set, which must be one of those the alphabet was made for. */
  table(set: UnitSet): Uint8Array {
    const table = new Uint8Array(this.size)
    // Representatives and ranges both ascend.
    let unitClass = FIRST_CLASS
    for (const [first, last] of set) {
      while (unitClass < this.size && (this.representatives[unitClass] ?? 0) < first) unitClass++
      for (; unitClass < this.size && (this.representatives[unitClass] ?? 0) <= last; unitClass++) table[unitClass] = 1
    }
    return table
  }
}

/** By interval, a number that it shares with exactly those that lie in the same sets. */
function refine(starts: Uint32Array, sets: readonly UnitSet[]): Uint32Array {
  const groups = new Uint32Array(starts.length)
  const indexOf = new Map<number, number>()
  for (const [index, start] of starts.entries()) indexOf.set(start, index)
  let next = 1
  for (const set of sets) {
    // What of a group lies in the set leaves it together.
    const moved = new Map<number, number>()
    for (const [first, last] of set) {
      for (let index = indexOf.get(first) ?? 0; index < starts.length && (starts[index] ?? 0) <= last; index++) {
        const group = groups[index] ?? 0
        let target = moved.get(group)
        if (target === undefined) {
          target = next++
          moved.set(group, target)
        }
        groups[index] = target
      }
    }
  }
  return groups
}

/** The groups as classes, in the order in which they appear. */
function numbered(groups: Uint32Array): number[] {
  const classes = new Map<number, number>()
  return Array.from(groups, group => {
    const known = classes.get(group) ?? classes.size + FIRST_CLASS
    classes.set(group, known)
    return known
  })
}

const SPLIT = -1
const ACCEPT = -2

/** States in parallel arrays: a unit set to the next state, a split into two, or the acceptance of a rule. */
export class Nfa {
  private readonly kind: number[] = []
  private readonly out: number[] = []
  private readonly other: number[] = []
  private readonly tables: Uint8Array[] = []
  private readonly tableIds = new Map<UnitSet, number>()
  private readonly alphabet: Alphabet

  constructor(alphabet: Alphabet) {
    this.alphabet = alphabet
  }

  /** Adds a pattern that ends in the acceptance of `rule`; returns its first state. */
  add(root: PatternNode, rule: number): number {
    return this.build(root, this.state(ACCEPT, rule, -1))
  }

  private build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set': {
        let table = this.tableIds.get(node.set)
        if (table === undefined) {
          table = this.tables.push(this.alphabet.table(node.set)) - 1
          this.tableIds.set(node.set, table)
        }
        return this.state(table, next, -1)
      }
      case 'sequence':
        return node.items.reduceRight((after, item) => this.build(item, after), next)
      case 'choice':
        return node.items
          .map(item => this.build(item, next))
          .reduceRight((rest, first) => this.state(SPLIT, first, rest))
      case 'repeat': {
        // x{2,4} is x x (x (x)?)?: nested, so that skipping the rest is one step from any place.
        let after = next
        for (let copy = node.max; copy > node.min; copy--) after = this.state(SPLIT, this.build(node.item, after), next)
        for (let copy = node.min; copy > 0; copy--) after = this.build(node.item, after)
        return after
      }
    }
  }

  private state(kind: number, out: number, other: number): number {
    this.kind.push(kind)
    this.out.push(out)
    this.other.push(other)
    return this.kind.length - 1
  }

  /** Adds `state` and all it reaches without reading to `into`. */
  close(state: number, into: Set<number>): void {
    const stack = [state]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (into.has(at)) continue
      if (this.kind[at] === SPLIT) {
        stack.push(this.other[at] ?? 0, this.out[at] ?? 0)
      } else {
        into.add(at)
      }
    }
  }

  /** The state reached from `state` by a unit of the class, or -1. */
  move(state: number, unitClass: number): number {
    const kind = this.kind[state] ?? ACCEPT
    if (kind < 0) return -1
    return this.tables[kind]?.[unitClass] ? (this.out[state] ?? -1) : -1
  }

  /** The rule that `state` accepts, or -1. */
  accepted(state: number): number {
    return this.kind[state] === ACCEPT ? (this.out[state] ?? -1) : -1
  }
}

/** In the table: nothing is known, or a rule matches, so the state itself has to be asked. */
const NO_ROW = 0
/** In the table: no rule can match any more. */
const FAILS = 1
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
    const members = new Set<number>()
    for (const first of firsts) this.nfa.close(first, members)
    return this.intern(members)
  }

  /**
   * Whether the candidate at `from` fails where only remembered steps and no matches have to be looked at. Most do, within
   * a few characters; the others are followed with care.
   * @param classOf class of each unit of the text
   */
  failsAtOnce(start: State, text: string, from: number, classOf: Uint8Array): boolean {
    const { table, classes } = this
    let row = start.row
    for (let at = from; at < text.length; at++) {
      const unitClass = classOf[text.charCodeAt(at)] ?? IGNORABLE_CLASS
      if (unitClass === IGNORABLE_CLASS) return false
      row = table[row * classes + unitClass] ?? NO_ROW
      if (row < FIRST_ROW) return row === FAILS
    }
    return false
  }

  /** One step; remembers its result in `state.next`. */
  step(state: State, unitClass: number): State | null {
    const remembered = state.next[unitClass]
    if (remembered !== undefined) return remembered
    const members = new Set<number>()
    for (const member of state.members) {
      const target = this.nfa.move(member, unitClass)
      if (target >= 0) this.nfa.close(target, members)
    }
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
    for (const state of this.known.values()) {
      state.next.fill(undefined)
      state.row = NO_ROW
    }
    this.known.clear()
    this.table.fill(NO_ROW)
  }
}
