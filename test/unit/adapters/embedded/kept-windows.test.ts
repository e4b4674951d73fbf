import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Database } from '../../../../adapters/embedded/database.ts'
import { lockInstance } from '../../../../adapters/embedded/instance-lock.ts'
import { KeptWindows } from '../../../../adapters/embedded/kept-windows.ts'
import { createEmbeddedStore } from '../../../../adapters/embedded/state-store.ts'
import { StoreUnavailableError } from '../../../../src/ports/state-store.ts'
import type { Telemetry } from '../../../../src/ports/telemetry.ts'
import { reserveCharges } from '../../../support/reserve.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { sleep, waitFor } from '../../../support/wait.ts'

const DAY_MS = 86_400_000
const day = (amount: number, key = 'day') => ({ key, limit: 100, windowMs: DAY_MS, amount })

/** One process after another on the same file, each with a clock that starts anew. */
function instances(path = join(tempDir(), 'state', 'sallyport.db')) {
  let time = 1_790_000_000_123
  return {
    path,
    pass: (ms: number) => void (time += ms),
    start(telemetry?: Telemetry) {
      const startedAt = time
      const clock = { now: () => time, monotonic: () => time - startedAt }
      const database = new Database(path)
      const store = createEmbeddedStore(clock, new KeptWindows(database, clock, telemetry))
      return {
        database,
        store,
        take: (id: string, amount: number, key?: string) => reserveCharges(store, id, 'all', [day(amount, key)]),
        left: async (key?: string) =>
          (await reserveCharges(store, crypto.randomUUID(), 'all', [day(0, key)])).levels[0]?.remaining,
        async stop() {
          await store.close()
          database.close()
        },
      }
    },
  }
}

const rows = (database: Database) => Number(database.all('SELECT count(*) AS n FROM quota_window')[0]?.['n'])

test('a day window outlives the process, with each charge in the sub-window that it was made in', async () => {
  const { start, pass } = instances()
  const first = start()
  await first.take('one', 40)
  pass(DAY_MS / 4)
  await first.take('two', 60)
  await first.store.settle('two', 'all', [50])
  await first.stop()

  pass(60_000)
  const second = start()
  expect(await second.left()).toBe(10)
  const refused = await second.take('three', 20)
  expect(refused).toMatchObject({ outcome: 'refused', limitedBy: 0 })
  if (refused.outcome !== 'refused') return
  // The first charge has to leave; waiting as long as was said works, a millisecond less does not.
  pass(refused.retryAfterMs - 1)
  expect(await second.take('three', 20)).toMatchObject({ outcome: 'refused' })
  await second.stop()
  const third = start()
  pass(1)
  expect(await third.take('three', 20)).toMatchObject({ outcome: 'granted' })
  expect(await third.left()).toBe(30)
  await third.stop()
})

test('what is over is forgotten, and short windows and leases are not kept', async () => {
  const { start, pass } = instances()
  const first = start()
  await first.take('one', 40)
  await reserveCharges(first.store, 'two', 'all', [
    { key: 'short', limit: 10, windowMs: 5_000, amount: 1 },
    { key: 'held', limit: 10, windowMs: 15_000, lease: true, amount: 1 },
  ])
  await first.stop()
  const second = start()
  expect(rows(second.database)).toBe(1)
  await second.stop()
  pass(DAY_MS + DAY_MS / 60 + 1)
  const third = start()
  expect(rows(third.database)).toBe(0)
  expect(await third.left()).toBe(100)
  await third.stop()
})

test('changes are written within about a second, many in portions', async () => {
  const { start } = instances()
  const running = start()
  await Promise.all(Array.from({ length: 1_200 }, (_, at) => running.take(`r${at}`, 7, `day-${at}`)))
  await waitFor('all are written', () => rows(running.database) === 1_200, 3_000)
  // Another process reads what one that was killed has left: it never came to `close`.
  const other = start()
  expect(await other.left('day-1199')).toBe(93)
  other.database.close()
  await running.stop()
})

test('a disk that fails fails no request; once it works again, all of it is written', async () => {
  const seen: string[] = []
  const telemetry = {
    log: (_: string, event: string) => void seen.push(event),
    count: (metric: string, labels = {}) => void seen.push(`${metric} ${JSON.stringify(labels)}`),
  }
  const { start, path } = instances()
  const running = start(telemetry)
  const { database } = running
  const write = database.quickTransaction.bind(database)
  database.quickTransaction = () => {
    throw new StoreUnavailableError(`${path}: database or disk is full`)
  }
  expect(await running.take('one', 40)).toMatchObject({ outcome: 'granted' })
  await waitFor('it has failed twice', () => seen.filter(each => each.startsWith('sallyport_')).length >= 2, 4_000)
  expect(await running.take('two', 30)).toMatchObject({ outcome: 'granted' })
  database.quickTransaction = write
  await waitFor('it is written', () => rows(database) === 1, 3_000)
  await sleep(10)
  expect(seen.filter(each => each === 'quota_windows_not_kept')).toHaveLength(1)
  expect(seen).toContain('sallyport_store_failures_total {"operation":"keep"}')
  expect(seen.at(-1)).toBe('quota_windows_kept_again')
  await running.stop()
  const again = start()
  expect(await again.left()).toBe(30)
  await again.stop()
})

test('one instance at a time counts quotas in a file', () => {
  const { path, start } = instances()
  start().database.close()
  const unlock = lockInstance(path)
  expect(statSync(`${path}-instance`).mode & 0o777).toBe(0o600)
  expect(() => lockInstance(path)).toThrow(/sallyport\.db is in use by another gateway: .* need Redis/)
  unlock()
  lockInstance(path)()
})
