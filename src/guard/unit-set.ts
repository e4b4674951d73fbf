/** A set of UTF-16 units as sorted, disjoint, non-adjacent inclusive ranges. */
export type UnitSet = readonly (readonly [first: number, last: number])[]

const LAST_UNIT = 0xffff
export const DIGITS: UnitSet = [[0x30, 0x39]]
export const WORD: UnitSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
export const SPACES: UnitSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0x2028, 0x2029],
  [0xfeff, 0xfeff],
]
export const LINE_ENDS: UnitSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]

const CASES = [
  [0x41, 32],
  [0x61, -32],
] as const

/** The same units in the form of a set. */
export function normalise(ranges: readonly (readonly [number, number])[]): UnitSet {
  const sorted = [...ranges].sort((one, other) => one[0] - other[0])
  const merged: [number, number][] = []
  for (const [first, last] of sorted) {
    const previous = merged.at(-1)
    if (previous && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last)
    else merged.push([first, last])
  }
  return merged
}

/** All units that are not in the set. */
export function complement(set: UnitSet): UnitSet {
  const result: [number, number][] = []
  let from = 0
  for (const [first, last] of set) {
    if (first > from) result.push([from, first - 1])
    from = last + 1
  }
  if (from <= LAST_UNIT) result.push([from, LAST_UNIT])
  return result
}

/** With the other case of every ASCII letter. */
export function inBothCases(set: UnitSet): UnitSet {
  const ranges: [number, number][] = []
  for (const [first, last] of set) {
    ranges.push([first, last])
    for (const [base, shift] of CASES) {
      const low = Math.max(first, base)
      const high = Math.min(last, base + 25)
      if (low <= high) ranges.push([low + shift, high + shift])
    }
  }
  return normalise(ranges)
}
