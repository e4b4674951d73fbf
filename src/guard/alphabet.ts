import { foldCode, foldsBeyondItself } from './fold.ts'
import type { UnitSet } from './pattern.ts'

/** Among the classes of raw units: what the unit is, its neighbours decide (`foldsBeyondItself`). */
export const OPEN_CLASS = 0
/** The class that stands before the first character of a text. */
export const START_CLASS = 1

const FIRST_CLASS = 2
/** Classes are bytes. */
const MAX_CLASSES = 256

/** Divides the units into classes that no set of any rule tells apart. */
export class Alphabet {
  /** Class of each folded unit. */
  readonly classOf = new Uint8Array(0x10000)
  /** Class of each raw unit, `OPEN_CLASS` where that takes more than the unit. */
  readonly rawClassOf: Uint8Array
  readonly size: number
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
    for (const [index, start] of starts.entries()) {
      const unitClass = classes[index] ?? 0
      representatives[unitClass] ??= start
      this.classOf.fill(unitClass, start, starts[index + 1] ?? 0x10000)
    }
    this.size = Math.max(FIRST_CLASS, representatives.length)
    this.representatives = representatives
    this.rawClassOf = this.classOf.map((unitClass, unit) => {
      if (foldsBeyondItself(unit)) return OPEN_CLASS
      const folded = foldCode(unit)
      return folded === unit ? unitClass : (this.classOf[folded] ?? 0)
    })
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
