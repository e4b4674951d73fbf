import { describe, expect, it, vi } from 'vitest'
import { BUILT_IN_RULES } from '../../../src/guard/recognisers/index.ts'
import type { RuleDefinition } from '../../../src/guard/rule.ts'
import { compileRules, type RuleSet } from '../../../src/guard/rule-set.ts'
import { Scanner, scanText } from '../../../src/guard/scanner.ts'
import { HOSTILE_KINDS, hostileText } from '../../support/hostile-texts.ts'
import { naiveRedact } from '../../support/naive-redact.ts'

/** What a text costs, counted: the same on every machine. */
interface Work {
  /** Questions to rules (`begins`, `validate`). */
  questions: number
  /** Rows of the automata that had to be looked for or made. */
  rows: number
  /** Places of which the matches were decided. */
  places: number
}

function counted(): { readonly rules: RuleSet; readonly work: Work } {
  const work: Work = { questions: 0, rows: 0, places: 0 }
  const counting = (ask: (match: string, before: string) => boolean) => (match: string, before: string) => {
    work.questions++
    return ask(match, before)
  }
  const rules = BUILT_IN_RULES.map(
    (rule): RuleDefinition => ({
      ...rule,
      ...(rule.begins ? { begins: counting(rule.begins) } : {}),
      ...(rule.validate ? { validate: counting(rule.validate) } : {}),
    }),
  )
  const compiled = compileRules(rules)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  const { automaton, screen, checks } = compiled.ruleSet
  for (const rows of [automaton.rows, screen.rows]) {
    const rowOf = rows.rowOf.bind(rows)
    vi.spyOn(rows, 'rowOf').mockImplementation((...given) => {
      work.rows++
      return rowOf(...given)
    })
  }
  const at = checks.at.bind(checks)
  vi.spyOn(checks, 'at').mockImplementation((...given) => {
    work.places++
    at(...given)
  })
  return { rules: compiled.ruleSet, work }
}

function compiled(): RuleSet {
  const result = compileRules(BUILT_IN_RULES)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.ruleSet
}

describe.each(HOSTILE_KINDS)('%s', kind => {
  it('cost little for each character, whatever the length', () => {
    const size = 20_000
    const { rules, work } = counted()
    scanText(rules, hostileText(kind, size), () => 'X')
    const { questions, rows, places } = { ...work }
    expect(questions / size).toBeLessThan(2)
    expect(rows / size).toBeLessThan(1.5)
    expect(places / size).toBeLessThan(0.6)
    // Ten times as much, in pieces, of a text that is another one where it is by chance: no more for a character.
    const scanner = new Scanner(rules, () => 'X')
    const text = hostileText(kind, 10 * size, 2)
    for (let from = 0; from < text.length; from += 16) scanner.push(text.slice(from, from + 16))
    scanner.end()
    expect((work.questions - questions) / text.length).toBeLessThan(2)
    expect((work.rows - rows) / text.length).toBeLessThan(1.5)
    expect((work.places - places) / text.length).toBeLessThan(0.6)
  })

  it('are redacted like the reference does', () => {
    const rules = compiled()
    for (const seed of [1, 2, 3]) {
      const text = hostileText(kind, 150, seed)
      expect(scanText(rules, text, ({ rule }) => `[${rule.name}_REDACTED]`)).toBe(naiveRedact(text, BUILT_IN_RULES))
    }
  })
})
