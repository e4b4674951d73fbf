import type { RuleSet } from './rule-set.ts'
import { type Finding, type Replace, Scanner } from './scanner.ts'

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
