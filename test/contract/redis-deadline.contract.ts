import assert from 'node:assert/strict'
import { createRedisStore } from '../../adapters/redis/state-store.ts'
import { type StateStore, StoreUnavailableError } from '../../src/ports/state-store.ts'
import { type Redis, startRedis } from '../support/redis.ts'
import { reserveCharges } from '../support/reserve.ts'
import { waitFor } from '../support/wait.ts'
import { type Check, sleep } from './check.ts'

const TIMEOUT_MS = 100
/** How much earlier or later a call may be given up. */
const TOLERANCE_MS = 50
/** Long past the deadline, but shorter than what ends a dead connection. */
const BUSY_MS = 300

/** What every runtime must do about Redis's deadline while its event loop is, or is not, free to read the answer. */
export function redisDeadlineChecks(): Check[] {
  let lastId = 0
  const reserve = (store: StateStore) =>
    reserveCharges(store, `request-${++lastId}`, 'tenant', [
      { key: 'limit', limit: 1_000, windowMs: 60_000, amount: 1 },
    ])

  const check = (name: string, run: (store: StateStore, server: Redis) => Promise<void>): Check => ({
    name,
    async run() {
      const server = await startRedis()
      const store = createRedisStore({ url: server.url, timeoutMs: TIMEOUT_MS })
      try {
        await waitFor('the store is ready', () => store.ready())
        await reserve(store)
        await run(store, server)
      } finally {
        await store.close()
        await server.stop()
      }
    },
  })

  return [
    check('an answer that came while the process was busy counts', async store => {
      const calls = Array.from({ length: 20 }, () => reserve(store))
      await turns(2)
      block(BUSY_MS)
      for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'granted')
    }),

    check('commands that could not leave because the process was busy are still in time', async store => {
      const calls = Array.from({ length: 20 }, () => reserve(store))
      block(BUSY_MS)
      for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'granted')
    }),

    check('a process that is busy again and again has every answer', async store => {
      const calls = []
      for (let turn = 0; turn < 12; turn++) {
        calls.push(reserve(store))
        block(70)
        await turns(1)
      }
      for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'granted')
    }),

    check('a frozen server is given up in time, also where the process is busy at first', async (store, server) => {
      server.pause()
      for (const busyMs of [0, 60]) {
        const late: number[] = []
        for (let round = 0; round < 5; round++) {
          const call = lateness(reserve(store))
          await turns(2)
          block(busyMs)
          late.push(await call)
        }
        assertInTime(late)
      }
    }),

    check('each of many is given up in its own time', async (store, server) => {
      server.pause()
      const late: Promise<number>[] = []
      for (let at = 0; at < 20; at++) {
        late.push(lateness(reserve(store)))
        await sleep(7)
      }
      assertInTime(await Promise.all(late))
    }),
  ]
}

/** How much later a call is given up than a timer of this process fires: on a busy machine both are late. */
async function lateness(call: Promise<unknown>): Promise<number> {
  let timerAt = Number.POSITIVE_INFINITY
  const timer = sleep(TIMEOUT_MS).then(() => {
    timerAt = performance.now()
  })
  await assert.rejects(call, StoreUnavailableError)
  const givenUpAt = performance.now()
  await timer
  return givenUpAt - timerAt
}

/** By the median: a busy machine may stop this process just between the timer and the call. */
function assertInTime(lateMs: readonly number[]): void {
  const median = lateMs.toSorted((a, b) => a - b)[lateMs.length >> 1] ?? Number.NaN
  assert.ok(Math.abs(median) < TOLERANCE_MS, `given up ${median} ms after their time`)
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
