import type { RuleSet } from './rule-set.ts'
import { type Finding, Scanner } from './scanner.ts'

/** All matches in a whole text, from left to right, each with its whole extent, that of open-ended ones included. */
export function findAll(rules: RuleSet, text: string): Finding[] {
  const found: Finding[] = []
  const note = (finding: Finding) => {
    found.push(finding)
    return ''
  }
  const scanner = new Scanner(rules, note, ({ end }) => {
    const open = found.pop()
    if (open) found.push({ ...open, end })
  })
  scanner.whole(text)
  return found
}
