import { expect, test } from 'vitest'
import { parseLimit, parseLimits } from '../../../src/auth/claimed-limits.ts'

test('a token’s own limits are read by quota and what it counts', () => {
  const limits = { 'key-rate': { requests: 60, concurrent: 2 }, day: { tokens: 1_000_000 } }
  expect(parseLimits(limits)).toEqual(limits)
  expect(parseLimits({})).toEqual({})
})

test.each([
  ['key-rate.requests=60', { 'key-rate': { requests: 60 } }],
  ['team.day.outputTokens=1000', { 'team.day': { outputTokens: 1000 } }],
  ['key-rate=60', undefined],
  ['key-rate.calls=60', undefined],
  ['key-rate.requests=0', undefined],
  ['key-rate.requests=1e3', undefined],
  ['.requests=1', undefined],
])('the text %s', (text, limits) => {
  expect(parseLimit(text)).toEqual(limits)
})
