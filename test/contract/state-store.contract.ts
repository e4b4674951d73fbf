import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StateStore } from '../../src/ports/state-store.ts'
import { type Charge, reserveCharges } from '../support/reserve.ts'

/** A state as several instances of the gateway see it, and the time that it goes by. */
export interface StateUnderTest {
  readonly stores: readonly StateStore[]
  /** The store's own time in whole milliseconds. */
  now(): Promise<number>
  pass(ms: number): Promise<void>
  stop(): Promise<void>
}

/** What every state store must do. Windows are short, because some stores go by a time that nobody can advance. */
export function testStateStore(start: () => Promise<StateUnderTest>): void {
  let state: StateUnderTest
  let store: StateStore
  beforeAll(async () => {
    state = await start()
    store = state.stores[0] as StateStore
  })
  afterAll(() => state.stop())

  let lastId = 0
  const newId = () => `request-${++lastId}`
  const newKey = () => `limit-${++lastId}:tokens`
  const charge = (amount: number, rest: Partial<Charge> = {}): Charge => ({
    key: 'limit',
    limit: 10,
    windowMs: 60_000,
    amount,
    ...rest,
  })
  const remaining = async (key: string, rest: Partial<Charge> = {}) =>
    (await reserveCharges(store, newId(), 'tenant', [charge(0, { key, ...rest })])).levels[0]?.remaining

  describe('reserving', () => {
    test('grants what fits and says what is left', async () => {
      const key = newKey()
      const result = await reserveCharges(store, newId(), 'tenant', [charge(4, { key })])
      expect(result).toMatchObject({ outcome: 'granted', levels: [{ remaining: 6 }] })
      expect(result.levels[0]?.resetMs).toBeGreaterThan(60_000)
      expect(result.levels[0]?.resetMs).toBeLessThanOrEqual(61_001)
      expect(await remaining(key)).toBe(6)
    })

    test('says that an unused limit needs no reset', async () => {
      const result = await reserveCharges(store, newId(), 'tenant', [charge(0, { key: newKey() })])
      expect(result).toEqual({ outcome: 'granted', levels: [{ remaining: 10, resetMs: 0 }] })
    })

    test('takes all charges or none, and names the one that waits longest', async () => {
      const [free, minute, hour] = [newKey(), newKey(), newKey()]
      const charges = [
        charge(1, { key: free }),
        charge(7, { key: minute }),
        charge(7, { key: hour, windowMs: 3_600_000 }),
      ]
      expect(await reserveCharges(store, newId(), 'tenant', charges)).toMatchObject({ outcome: 'granted' })
      const refused = await reserveCharges(store, newId(), 'tenant', charges)
      expect(refused).toMatchObject({ outcome: 'refused', limitedBy: 2 })
      expect(refused.levels.map(level => level.remaining)).toEqual([9, 3, 3])
      expect([await remaining(free), await remaining(minute)]).toEqual([9, 3])
    })

    test('repeating a granted call charges once and says the same', async () => {
      const [id, key] = [newId(), newKey()]
      const repeats = state.stores.map(each => reserveCharges(each, id, 'tenant', [charge(4, { key })]))
      const results = await Promise.all(repeats)
      expect(new Set(results.map(result => JSON.stringify(result))).size).toBe(1)
      expect(await remaining(key)).toBe(6)
    })

    test('keeps tenants apart, and limits of the same name but another window', async () => {
      const key = newKey()
      await reserveCharges(store, newId(), 'tenant', [charge(10, { key })])
      const other = await reserveCharges(store, newId(), 'tenant-2', [charge(10, { key })])
      expect(other.outcome).toBe('granted')
      expect(await remaining(key, { windowMs: 120_000 })).toBe(10)
    })

    test('one list of meters serves many requests, of several tenants', async () => {
      const meters = [
        { key: newKey(), limit: 10, windowMs: 60_000 },
        { key: newKey(), limit: 100, windowMs: 3_600_000 },
      ]
      const left = async (tenant: string, amounts: readonly number[]) =>
        (await store.reserve(newId(), tenant, meters, amounts)).levels.map(({ remaining }) => remaining)
      expect(await left('tenant', [1, 20])).toEqual([9, 80])
      expect(await left('tenant-2', [2, 30])).toEqual([8, 70])
      expect(await left('tenant', [3, 40])).toEqual([6, 40])
      expect(await left('tenant-2', [4, 50])).toEqual([4, 20])
      await expect(left('tenant', [1])).rejects.toThrow(RangeError)
      await expect(left('tenant', [1, 1, 1])).rejects.toThrow(RangeError)
      await expect(left('}{', [1, 1])).rejects.toThrow(RangeError)
      expect(await left('tenant', [0, 0])).toEqual([6, 40])
    })

    test('rejects charges that are bugs', async () => {
      const twice = [charge(1), charge(1)]
      await expect(reserveCharges(store, newId(), 'tenant', twice)).rejects.toThrow(RangeError)
      await expect(reserveCharges(store, newId(), 'tenant', [charge(11)])).rejects.toThrow(RangeError)
      await expect(reserveCharges(store, newId(), 'tenant', [charge(0.5)])).rejects.toThrow(RangeError)
      await expect(reserveCharges(store, newId(), 'a}b{c', [charge(1)])).rejects.toThrow(RangeError)
      await expect(store.settle(newId(), 'tenant', [-1])).rejects.toThrow(RangeError)
    })
  })

  describe('settling', () => {
    test('gives back what was not used, once', async () => {
      const [id, key] = [newId(), newKey()]
      await reserveCharges(store, id, 'tenant', [charge(9, { key })])
      await Promise.all(state.stores.map(each => each.settle(id, 'tenant', [2])))
      await store.settle(id, 'tenant', [0])
      expect(await remaining(key)).toBe(8)
    })

    test('a repeated reservation after it still charges nothing', async () => {
      const [id, key] = [newId(), newKey()]
      await reserveCharges(store, id, 'tenant', [charge(9, { key })])
      await store.settle(id, 'tenant', [2])
      const again = await reserveCharges(store, id, 'tenant', [charge(9, { key })])
      expect(again).toMatchObject({ outcome: 'granted', levels: [{ remaining: 1 }] })
      expect(await remaining(key)).toBe(8)
    })

    test('charges more than was reserved: debt counts', async () => {
      const [id, key] = [newId(), newKey()]
      await reserveCharges(store, id, 'tenant', [charge(2, { key })])
      await store.settle(id, 'tenant', [25])
      const next = await reserveCharges(store, newId(), 'tenant', [charge(1, { key })])
      expect(next).toMatchObject({ outcome: 'refused', levels: [{ remaining: 0 }] })
    })

    test('an unknown reservation does nothing', async () => {
      await store.settle('never-seen', 'tenant', [5])
    })

    test('settles each of several charges, in their order', async () => {
      const [id, first, second] = [newId(), newKey(), newKey()]
      await reserveCharges(store, id, 'tenant', [charge(5, { key: first }), charge(5, { key: second })])
      await store.settle(id, 'tenant', [1, 7])
      expect([await remaining(first), await remaining(second)]).toEqual([9, 3])
    })

    test('counts in the sub-window of the reservation, and not at all when that is over', async () => {
      const [id, key, windowMs] = [newId(), newKey(), 300]
      await reserveCharges(store, id, 'tenant', [charge(5, { key, windowMs })])
      await state.pass(windowMs + windowMs / 60 + 2)
      await reserveCharges(store, newId(), 'tenant', [charge(1, { key, windowMs })])
      await store.settle(id, 'tenant', [10])
      expect(await remaining(key, { windowMs })).toBeGreaterThanOrEqual(9)
    })
  })

  describe('leases', () => {
    const leaseMs = 400
    const hold = (key: string, id = newId(), limit = 2) =>
      reserveCharges(store, id, 'tenant', [{ key, limit, windowMs: leaseMs, lease: true, amount: 1 }])
    const meters = (key: string) => [{ key, limit: 2, windowMs: leaseMs, lease: true } as const]

    test('are held until they are settled, by as many as the limit says', async () => {
      const [key, first, second] = [newKey(), newId(), newId()]
      expect(await hold(key, first)).toEqual({ outcome: 'granted', levels: [{ remaining: 1, resetMs: 0 }] })
      expect(await hold(key, second)).toMatchObject({ outcome: 'granted', levels: [{ remaining: 0 }] })
      expect(await hold(key)).toMatchObject({ outcome: 'refused', limitedBy: 0, retryAfterMs: 1000 })
      await store.settle(first, 'tenant', [0])
      await store.settle(first, 'tenant', [0])
      expect((await hold(key)).outcome).toBe('granted')
      expect((await hold(key)).outcome).toBe('refused')
    })

    test('a repeated call holds one, and a refused request none', async () => {
      const [key, window, id] = [newKey(), newKey(), newId()]
      const both = (idOf: string, amount: number) =>
        reserveCharges(store, idOf, 'tenant', [
          { key, limit: 2, windowMs: leaseMs, lease: true, amount: 1 },
          charge(amount, { key: window }),
        ])
      expect(await both(id, 10)).toMatchObject({ outcome: 'granted' })
      expect(await both(id, 10)).toMatchObject({ outcome: 'granted' })
      expect(await both(newId(), 1)).toMatchObject({ outcome: 'refused', limitedBy: 1, levels: [{ remaining: 1 }, {}] })
      expect(await hold(key)).toMatchObject({ outcome: 'granted', levels: [{ remaining: 0 }] })
    })

    test('end by themselves when they are not renewed, and not while they are', async () => {
      const [key, dead, alive] = [newKey(), newId(), newId()]
      await hold(key, dead)
      await hold(key, alive)
      for (let beat = 0; beat < 3; beat++) {
        await state.pass(leaseMs / 2)
        await state.stores.at(-1)?.renew(alive, 'tenant', meters(key))
      }
      expect(await hold(key)).toMatchObject({ outcome: 'granted', levels: [{ remaining: 0 }] })
      expect((await hold(key)).outcome).toBe('refused')
      await state.pass(leaseMs + 1)
      expect(await hold(key)).toMatchObject({ outcome: 'granted', levels: [{ remaining: 1 }] })
    })

    test('one that was lost is held again by renewing it, room or not', async () => {
      const key = newKey()
      await hold(key)
      await hold(key)
      const lost = newId()
      await store.renew(lost, 'tenant', meters(key))
      expect(await hold(key)).toMatchObject({ outcome: 'refused', levels: [{ remaining: 0 }] })
      expect(await hold(key, newId(), 4)).toMatchObject({ outcome: 'granted', levels: [{ remaining: 0 }] })
    })

    test('of 200 simultaneous requests as many get one as there are', async () => {
      const key = newKey()
      const results = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          reserveCharges(state.stores[index % state.stores.length] ?? store, newId(), 'tenant', [
            { key, limit: 7, windowMs: 60_000, lease: true, amount: 1 },
          ]),
        ),
      )
      expect(results.filter(({ outcome }) => outcome === 'granted')).toHaveLength(7)
    })

    test('are counted where somebody looks', async () => {
      const key = newKey()
      expect(await store.usage('tenant', meters(key))).toEqual([{ used: 0, resetMs: 0 }])
      await hold(key)
      expect(await store.usage('tenant', meters(key))).toEqual([{ used: 1, resetMs: 0 }])
      await state.pass(leaseMs + 1)
      expect(await store.usage('tenant', meters(key))).toEqual([{ used: 0, resetMs: 0 }])
    })

    test('a reservation holds one unit at most', async () => {
      const two = { key: newKey(), limit: 5, windowMs: leaseMs, lease: true, amount: 2 } as const
      await expect(reserveCharges(store, newId(), 'tenant', [two])).rejects.toThrow(RangeError)
    })
  })

  test('500 simultaneous requests of four instances never exceed a limit, nor leave room unused', async () => {
    const [narrow, wide] = [newKey(), newKey()]
    const results = await Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        reserveCharges(state.stores[index % state.stores.length] ?? store, newId(), 'tenant', [
          charge(1 + (index % 3), { key: wide, limit: 1_000_000 }),
          charge(1, { key: narrow, limit: 137 }),
        ]),
      ),
    )
    const granted = results.flatMap((result, index) => (result.outcome === 'granted' ? [1 + (index % 3)] : []))
    expect(granted).toHaveLength(137)
    const used = granted.reduce((sum, amount) => sum + amount, 0)
    expect(await remaining(wide, { limit: 1_000_000 })).toBe(1_000_000 - used)
  })

  test('retry-after is the first moment at which the request is admitted', async () => {
    const windowMs = 600
    const slow = newKey()
    const charges = (amount: number) => [
      charge(amount, { key: slow, windowMs }),
      charge(1, { key: `${slow}-2`, windowMs: 30_000 }),
    ]
    for (const amount of [4, 3, 2]) {
      await reserveCharges(store, newId(), 'tenant', charges(amount))
      await state.pass(23)
    }
    const before = await state.now()
    const refused = await reserveCharges(store, newId(), 'tenant', charges(8))
    const after = await state.now()
    if (refused.outcome !== 'refused') throw new Error('the limit was not reached')
    expect(refused.limitedBy).toBe(0)
    expect(refused.retryAfterMs).toBeLessThanOrEqual(windowMs + windowMs / 60)

    await state.pass(refused.retryAfterMs - 8)
    for (;;) {
      const start = await state.now()
      const attempt = await reserveCharges(store, newId(), 'tenant', charges(8))
      const end = await state.now()
      if (attempt.outcome === 'granted') {
        expect(end).toBeGreaterThanOrEqual(before + refused.retryAfterMs)
        break
      }
      expect(start).toBeLessThan(after + refused.retryAfterMs)
      await state.pass(1)
    }
  })

  test('windows slide: no interval of their length admits more, least of all around a boundary', async () => {
    const [key, windowMs, limit] = [newKey(), 240, 12]
    const granted: { from: number; to: number }[] = []
    const end = (await state.now()) + 4 * windowMs
    for (let from = await state.now(); from < end; from = await state.now()) {
      const { outcome } = await reserveCharges(store, newId(), 'tenant', [charge(1, { key, limit, windowMs })])
      if (outcome === 'granted') granted.push({ from, to: await state.now() })
      else await state.pass(1)
    }
    for (const { from } of granted) {
      const surelyWithin = granted.filter(other => other.from >= from && other.to <= from + windowMs)
      expect(surelyWithin.length).toBeLessThanOrEqual(limit)
    }
    expect(granted.length).toBeGreaterThanOrEqual(2 * limit)
  })

  describe('usage', () => {
    const usage = async (key: string, windowMs: number, { limit = 10, tenant = 'tenant' } = {}) =>
      (await store.usage(tenant, [{ key, limit, windowMs }]))[0]

    test('of what nobody charged is nothing, and looking leaves it so', async () => {
      const key = newKey()
      expect(await usage(key, 60_000)).toEqual({ used: 0, resetMs: 0 })
      expect(await store.usage('tenant', [])).toEqual([])
      expect(await remaining(key)).toBe(10)
    })

    test('is what was charged, of each meter by itself, as every instance sees it', async () => {
      const [one, two] = [newKey(), newKey()]
      const id = newId()
      await reserveCharges(store, id, 'tenant', [charge(4, { key: one }), charge(7, { key: two, windowMs: 3_600_000 })])
      const meters = [
        { key: two, limit: 10, windowMs: 3_600_000 },
        { key: one, limit: 10, windowMs: 60_000 },
      ]
      for (const each of state.stores) {
        const [second, first] = await each.usage('tenant', meters)
        expect([first?.used, second?.used]).toEqual([4, 7])
        expect(first?.resetMs).toBeGreaterThan(59_000)
        expect(first?.resetMs).toBeLessThanOrEqual(61_001)
      }
      expect(await usage(one, 60_000, { tenant: 'another' })).toMatchObject({ used: 0 })
      await store.settle(id, 'tenant', [13, 0])
      expect(await usage(one, 60_000)).toMatchObject({ used: 13 })
      expect(await usage(two, 3_600_000)).toMatchObject({ used: 0 })
    })

    test('falls as the window slides, without a charge in between', async () => {
      const [key, windowMs] = [newKey(), 600]
      await reserveCharges(store, newId(), 'tenant', [charge(2, { key, windowMs })])
      await state.pass(windowMs / 2)
      await reserveCharges(store, newId(), 'tenant', [charge(3, { key, windowMs })])
      expect(await usage(key, windowMs)).toMatchObject({ used: 5 })
      await state.pass(windowMs / 2 + windowMs / 60 + 1)
      expect(await usage(key, windowMs)).toMatchObject({ used: 3 })
      const { resetMs = 0 } = (await usage(key, windowMs)) ?? {}
      expect(resetMs).toBeGreaterThan(0)
      await state.pass(resetMs)
      expect(await usage(key, windowMs)).toEqual({ used: 0, resetMs: 0 })
      await state.pass(3 * windowMs)
      expect(await usage(key, windowMs)).toEqual({ used: 0, resetMs: 0 })
    })
  })

  test('is ready', async () => {
    expect(await Promise.all(state.stores.map(each => each.ready()))).not.toContain(false)
  })
}
