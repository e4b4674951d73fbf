import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRedisStore } from '../../adapters/redis/state-store.ts'
import { type StateStore, StoreUnavailableError } from '../../src/ports/state-store.ts'
import type { Fields } from '../../src/ports/telemetry.ts'
import { freePort } from '../support/ports.ts'
import { type Redis as RedisServer, startRedis } from '../support/redis.ts'
import { startCluster } from '../support/redis-sets.ts'
import { type Charge, reserveCharges } from '../support/reserve.ts'
import { sleep, waitFor, within } from '../support/wait.ts'

/** The default time-out, and how much later a decision may come. */
const TIMEOUT_MS = 100
const TOLERANCE_MS = 50

describe('Redis state store in trouble', () => {
  let server: RedisServer
  let observer: Redis
  /** Has the default time-out; the other one waits for as long as a busy machine may need. */
  let impatient: StateStore
  let store: StateStore
  const log: string[] = []
  const telemetry = {
    log: (level: string, event: string, fields?: Fields) => void log.push(JSON.stringify({ level, event, ...fields })),
    count: () => undefined,
  }
  const charge = (amount: number, key = 'limit'): Charge => ({ key, limit: 10, windowMs: 60_000, amount })
  let lastId = 0
  const reserve = (amount: number, key?: string) =>
    reserveCharges(store, `request-${++lastId}`, 'tenant', [charge(amount, key)])
  const reserveNow = (amount: number) => reserveCharges(impatient, `request-${++lastId}`, 'tenant', [charge(amount)])
  const remaining = async (key?: string) => (await reserve(0, key)).levels[0]?.remaining
  const untilReady = () => waitFor('the stores answer', async () => (await store.ready()) && (await impatient.ready()))

  beforeEach(async () => {
    log.length = 0
    server = await startRedis()
    observer = new Redis(server.url, { retryStrategy: () => 20 })
    observer.on('error', () => undefined)
    impatient = createRedisStore({ url: server.url, telemetry })
    store = createRedisStore({ url: server.url, timeoutMs: 2000 })
    await untilReady()
  })
  afterEach(async () => {
    await Promise.all([store.close(), impatient.close()])
    observer.disconnect()
    await server.stop()
  })

  /** In time: by the same clock as any timer of this process, which on a busy machine is late as well. */
  async function inTime<T>(decision: Promise<T>): Promise<T> {
    let deadlineAt = Number.POSITIVE_INFINITY
    const deadline = sleep(TIMEOUT_MS).then(() => {
      deadlineAt = performance.now()
    })
    const [result] = await Promise.allSettled([decision])
    const lateMs = performance.now() - deadlineAt
    expect(lateMs).toBeLessThan(TOLERANCE_MS)
    await deadline
    if (result.status === 'rejected') throw result.reason
    return result.value
  }

  async function expectUnavailable(decision: Promise<unknown>) {
    await expect(inTime(decision)).rejects.toBeInstanceOf(StoreUnavailableError)
  }

  test('a stopped server: every decision fails at once, and works again when it is back', async () => {
    await server.stop()
    for (let attempt = 0; attempt < 5; attempt++) {
      await expectUnavailable(reserveNow(1))
      await expectUnavailable(impatient.settle('request-1', 'tenant', [1]))
      await sleep(60)
    }
    expect(await impatient.ready()).toBe(false)
    server = await startRedis({ port: server.port })
    const start = performance.now()
    await untilReady()
    expect(performance.now() - start).toBeLessThan(3000)
    expect(await reserve(4)).toMatchObject({ outcome: 'granted' })
  })

  test('a frozen server: decisions end in time, and those given up take nothing', async () => {
    await reserve(1)
    server.pause()
    await expectUnavailable(reserveNow(3))
    const many = Array.from({ length: 200 }, () => reserveNow(5).catch((error: unknown) => error))
    const outcomes = await inTime(Promise.all(many))
    expect(outcomes.filter(outcome => outcome instanceof StoreUnavailableError)).toHaveLength(200)
    expect(await inTime(impatient.ready())).toBe(false)
    server.resume()
    await untilReady()
    expect(await remaining()).toBe(9)
  })

  test('a frozen server is left for a new connection after two seconds', async () => {
    server.pause()
    await expectUnavailable(reserveNow(1))
    await waitFor('the connection is given up', () => log.some(line => line.includes('redis_disconnected')), 5000)
    server.resume()
    await untilReady()
  })

  test('connections that break in the middle of many requests', async () => {
    const results = Array.from({ length: 300 }, () => reserve(1).then(({ outcome }) => outcome, String))
    await observer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    const outcomes = await within('all decided', 5000, Promise.all(results))
    expect(outcomes.filter(outcome => outcome === 'granted').length).toBeLessThanOrEqual(10)
    await untilReady()
    await within('works again', 5000, reserve(0))
  })

  test('scripts that the server has forgotten are sent again', async () => {
    await reserve(4)
    await observer.script('FLUSH')
    const results = await Promise.all(Array.from({ length: 50 }, () => reserve(1)))
    expect(results.filter(({ outcome }) => outcome === 'granted')).toHaveLength(6)
    await observer.script('FLUSH')
    await store.settle('request-2', 'tenant', [0])
  })

  test('a server without memory refuses, and the refusal says no more than that', async () => {
    await observer.config('SET', 'maxmemory', '1')
    await expect(reserve(1)).rejects.toThrow(/^Redis failed: OOM$/)
  })

  test('one that fails keeps none of those that went with it', async () => {
    await observer.set('sallyport:2:{tenant}:window:60000:broken', 'no window')
    const keys = ['limit', 'broken', 'other']
    const results = await Promise.all(keys.map(key => reserve(4, key).then(({ outcome }) => outcome, String)))
    expect(results).toEqual(['granted', 'StoreUnavailableError: Redis failed: ERR', 'granted'])
    await observer.set(`sallyport:2:{tenant}:reservation:request-${lastId - 1}`, 'no record')
    const settled = keys.map((_, at) => store.settle(`request-${lastId - 2 + at}`, 'tenant', [1]).then(() => 1, String))
    expect(await Promise.all(settled)).toEqual([1, expect.stringContaining('StoreUnavailableError'), 1])
    expect([await remaining(), await remaining('other')]).toEqual([9, 9])
  })

  test('a turn of the event loop with more than one call takes, of several tenants', async () => {
    const results = await Promise.all(
      Array.from({ length: 90 }, (_, at) => reserveCharges(store, `many-${at}`, `tenant-${at % 2}`, [charge(1)])),
    )
    expect(results.filter(({ outcome }) => outcome === 'granted')).toHaveLength(20)
    await Promise.all(Array.from({ length: 90 }, (_, at) => store.settle(`many-${at}`, `tenant-${at % 2}`, [0])))
    const after = await reserveCharges(store, 'after', 'tenant-1', [charge(10)])
    expect(after.outcome).toBe('granted')
  })

  test('keys that were lost leave no trace in the sums', async () => {
    await reserveCharges(store, 'before', 'tenant', [charge(9)])
    await observer.eval("for _, k in ipairs(redis.call('KEYS', '*window*')) do redis.call('DEL', k) end", 0)
    await reserve(2)
    await store.settle('before', 'tenant', [1])
    expect(await remaining()).toBe(10)
  })

  test('every key expires by itself, and a refusal writes none', async () => {
    await reserve(10)
    await reserve(5, 'other')
    await store.settle(`request-${lastId}`, 'tenant', [1])
    const keys = await observer.keys('*')
    expect(keys).toHaveLength(4)
    for (const key of keys) {
      const ttl = await observer.pttl(key)
      expect(ttl).toBeGreaterThan(20_000)
      expect(ttl).toBeLessThanOrEqual(120_000)
    }
    const refused = await reserveCharges(store, 'refused', 'tenant', [charge(5, 'fresh'), charge(5)])
    expect(refused.outcome).toBe('refused')
    expect((await observer.keys('*')).toSorted()).toEqual(keys.toSorted())
  })

  test('the password is never shown', async () => {
    await observer.config('SET', 'requirepass', 'open-sesame')
    const url = `redis://default:wrong-sesame@127.0.0.1:${server.port}/0`
    const locked = createRedisStore({ url, telemetry })
    const error = await reserveCharges(locked, 'any', 'tenant', [charge(1)]).then(() => 'granted', String)
    await waitFor('an error in the log', () => log.some(line => line.includes('redis_error')))
    await locked.close()
    const shown = `${error}${log.join('')}`
    expect(shown).toContain('StoreUnavailableError')
    expect(shown).not.toContain('sesame')
    await observer.config('SET', 'requirepass', '')
  })

  test('the first decision waits for the connection; without a server it fails in time', async () => {
    const fresh = createRedisStore({ url: server.url, timeoutMs: 2000 })
    expect(await reserveCharges(fresh, 'first', 'tenant', [charge(1)])).toMatchObject({ outcome: 'granted' })
    await fresh.close()
    const nowhere = createRedisStore({ url: `redis://127.0.0.1:${await freePort()}` })
    await expectUnavailable(reserveCharges(nowhere, 'first', 'tenant', [charge(1)]))
    expect(await nowhere.ready()).toBe(false)
    await nowhere.close()
    await expectUnavailable(reserveCharges(nowhere, 'closed', 'tenant', [charge(1)]))
  })
})

test('Redis Cluster: each tenant in one slot, on whichever node', async () => {
  await using cluster = await startCluster()
  const { url, servers } = cluster
  const admins = servers.map(server => new Redis(server.url))
  const store = createRedisStore({ url, timeoutMs: 1000 })
  await waitFor('the store is ready', () => store.ready())
  const charges = ['one', 'two', 'three'].map(key => ({ key, limit: 3, windowMs: 60_000, amount: 1 }))
  const tenants = Array.from({ length: 20 }, (_, index) => `team:${index}`)
  await Promise.all(
    tenants.map(async tenant => {
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, index) => reserveCharges(store, `request-${index}`, tenant, charges)),
      )
      expect(results.filter(({ outcome }) => outcome === 'granted')).toHaveLength(3)
      const id = `request-${results.findIndex(({ outcome }) => outcome === 'granted')}`
      await store.settle(id, tenant, [0, 0, 0])
      expect(await reserveCharges(store, 'last', tenant, charges)).toMatchObject({ outcome: 'granted' })
    }),
  )
  expect(await Promise.all(admins.map(admin => admin.dbsize()))).not.toContain(0)
  await store.close()
  for (const admin of admins) admin.disconnect()
})
