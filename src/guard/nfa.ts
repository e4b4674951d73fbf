import type { Alphabet } from './alphabet.ts'
import type { PatternNode, UnitSet } from './pattern.ts'
import type { StateSet } from './state-set.ts'
import type { TermNode } from './terms.ts'

const SPLIT = -1
const ACCEPT = -2

const NO_STATES: readonly number[] = []

/** In a loose form, repetitions are counted up to here. */
const COUNTED = 12

/**
 * The non-deterministic automaton of some patterns, in parallel arrays: a unit set that leads to the next state, a split
 * into two, or the acceptance of a rule.
 */
export class Nfa {
  private readonly kind: number[] = []
  private readonly out: number[] = []
  private readonly other: number[] = []
  /** By state that reads: the states behind the unit, as they are asked for. */
  private readonly targets: (readonly number[] | undefined)[] = []
  /** By set and class: 1 where the class lies in the set. */
  private readonly tables: Uint8Array[] = []
  /** `kind` and `tables` once more. */
  private sealed: Int32Array = new Int32Array(0)
  private matrix: Uint8Array = new Uint8Array(0)
  private readonly tableIds = new Map<UnitSet, number>()
  private readonly alphabet: Alphabet
  private readonly loose: boolean

  /** `loose`: longer repetitions than some are taken for endless ones. What matches then still does, with fewer states. */
  constructor(alphabet: Alphabet, loose = false) {
    this.alphabet = alphabet
    this.loose = loose
  }

  /**
   * Adds a pattern that ends in the acceptance of `rule`; returns its first state.
   * @param needed a match has to hold a unit of this set
   */
  add(root: PatternNode, rule: number, needed?: UnitSet): number {
    const accept = this.state(ACCEPT, rule, -1)
    if (!needed) return this.build(root, accept)
    // The pattern twice, side by side: a needed unit leads from the first into the second, and only that one accepts.
    const from = this.kind.length
    const second = this.build(root, accept)
    const size = this.kind.length - from
    const dead = this.state(SPLIT, -1, -1)
    const first = this.build(root, dead)
    const shift = first - second
    const member = this.alphabet.table(needed)
    const halves = new Map<number, { without: number; within: number }>()
    for (let state = dead + 1; state <= dead + size; state++) {
      const table = this.kind[state] ?? ACCEPT
      if (table < 0) continue
      const half = halves.get(table) ?? this.halve(table, member)
      halves.set(table, half)
      const target = this.out[state] ?? -1
      this.kind[state] = SPLIT
      this.out[state] = this.state(half.without, target, -1)
      this.other[state] = this.state(half.within, target === dead ? accept : target - shift, -1)
    }
    return first
  }

  /** Adds a dictionary in which every term ends in the acceptance of `rule`; returns its first state. */
  addTerms(root: TermNode, rule: number): number {
    return this.buildTerms(root, this.state(ACCEPT, rule, -1))
  }

  private buildTerms({ next, ends }: TermNode, accept: number): number {
    let state = ends ? accept : -1
    for (const { set, node } of next.values()) {
      const first = this.state(this.tableId(set), this.buildTerms(node, accept), -1)
      state = state === -1 ? first : this.state(SPLIT, first, state)
    }
    return state
  }

  /** A set's table in two: without the members of another, and only with those. */
  private halve(id: number, member: Uint8Array): { without: number; within: number } {
    const table = this.tables[id] as Uint8Array
    const half = (wanted: number) =>
      this.tables.push(table.map((inside, unitClass) => (member[unitClass] === wanted ? inside : 0))) - 1
    return { without: half(0), within: half(1) }
  }

  private build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.state(this.tableId(node.set), next, -1)
      case 'sequence':
        return node.items.reduceRight((after, item) => this.build(item, after), next)
      case 'choice':
        return node.items
          .map(item => this.build(item, next))
          .reduceRight((rest, first) => this.state(SPLIT, first, rest))
      case 'repeat': {
        let after = next
        let { min } = node
        if (this.loose && node.max > COUNTED) {
          min = Math.min(min, COUNTED)
          after = this.state(SPLIT, -1, next)
          this.out[after] = this.build(node.item, after)
        } else {
          // x{2,4} is x x (x (x)?)?: nested, so that skipping the rest is one step from any place.
          for (let copy = node.max; copy > min; copy--) after = this.state(SPLIT, this.build(node.item, after), next)
        }
        for (let copy = min; copy > 0; copy--) after = this.build(node.item, after)
        return after
      }
    }
  }

  private tableId(set: UnitSet): number {
    const known = this.tableIds.get(set)
    if (known !== undefined) return known
    const id = this.tables.push(this.alphabet.table(set)) - 1
    this.tableIds.set(set, id)
    return id
  }

  private state(kind: number, out: number, other: number): number {
    this.kind.push(kind)
    this.out.push(out)
    this.other.push(other)
    return this.kind.length - 1
  }

  get size(): number {
    return this.kind.length
  }

  /**
   * Adds what the states `members[from…to]` reach by a unit of the class to `into`.
   * @returns the rules that some of them accept; undefined for none
   */
  advance(
    members: Int32Array,
    from: number,
    to: number,
    unitClass: number,
    into: StateSet,
  ): readonly number[] | undefined {
    const { sealed, matrix, targets } = this.seal()
    const { size } = this.alphabet
    let accepted: number[] | undefined
    for (let at = from; at < to; at++) {
      const state = members[at] as number
      const kind = sealed[state] as number
      if (kind < 0) {
        accepted ??= []
        accepted.push(this.out[state] as number)
      } else if (matrix[kind * size + unitClass] === 1) {
        const reached = targets[state] ?? this.follow(state)
        for (let index = 0; index < reached.length; index++) into.add(reached[index] as number)
      }
    }
    return accepted
  }

  /** What `state` reaches by a unit of the class. */
  targetsBy(state: number, unitClass: number): readonly number[] {
    const kind = this.kind[state] as number
    if (kind < 0 || this.tables[kind]?.[unitClass] !== 1) return NO_STATES
    return this.targets[state] ?? this.follow(state)
  }

  /** All rules are in: what is asked most, in flat arrays. */
  private seal(): this {
    if (this.sealed.length === this.kind.length) return this
    const { size } = this.alphabet
    this.sealed = Int32Array.from(this.kind)
    this.matrix = new Uint8Array(this.tables.length * size)
    for (const [kind, table] of this.tables.entries()) this.matrix.set(table, kind * size)
    return this
  }

  /** The rule that `state` accepts, or -1. */
  accepted(state: number): number {
    return this.kind[state] === ACCEPT ? (this.out[state] as number) : -1
  }

  /** All that the states reach without reading. */
  closure(states: readonly number[]): number[] {
    const reached = new Set<number>()
    /** Loops of a loose form may lead back without reading. */
    const split = new Set<number>()
    for (const state of states) {
      const stack = [state]
      for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
        if (at < 0 || reached.has(at) || split.has(at)) continue
        if (this.kind[at] === SPLIT) {
          split.add(at)
          stack.push(this.other[at] ?? -1, this.out[at] ?? -1)
        } else {
          reached.add(at)
        }
      }
    }
    return [...reached]
  }

  private follow(state: number): readonly number[] {
    const targets = this.closure([this.out[state] ?? -1])
    this.targets[state] = targets
    return targets
  }
}
