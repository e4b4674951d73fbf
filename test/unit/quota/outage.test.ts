import { beforeEach, describe, expect, test } from 'vitest'
import { createEmbeddedStore } from '../../../adapters/embedded/state-store.ts'
import { type Meter, type StateStore, StoreUnavailableError } from '../../../src/ports/state-store.ts'
import { withOutageModes } from '../../../src/quota/outage.ts'
import { sleep } from '../../support/wait.ts'

const denies: Meter = { key: 'denies', limit: 100, windowMs: 60_000 }
const local: Meter = { key: 'local', limit: 100, windowMs: 60_000, onOutage: 'local' }
const allows: Meter = { key: 'allows', limit: 100, windowMs: 60_000, onOutage: 'allow' }
const busy: Meter = { key: 'busy', limit: 8, windowMs: 15_000, lease: true, onOutage: 'local' }

let time: number
let away: boolean
let calls: number
let shared: StateStore
let store: StateStore
const events: string[] = []

beforeEach(() => {
  time = 1_790_000_000_000
  away = false
  calls = 0
  events.length = 0
  const clock = { now: () => time, monotonic: () => time }
  const real = createEmbeddedStore(clock)
  const orAway =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      calls++
      if (away) throw new StoreUnavailableError('Redis failed: ECONNREFUSED')
      return call(...args)
    }
  shared = real
  store = withOutageModes({
    store: {
      ...real,
      reserve: orAway(real.reserve),
      settle: orAway(real.settle),
      renew: orAway(real.renew),
      ready: async () => !away,
    },
    local: createEmbeddedStore(clock),
    instances: () => 4,
    tolerates: () => false,
    clock,
    telemetry: { log: (_level, event) => void events.push(event), count() {} },
  })
})

const ask = (id: string, meters: readonly Meter[], amount = 1) =>
  store.reserve(
    id,
    'team',
    meters,
    meters.map(({ lease }) => (lease ? 1 : amount)),
  )
const remaining = async (meter: Meter) =>
  (await shared.reserve(`look-${++time}`, 'team', [meter], [0])).levels[0]?.remaining

describe('while the store is away', () => {
  test('a request with any limit that denies is not admitted', async () => {
    away = true
    await expect(ask('a', [denies])).rejects.toThrow(StoreUnavailableError)
    await expect(ask('b', [local, denies, allows])).rejects.toThrow(StoreUnavailableError)
  })

  test('a local limit lets in this instance’s share, and says when there is room again', async () => {
    away = true
    expect(await ask('a', [local], 20)).toMatchObject({ outcome: 'granted', levels: [{ remaining: 5 }] })
    const refused = await ask('b', [allows, local], 10)
    expect(refused).toMatchObject({ outcome: 'refused', limitedBy: 1, levels: [{ remaining: 100 }, { remaining: 5 }] })
    time += refused.outcome === 'refused' ? refused.retryAfterMs : 0
    expect((await ask('c', [allows, local], 10)).outcome).toBe('granted')
  })

  test('a larger request than the share passes alone, a request at a time', async () => {
    away = true
    expect((await ask('a', [local], 90)).outcome).toBe('granted')
    expect((await ask('b', [local], 1)).outcome).toBe('refused')
    for (const id of ['c', 'd']) expect((await ask(id, [busy])).outcome).toBe('granted')
    expect((await ask('e', [busy])).outcome).toBe('refused')
    await store.settle('c', 'team', [0])
    expect((await ask('f', [busy])).outcome).toBe('granted')
  })

  test('a limit that allows does not count', async () => {
    away = true
    for (let id = 0; id < 50; id++) expect((await ask(`${id}`, [allows], 100)).outcome).toBe('granted')
  })

  test('it is left alone, and tried now and then', async () => {
    away = true
    for (let id = 0; id < 500; id++) await ask(`${id}`, [allows])
    expect(calls).toBeLessThan(10)
    time += 300
    for (let id = 0; id < 500; id++) await ask(`again-${id}`, [allows])
    expect(calls).toBeLessThan(12)
    expect(events).toEqual(['store_away'])
    away = false
    time += 300
    await ask('back', [allows])
    expect(events).toEqual(['store_away', 'store_back'])
  })
})

test('what was let in without the store is charged back, also beyond the limit', async () => {
  away = true
  await ask('a', [local, allows], 20)
  for (let id = 0; id < 5; id++) await ask(`more-${id}`, [allows], 100)
  await store.settle('a', 'team', [23, 17])
  for (let id = 0; id < 5; id++) await store.settle(`more-${id}`, 'team', [40])
  away = false
  time += 1000
  await ask('back', [denies])
  await sleep(20)
  expect(await remaining(local)).toBe(77)
  expect((await shared.reserve('next', 'team', [allows], [1])).outcome).toBe('refused')
})

test('what runs when the store is back is held there too, until its lease is over', async () => {
  away = true
  await ask('a', [busy])
  away = false
  time += 300
  await store.renew('a', 'team', [busy])
  expect(await remaining(busy)).toBe(7)
  await store.settle('a', 'team', [0])
  time += 15_001
  expect(await remaining(busy)).toBe(8)
})

test('readiness follows the store, unless every limit does without it', async () => {
  expect(await store.ready()).toBe(true)
  away = true
  expect(await store.ready()).toBe(false)
})

test('an error that is a bug passes and opens nothing', async () => {
  for (let id = 0; id < 20; id++)
    await expect(store.reserve(`${id}`, 'team', [local], [-1])).rejects.toThrow(RangeError)
  expect((await ask('a', [local])).outcome).toBe('granted')
})
