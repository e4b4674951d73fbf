import { foldCode, isIgnorable } from './fold.ts'
import type { UnitSet } from './pattern.ts'

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
    const starts = [...edges].sort((one, other) => one - other)
    const membership = sets.map(set => ({ set, at: 0 }))
    const classes = new Map<string, number>()
    const representatives: number[] = []
    this.foldedClass = new Uint8Array(0x10000)
    for (const [index, start] of starts.entries()) {
      let signature = ''
      for (const cursor of membership) {
        while ((cursor.set[cursor.at]?.[1] ?? 0x10000) < start) cursor.at++
        signature += (cursor.set[cursor.at]?.[0] ?? 0x10000) <= start ? '1' : '0'
      }
      const known = classes.get(signature) ?? classes.size + FIRST_CLASS
      classes.set(signature, known)
      representatives[known] ??= start
      this.foldedClass.fill(known, start, starts[index + 1] ?? 0x10000)
    }
    this.size = classes.size + FIRST_CLASS
    this.representatives = representatives
    this.classOf = new Uint8Array(0x10000)
    for (let unit = 0; unit < 0x10000; unit++) {
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
    for (let unitClass = FIRST_CLASS; unitClass < this.size; unitClass++) {
      const unit = this.representatives[unitClass] ?? 0
      if (set.some(([first, last]) => first <= unit && unit <= last)) table[unitClass] = 1
    }
    return table
  }
}
