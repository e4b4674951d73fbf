import { describe, expect, test } from 'vitest'
import { soak } from '../../bench/soak/run.ts'
import { judge, type Observed, STORE_IN_TIME } from '../../bench/soak/verdict.ts'
import type { Look } from '../../bench/soak/watch.ts'

/** Compiling goes on in the first minute; over fifteen, `npm run soak` allows 0.05. */
const TOLERANCE = 0.25

const look = (s: number, rss: number): Look => {
  return { s, rss, heap: 30, external: 1, descriptors: 40, resources: {}, gauges: {}, leases: 10, active: 10 }
}

/** A soak in which all is as it should be. */
const GOOD: Observed = {
  version: '24.0.0',
  looks: Array.from({ length: 30 }, (_, index) => look(index, 100 + (index % 3))),
  tallies: new Map([['streams', { requests: 100, failed: 0, storeLate: 0, faults: [] }]]),
  descriptors: { before: 20, most: 60, after: 21, kept: 0 },
  leases: { most: 10, after: 0 },
  gaugesLeft: {},
  audit: { bad: undefined, records: 200, open: 0, missing: [], answered: 100 },
  exitCode: 0,
}

/** One request failed, for want of the store or not. */
const failing = (storeLate: number) => new Map([['streams', { requests: 9, failed: 1, storeLate, faults: ['cut'] }]])

const missed = (change: Partial<Observed>) =>
  judge({ ...GOOD, ...change }, 0.05).flatMap(({ name, ok }) => (ok ? [] : [name]))

describe('what a soak is judged by', () => {
  test('all is well', () => expect(missed({})).toEqual([]))

  test.each<[string, Partial<Observed>]>([
    ['resident memory is flat', { looks: GOOD.looks.map(({ s }) => look(s, 100 + s)) }],
    ['resident memory is flat', { looks: [] }],
    ['descriptors are given back', { descriptors: { before: 20, most: 60, after: 30, kept: 0 } }],
    ['descriptors are given back', { descriptors: { before: 20, most: 200, after: 120, kept: 100 } }],
    ['no request failed that was not to', { tallies: failing(0) }],
    [STORE_IN_TIME, { tallies: failing(1) }],
    ['every lease is returned', { leases: { most: 10, after: 1 } }],
    ['every lease is returned', { leases: { most: 0, after: 0 } }],
    ['gauges are back where they were', { gaugesLeft: { 'sallyport_queue_depth{team="search"}': 1 } }],
    ['the audit log verifies', { audit: { ...GOOD.audit, bad: 'line 3: hash' } }],
    ['the audit log verifies', { audit: { ...GOOD.audit, open: 1 } }],
    ['every answered request is in the log', { audit: { ...GOOD.audit, missing: ['req_1'] } }],
    ['it stops in good order', { exitCode: 1 }],
  ])('a miss: %s', (name, change) => expect(missed(change)).toEqual([name]))

  test('a kind of request that was never made', () => {
    const tallies = new Map([...GOOD.tallies, ['staged: 500', { requests: 0, failed: 0, storeLate: 0, faults: [] }]])
    expect(missed({ tallies })).toEqual(['every kind of request was made'])
  })
})

test('a minute of everything that callers and model servers do leaves nothing behind', async () => {
  const observed = await soak({ runtime: 'node', streams: 24, seconds: 30, seed: 1 })
  const checks = judge(observed, TOLERANCE)
  const faults = [...observed.tallies.values()].flatMap(tally => tally.faults)
  console.log([...checks.map(({ name, detail }) => `${name}: ${detail}`), ...faults].join('\n'))
  expect(checks.filter(({ name, ok }) => !ok && name !== STORE_IN_TIME)).toEqual([])
}, 300_000)
