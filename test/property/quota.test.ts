import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEmbeddedStore } from '../../adapters/embedded/state-store.ts'
import { type Charge, reserveCharges } from '../support/reserve.ts'

/**
 * Random schedules against an exact log of everything charged. A window may count one sub-window more than the exact
 * one, never less: so what is granted fits the exact window, and what is refused does not fit one that is longer by a
 * sub-window.
 */
class SlidingLog {
  readonly #entries: { at: number; amount: number; id: string }[] = []

  charge(id: string, at: number, amount: number): void {
    this.#entries.push({ at, amount, id })
  }

  settle(id: string, amount: number): void {
    for (const entry of this.#entries) if (entry.id === id) entry.amount = amount
  }

  /** Everything in the closed interval of `windowMs` that ends at `now`. */
  within(windowMs: number, now: number): number {
    return this.#entries.reduce((sum, { at, amount }) => (at >= now - windowMs ? sum + amount : sum), 0)
  }

  /** As above, and what lies less than a sub-window before it. */
  withinStrictly(windowMs: number, now: number): number {
    return this.#entries.reduce((sum, { at, amount }) => (at > now - windowMs * (61 / 60) ? sum + amount : sum), 0)
  }
}

const limits = fc.array(
  fc.record({ limit: fc.integer({ min: 1, max: 60 }), windowMs: fc.integer({ min: 1, max: 4000 }) }),
  { minLength: 1, maxLength: 3 },
)
const percent = fc.integer({ min: 0, max: 100 })
/** One for each limit that there may be. */
const shares = fc.tuple(percent, percent, percent)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('reserve' as const), shares }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(20), factor: percent }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('retry' as const), shares }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.oneof(fc.nat(50), fc.nat(50), fc.nat(6000)) }),
  },
)

test('no schedule admits too much, refuses without need, or waits longer than it must', async () => {
  let reached = 0
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 1e13 }),
      limits,
      fc.array(step, { maxLength: 60, size: 'max' }),
      async (start, all, steps) => {
        let time = start
        const store = createEmbeddedStore({ now: () => time, monotonic: () => time })
        const logs = all.map(() => new SlidingLog())
        const open: { id: string; amounts: number[] }[] = []
        let lastId = 0

        const chargesOf = (shares: readonly number[]): Charge[] =>
          all.map(({ limit, windowMs }, index) => ({
            key: `limit-${index}`,
            limit,
            windowMs,
            amount: Math.round(((shares[index] ?? 0) / 100) * limit),
          }))

        async function reserve(charges: readonly Charge[]): Promise<number> {
          const id = `id-${++lastId}`
          const result = await reserveCharges(store, id, 'tenant', charges)
          const granted = result.outcome === 'granted'
          const overdrawn = all.map(({ limit, windowMs }, index) => {
            const amount = charges[index]?.amount ?? 0
            const log = logs[index] as SlidingLog
            if (granted) expect(log.within(windowMs, time) + amount).toBeLessThanOrEqual(limit)
            return log.withinStrictly(windowMs, time) + amount > limit
          })
          if (granted) {
            for (const [index, { amount }] of charges.entries()) logs[index]?.charge(id, time, amount)
            open.push({ id, amounts: charges.map(({ amount }) => amount) })
          } else {
            expect(overdrawn[result.limitedBy]).toBe(true)
          }
          checkLevels(result.levels)
          return granted ? 0 : result.retryAfterMs
        }

        function checkLevels(levels: readonly { remaining: number; resetMs: number }[]) {
          for (const [index, { limit, windowMs }] of all.entries()) {
            const { remaining, resetMs } = levels[index] ?? { remaining: -1, resetMs: -1 }
            expect(remaining).toBeLessThanOrEqual(Math.max(0, limit - (logs[index]?.within(windowMs, time) ?? 0)))
            expect(remaining).toBeGreaterThanOrEqual(
              Math.max(0, limit - (logs[index]?.withinStrictly(windowMs, time) ?? 0)),
            )
            expect(resetMs).toBeLessThanOrEqual(Math.ceil(windowMs * (61 / 60)))
            if (remaining < limit) expect(resetMs).toBeGreaterThan(0)
          }
        }

        for (const each of steps) {
          if (each.kind === 'pass') time += each.ms
          else if (each.kind === 'reserve') await reserve(chargesOf(each.shares))
          else if (each.kind === 'settle') await settle(each.which, each.factor)
          else await retry(chargesOf(each.shares))
        }

        async function settle(which: number, factor: number) {
          const [reservation] = open.splice(which % (open.length || 1), 1)
          if (reservation === undefined) return
          const amounts = reservation.amounts.map(amount => Math.round((amount * factor) / 50))
          await store.settle(reservation.id, 'tenant', amounts)
          await store.settle(reservation.id, 'tenant', [0, 0, 0])
          for (const [index, amount] of amounts.entries()) logs[index]?.settle(reservation.id, amount)
        }

        async function retry(charges: readonly Charge[]) {
          const wait = await reserve(charges)
          if (wait === 0) return
          reached++
          time += wait - 1
          expect(await reserve(charges)).toBe(1)
          time += 1
          expect(await reserve(charges)).toBe(0)
        }
      },
    ),
    { numRuns: 500 },
  )
  expect(reached).toBeGreaterThan(200)
}, 60_000)

test('any interleaving of many instances leaves the limit whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.record({ amount: fc.integer({ min: 1, max: 9 }), used: fc.integer({ min: 0, max: 9 }) }), {
        maxLength: 40,
      }),
      async (scheduler, requests) => {
        const limit = 30
        const store = createEmbeddedStore({ now: () => 1e12, monotonic: () => 1e12 })
        let inFlight = 0
        const serve = async (request: { amount: number; used: number }, index: number) => {
          const id = `request-${index}`
          const charge: Charge = { key: 'shared', limit, windowMs: 60_000, amount: request.amount }
          const { outcome } = await scheduler.schedule(reserveCharges(store, id, 'tenant', [charge]))
          if (outcome === 'refused') return
          inFlight += request.amount
          await scheduler.schedule(Promise.resolve())
          const used = Math.min(request.used, request.amount)
          await scheduler.schedule(store.settle(id, 'tenant', [used]))
          inFlight += used - request.amount
        }
        const serving = Promise.all(requests.map(serve))
        while (scheduler.count() > 0) {
          await scheduler.waitOne()
          expect(inFlight).toBeLessThanOrEqual(limit)
        }
        await serving
        const probe = await reserveCharges(store, 'probe', 'tenant', [
          { key: 'shared', limit, windowMs: 60_000, amount: 0 },
        ])
        expect(probe.levels[0]?.remaining).toBe(limit - inFlight)
      },
    ),
    { numRuns: 200 },
  )
})

test('memory follows use: principals and reservations that are over are forgotten', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const heap = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }

  let time = 1e12
  const store = createEmbeddedStore({ now: () => time, monotonic: () => time })
  const charge = { limit: 5, windowMs: 1000, amount: 1 }
  const before = heap()
  for (let id = 0; id < 60_000; id++) {
    time += 30
    await reserveCharges(store, `r${id}`, 'tenant', [{ key: `principal-${id}`, ...charge }])
    if (id % 2 === 0) await store.settle(`r${id}`, 'tenant', [1])
  }
  // 60,000 principals and reservations take 45 MB; those of the last half minute, a thousand, take less than one.
  expect(heap() - before).toBeLessThan(5e6)
  expect(await store.ready()).toBe(true)
})
