/** More digits than this are more than any limit. */
const QUANTIFIER = /^\{(\d{1,9})(?:,(\d{0,9}))?\}/

/**
 * How many positions a regular expression unrolls to when its repetitions are written out, as grammar engines do: 30 for
 * `(a{5}b{5}){3}`. An estimate on the safe side; never recurses, and is linear in the pattern.
 */
export function patternCost(pattern: string): number {
  /** What each open group has come to. */
  const open = [0]
  /** What the last atom has come to: what a quantifier behind it repeats. */
  let last = 0
  const add = (cost: number) => {
    last = cost
    open[open.length - 1] = (open.at(-1) ?? 0) + cost
  }
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]
    if (char === '\\') {
      at++
      add(1)
    } else if (char === '[') {
      at = classEnd(pattern, at)
      add(1)
    } else if (char === '(') {
      open.push(0)
    } else if (char === ')' && open.length > 1) {
      add(Math.max(1, open.pop() ?? 0))
    } else if (char === '{') {
      const [text, least = '', most] = QUANTIFIER.exec(pattern.slice(at, at + 24)) ?? []
      if (text === undefined) {
        // Not a quantifier, unless of more digits than are read.
        add(/^\{\d{10}/.test(pattern.slice(at, at + 24)) ? Number.POSITIVE_INFINITY : 1)
        continue
      }
      at += text.length - 1
      const times = Math.max(1, Number(most === undefined || most === '' ? least : most))
      const before = last
      add(before * (times - 1))
      last = before * times
    } else if (char !== '*' && char !== '+' && char !== '?' && char !== '|') {
      add(1)
    }
  }
  return open.reduce((sum, cost) => sum + cost, 0)
}

/** Where the `]` of a class stands, or the pattern's end. */
function classEnd(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === ']' && at > start + 1) return at
  }
  return pattern.length
}
