/** A set of states that is filled and emptied often: members in the order in which they came, and a mark at each. */
export class StateSet {
  size = 0
  /** The same for equal sets, whatever the order of their members. */
  hash = 0
  readonly members: Int32Array
  private readonly marks: Int32Array
  private mark = 1

  /** @param states the states are numbers below this */
  constructor(states: number) {
    this.members = new Int32Array(states)
    this.marks = new Int32Array(states)
  }

  clear(): void {
    this.size = 0
    this.hash = 0
    this.mark++
    if (this.mark === 0x7fffffff) {
      this.mark = 1
      this.marks.fill(0)
    }
  }

  add(state: number): void {
    if (this.marks[state] === this.mark) return
    this.marks[state] = this.mark
    this.members[this.size++] = state
    this.hash = (this.hash + mixed(state)) | 0
  }

  has(state: number): boolean {
    return this.marks[state] === this.mark
  }
}

/** Bits of a number spread out (the finaliser of MurmurHash3, shortened): sums of these tell sets apart. */
export function mixed(value: number): number {
  const once = Math.imul(value ^ (value >>> 15) ^ 0x2c1b3c6d, 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return twice ^ (twice >>> 16)
}
