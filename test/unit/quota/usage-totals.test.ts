import { expect, test } from 'vitest'
import { UsageTotals } from '../../../src/quota/usage-totals.ts'

const caller = (team: string) => ({ team, app: 'a', env: 'e' })

test('what callers used is added up by team, application, environment and model', () => {
  const totals = new UsageTotals(5, 10)
  const blue = caller('blue')
  totals.add(blue, 'm', false, 10, 2)
  totals.add(blue, 'm', true)
  // Another token of the same.
  totals.add(caller('blue'), 'm', false, 1, 1)
  totals.add(blue, 'n', false, 7)
  totals.add(caller('red'), 'm', false, 3, 4)
  expect(totals.sinceMs).toBe(5)
  expect(totals.rows()).toEqual([
    { ...blue, model: 'm', requests: 3, refused: 1, inputTokens: 11, outputTokens: 3 },
    { ...blue, model: 'n', requests: 1, refused: 0, inputTokens: 7, outputTokens: 0 },
    { ...caller('red'), model: 'm', requests: 1, refused: 0, inputTokens: 3, outputTokens: 4 },
  ])
})

test('names that look alike when joined are two', () => {
  const totals = new UsageTotals(0, 10)
  totals.add({ team: 'a.b', app: 'c', env: 'e' }, 'm', false, 1)
  totals.add({ team: 'a', app: 'b.c', env: 'e' }, 'm', false, 1)
  expect(totals.rows()).toHaveLength(2)
})

test('once the rows are used up, new callers are added up together, and known ones go on', () => {
  const totals = new UsageTotals(0, 1)
  const first = caller('first')
  totals.add(first, 'm', false, 1, 1)
  for (let index = 0; index < 100; index++) totals.add(caller(`team-${index}`), 'm', false, 2, 3)
  totals.add(first, 'm', false, 1, 1)
  expect(totals.rows()).toEqual([{ ...first, model: 'm', requests: 2, refused: 0, inputTokens: 2, outputTokens: 2 }])
  expect(totals.others).toEqual({ requests: 100, refused: 0, inputTokens: 200, outputTokens: 300 })
})
