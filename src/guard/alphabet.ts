import { isAsciiInto } from './ascii.ts'
import { isFoldedCode } from './fold.ts'
import type { UnitSet } from './pattern.ts'
import { isLetter } from './preceding-text.ts'

// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/** The class that stands before the first character of a text. */
export const START_CLASS = 1

/** In place of a class: the unit is not its own folded form. */
const FOLDS = 0
const FIRST_CLASS = 2
/** Classes are bytes. */
const MAX_CLASSES = 256

/** Shorter strings are all flat, of four kinds: few enough for V8 to read them without a look-up. */
const SHORT = 13
/** From here on a text is worth a call into the runtime. */
const LONG = 48
/** Room for more classes is not kept. */
const MAX_ROOM = 1 << 20
const NO_ROOM: Uint8Array = new Uint8Array(0)

/** Divides the units into classes that no set of any rule tells apart. */
export class Alphabet {
  /** Class of each folded unit. */
  readonly classOf = new Uint8Array(0x10000)
  /** By class: 1 where letters are in it (`isLetter`). */
  readonly letters: Uint8Array
  /** The same as `classOf`, and `FOLDS`. */
  private readonly plainClassOf: Uint8Array
  /** Room for the classes of a text. */
  private room: Uint8Array = new Uint8Array(256)
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
    this.letters = new Uint8Array(this.size)
    this.plainClassOf = this.classOf.slice()
    for (let unit = 0; unit < 0x10000; unit++) {
      if (isLetter(unit)) this.letters[this.classOf[unit] as number] = 1
      if (!isFoldedCode(unit)) this.plainClassOf[unit] = FOLDS
    }
  }

  /** Room for the classes of so many units, to be given back by `giveBack`. */
  lend(size: number): Uint8Array {
    const { room } = this
    this.room = NO_ROOM
    return room.length >= size ? room : new Uint8Array(Math.max(256, 2 ** Math.ceil(Math.log2(size))))
  }

  giveBack(room: Uint8Array): void {
    if (room.length <= MAX_ROOM) this.room = room
  }

  /**
   * Reads the classes of a text. Everything behind this works on classes alone: a text is a string of one of a dozen kinds, of
   * which each character costs a look-up, and is read once.
   */
  read(text: string, classes: Uint8Array): void {
    if (text.length < LONG || !readAscii(text, classes, this.classOf)) readUnits(text, classes, this.classOf)
  }

  /** As above, of a text of which every unit is its own folded form; false where one is not. */
  readPlain(text: string, classes: Uint8Array): boolean {
    if (text.length >= LONG)
      return readAscii(text, classes, this.classOf) || readUnits(text, classes, this.plainClassOf)
    return text.length < SHORT
      ? readShort(text, classes, this.plainClassOf)
      : readUnits(text, classes, this.plainClassOf)
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

/** False where the text holds more than ASCII. */
function readAscii(text: string, classes: Uint8Array, classOf: Uint8Array): boolean {
  if (!isAsciiInto(text, classes)) return false
  for (let at = 0; at < text.length; at++) classes[at] = classOf[classes[at] as number] as number
  return true
}

function readShort(text: string, classes: Uint8Array, classOf: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) {
    const unitClass = classOf[text.charCodeAt(at)] as number
    if (unitClass === FOLDS) return false
    classes[at] = unitClass
  }
  return true
}

function readUnits(text: string, classes: Uint8Array, classOf: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) {
    const unitClass = classOf[charCodeAt.call(text, at)] as number
    if (unitClass === FOLDS) return false
    classes[at] = unitClass
  }
  return true
}
