import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createEmbeddedLockout } from '../../adapters/embedded/lockout.ts'
import { systemClock } from '../../adapters/node/clock.ts'
import { createRedisClient, type RedisClient } from '../../adapters/redis/client.ts'
import { createRedisLockout } from '../../adapters/redis/lockout.ts'
import { type Redis as RedisServer, startRedis } from '../support/redis.ts'
import { sleep, waitFor, within } from '../support/wait.ts'
import { fail, MOST, policy, testLockout } from './lockout.contract.ts'

describe('embedded lock-out', () => {
  testLockout(each => createEmbeddedLockout(systemClock, each))

  test('forgets the least recent addresses beyond its bound', async () => {
    const lockout = createEmbeddedLockout(systemClock, policy)
    await fail(lockout, 2, 'first')
    for (let other = 0; other < 100; other++) await lockout.failed(`other-${other}`)
    expect(await fail(lockout, 1, 'first')).toBe(0)
    for (let other = 0; other < 101; other++) await fail(lockout, 3, `locked-${other}`)
    expect(lockout.lockedForMs('locked-0')).toBe(0)
    expect(lockout.lockedForMs('locked-100')).toBeGreaterThan(0)
  })
})

describe('Redis lock-out', () => {
  let server: RedisServer
  let client: RedisClient
  const clients: RedisClient[] = []
  let prefix = ''

  beforeEach(async () => {
    server = await startRedis()
    client = createRedisClient({ url: server.url, timeoutMs: 2000 })
    clients.push(client)
    prefix = `p${clients.length}`
    await client.run(redis => redis.ping())
  })
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(each => each.close()))
    await server.stop()
  })

  testLockout(each => createRedisLockout(client, systemClock, each, prefix))

  test('instances count together, and each learns of the lock from its own next failure', async () => {
    const other = createRedisClient({ url: server.url, timeoutMs: 2000 })
    clients.push(other)
    await other.run(redis => redis.ping())
    const one = createRedisLockout(client, systemClock, policy, prefix)
    const two = createRedisLockout(other, systemClock, policy, prefix)
    await fail(one, 2)
    expect(await fail(two, 1)).toBeGreaterThan(MOST)
    expect(one.lockedForMs('192.0.2.1')).toBe(0)
    await sleep(300)
    const left = await fail(one, 1)
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(710)
  })

  test('two lock-outs on one connection do not disturb each other', async () => {
    const strict = createRedisLockout(client, systemClock, policy, 'strict')
    const mild = createRedisLockout(client, systemClock, { ...policy, failures: 5 }, 'mild')
    expect(await fail(strict, 3)).toBeGreaterThan(0)
    expect(await fail(mild, 4)).toBe(0)
    expect(await fail(mild, 1)).toBeGreaterThan(0)
  })

  test('every key expires', async () => {
    await fail(createRedisLockout(client, systemClock, policy, prefix), 3)
    await fail(createRedisLockout(client, systemClock, policy, prefix), 1, '192.0.2.9')
    const keys = await client.redis.keys('*')
    expect(keys).toHaveLength(2)
    for (const key of keys) expect(await client.redis.pttl(key)).toBeGreaterThan(0)
  })

  test('without Redis, frozen or gone, an instance counts on its own, and never rejects', async () => {
    const impatient = createRedisClient({ url: server.url, timeoutMs: 50 })
    clients.push(impatient)
    await waitFor('connected', () => impatient.redis.status === 'ready')
    const lockout = createRedisLockout(impatient, systemClock, policy, prefix)
    server.pause()
    expect(await within('three failures', 2000, fail(lockout, 3))).toBeGreaterThan(0)
    server.resume()
    await server.stop()
    expect(await within('three failures', 2000, fail(lockout, 3, '192.0.2.7'))).toBeGreaterThan(0)
  })
})
