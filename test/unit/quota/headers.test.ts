import { describe, expect, test } from 'vitest'
import { formatDuration, quotaHeaders, retryHeaders } from '../../../src/quota/headers.ts'
import type { QuotaPlan } from '../../../src/quota/plan.ts'

describe('quota headers', () => {
  const plan: QuotaPlan = {
    tenant: 'team:search',
    charges: [
      { kind: 'tokens', limit: { name: 'minute', per: [] } },
      { kind: 'tokens', limit: { name: 'day', per: [] } },
      { kind: 'requests', limit: { name: 'rate', per: [] } },
    ],
    leases: undefined,
    inputLimit: undefined,
    meters: [
      { key: 'minute', limit: 1000, windowMs: 60_000 },
      { key: 'day', limit: 50_000, windowMs: 86_400_000 },
      { key: 'rate', limit: 30, windowMs: 60_000 },
    ],
    amounts: [1, 1, 1],
  }

  test('the limit with the least left speaks for its kind', () => {
    const levels = [
      { remaining: 700, resetMs: 61_000 },
      { remaining: 12, resetMs: 86_400_000 },
      { remaining: 29, resetMs: 20 },
    ]
    expect(quotaHeaders(plan, { outcome: 'granted', levels })).toEqual({
      'x-ratelimit-limit-tokens': '50000',
      'x-ratelimit-remaining-tokens': '12',
      'x-ratelimit-reset-tokens': '24h0m0s',
      'x-ratelimit-limit-requests': '30',
      'x-ratelimit-remaining-requests': '29',
      'x-ratelimit-reset-requests': '20ms',
    })
  })

  test('of two with as much left, the one that is full later', () => {
    const levels = [
      { remaining: 0, resetMs: 1000 },
      { remaining: 0, resetMs: 2000 },
      { remaining: 1, resetMs: 0 },
    ]
    const headers = quotaHeaders(plan, { outcome: 'refused', limitedBy: 0, retryAfterMs: 1, levels })
    expect(headers['x-ratelimit-limit-tokens']).toBe('50000')
  })

  test('kinds without a limit have no headers', () => {
    const none = { tenant: 'all', charges: [], leases: undefined, inputLimit: undefined, meters: [], amounts: [] }
    expect(quotaHeaders(none, { outcome: 'granted', levels: [] })).toEqual({})
  })

  test('retry-after is never too early', () => {
    expect(retryHeaders(1)).toEqual({ 'retry-after': '1', 'retry-after-ms': '1' })
    expect(retryHeaders(2000)).toEqual({ 'retry-after': '2', 'retry-after-ms': '2000' })
    expect(retryHeaders(2000.2)).toEqual({ 'retry-after': '3', 'retry-after-ms': '2001' })
  })

  test.each([
    [0, '0ms'],
    [20, '20ms'],
    [999.5, '1s'],
    [1000, '1s'],
    [7660, '7.66s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [3_600_000, '1h0m0s'],
    [90_061_001, '25h1m1.001s'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})
