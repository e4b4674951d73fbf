import { describe, expect, it } from 'vitest'
import { BUILT_IN_RULES, LOCALES, OPTIONAL_RULES } from '../../../src/guard/recognisers/index.ts'
import { naiveFindings } from '../../support/naive-redact.ts'

/** The text without its marks, and the parts between them. */
function unmark(example: string): { text: string; marked: string[] } {
  return {
    text: example.replace(/[«»]/g, ''),
    marked: [...example.matchAll(/«([^»]*)»/g)].map(([, part]) => part ?? ''),
  }
}

const ALL_RULES = [...BUILT_IN_RULES, ...OPTIONAL_RULES]

describe.each(ALL_RULES.map(rule => [rule.name, rule] as const))('%s', (name, rule) => {
  it('has two examples and two counter-examples at least', () => {
    expect(rule.examples.length).toBeGreaterThanOrEqual(2)
    expect(rule.counterExamples.length).toBeGreaterThanOrEqual(2)
    for (const example of rule.examples) expect(unmark(example).marked.length, example).toBeGreaterThan(0)
  })

  it.each(rule.examples)('finds what is marked in %j, alone and among all rules', example => {
    const { text, marked } = unmark(example)
    for (const rules of [[rule], ALL_RULES]) {
      const own = naiveFindings(text, rules).filter(finding => finding.rule === name)
      expect(own.map(({ start, end }) => text.slice(start, end))).toEqual(marked)
    }
  })

  it.each(rule.counterExamples)('finds nothing in %j', example => {
    expect(naiveFindings(example, [rule])).toEqual([])
  })
})

describe('the built-in rules', () => {
  it('have unique upper-case names and stay in the pattern subset', () => {
    const names = BUILT_IN_RULES.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, pattern = '', tail, notBefore, validate } of BUILT_IN_RULES) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/)
      const outsideClasses = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
      expect(outsideClasses, name).not.toMatch(/[*+^$]|\{\d+,\}|\(\?[^:]/)
      if (tail !== undefined) expect({ notBefore, validate }).toEqual({ notBefore: undefined, validate: undefined })
    }
  })
})

describe('the packs', () => {
  it('have lower-case names, and each at least one rule', () => {
    for (const locale of LOCALES) {
      expect(locale).toMatch(/^[a-z]{2}$/)
      expect(BUILT_IN_RULES.some(rule => rule.locale === locale)).toBe(true)
    }
    expect(new Set(LOCALES).size).toBe(LOCALES.length)
  })

  it('leave out what is off unless switched on', () => {
    expect(OPTIONAL_RULES.map(({ name }) => name)).toContain('EMAIL_SPELLED')
    for (const { name } of OPTIONAL_RULES) expect(BUILT_IN_RULES.map(rule => rule.name)).not.toContain(name)
  })
})
