import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { references } from '../../deploy/generate-docs.ts'
import { CATALOGUE } from '../../src/errors/catalogue.ts'
import { BUILT_IN_RULES, OPTIONAL_RULES } from '../../src/guard/recognisers/index.ts'
import { METRICS } from '../../src/metrics/table.ts'

const pages = references()

test.each([...pages.keys()])('docs/%s is that of this code: `npm run docs` makes it', path => {
  expect(readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8')).toBe(pages.get(path))
})

test('every rule, every error code and every metric has a row, and no row breaks the table', () => {
  const names = (path: string, columns: number) =>
    (pages.get(path) ?? '')
      .split('\n')
      .filter(line => line.startsWith('| `'))
      .map(line => {
        expect(line.replaceAll('\\|', '').split('|')).toHaveLength(columns + 2)
        return line.slice(3, line.indexOf('`', 3))
      })
  const rules = [...BUILT_IN_RULES, ...OPTIONAL_RULES].map(({ name }) => name)
  expect(names('reference/rules.md', 5).sort()).toEqual(rules.sort())
  expect(names('reference/metrics.md', 4).sort()).toEqual(Object.keys(METRICS).sort())
  expect(names('reference/errors.md', 5).sort()).toEqual(Object.keys(CATALOGUE).sort())
})

test('no key is shown whole, unless it is a prefix that the description names', () => {
  const page = pages.get('reference/rules.md')
  for (const { group, description, examples } of BUILT_IN_RULES) {
    const key = /«([^»]*)»/.exec(examples[0] ?? '')?.[1] ?? ''
    if (group === 'secrets' && key.length > 20 && !description.includes(key)) expect(page).not.toContain(key)
  }
})
