import type { RuleSet } from './rule-set.ts'
import { type Finding, type Replace, Scanner } from './scanner.ts'
import { type Steps, slicesOf } from './turns.ts'

/** All matches in a whole text, from left to right, each with its whole extent, that of open-ended ones included. */
export function findAll(rules: RuleSet, text: string): Finding[] {
  const { scanner, found } = finder(rules)
  scanner.whole(text)
  return found
}

/** As `findAll`, in steps: yields between slices of the text. */
export function* findAllInSteps(rules: RuleSet, text: string): Steps<Finding[]> {
  const { scanner, found } = finder(rules)
  for (const slice of slicesOf(text)) {
    scanner.push(slice)
    yield
  }
  scanner.end()
  return found
}

function finder(rules: RuleSet): { readonly scanner: Scanner; readonly found: Finding[] } {
  const found: Finding[] = []
  const note = (finding: Finding) => {
    found.push(finding)
    return ''
  }
  const scanner = new Scanner(rules, note, ({ end }) => {
    const open = found.pop()
    if (open) found.push({ ...open, end })
  })
  return { scanner, found }
}

/** The text with its matches replaced. Unlike a scanner, it tells `replace` the whole of an open-ended match. */
export function replaceAll(text: string, found: readonly Finding[], replace: Replace): string {
  let replaced = ''
  let done = 0
  for (const finding of found) {
    const { start, end } = finding
    replaced += text.slice(done, start) + replace(finding, text.slice(start, end))
    done = end
  }
  return replaced + text.slice(done)
}
