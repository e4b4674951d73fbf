import { Redis as Connection } from 'ioredis'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { systemClock } from '../../adapters/node/clock.ts'
import { createRedisClient, type RedisClient } from '../../adapters/redis/client.ts'
import { createRedisLockout } from '../../adapters/redis/lockout.ts'
import { createRedisStore } from '../../adapters/redis/state-store.ts'
import { createRedisTokenRegistry } from '../../adapters/redis/token-registry.ts'
import { type RedisSet, startCluster, startOne, startSecure, startSentinels } from '../support/redis-sets.ts'
import { sleep, waitFor } from '../support/wait.ts'
import { testLockout } from './lockout.contract.ts'
import { testStateStore } from './state-store.contract.ts'
import { type RegistryUnderTest, tokenRegistryChecks } from './token-registry.contract.ts'

/** A test machine may be busy; the time-out itself is tested in `test/fault`. */
const TIMEOUT_MS = 2000

/** Everything that is kept in Redis, on each form in which Redis is run. */
describe.each([
  ['one server', startOne],
  ['a cluster, with least rights', startCluster],
  ['sentinels', () => startSentinels()],
  ['TLS, with a client certificate and least rights', startSecure],
])('Redis as %s', (_, startSet) => {
  let set: RedisSet
  beforeAll(async () => {
    set = await startSet()
  }, 30_000)
  afterAll(() => set?.stop())

  async function connect(): Promise<RedisClient> {
    const client = createRedisClient({ url: set.url, timeoutMs: TIMEOUT_MS })
    await waitFor('connected', () => client.run(redis => redis.ping()).then(Boolean, () => false), 5000)
    return client
  }

  describe('state store', () => {
    testStateStore(async () => {
      const observer = new Connection(set.servers[0]?.url ?? '')
      const stores = [1, 2, 3, 4].map(() => createRedisStore({ url: set.url, timeoutMs: TIMEOUT_MS }))
      for (const store of stores) await waitFor('the store is ready', () => store.ready(), 5000)
      return {
        stores,
        async now() {
          const [seconds, microseconds] = await observer.time()
          return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
        },
        pass: ms => sleep(ms),
        async stop() {
          await Promise.all(stores.map(store => store.close()))
          observer.disconnect()
        },
      }
    })
  })

  describe('token registry', () => {
    async function startRegistry(): Promise<RegistryUnderTest> {
      await set.empty()
      const clients = [await connect(), await connect()] as const
      const [one, other] = [createRedisTokenRegistry(clients[0]), createRedisTokenRegistry(clients[1])]
      return {
        registries: [one, other],
        empty: set.empty,
        async stop() {
          await Promise.all([one.close(), other.close()])
          await Promise.all(clients.map(client => client.close()))
        },
      }
    }
    for (const { name, run } of tokenRegistryChecks(startRegistry)) test(name, { timeout: 30_000 }, run)
  })

  describe('lock-out', () => {
    let client: RedisClient
    let lastPrefix = 0
    beforeAll(async () => {
      client = await connect()
    })
    afterAll(() => client?.close())
    testLockout(policy =>
      createRedisLockout(client, systemClock, policy, 'sallyport', `lockout-${++lastPrefix}` as 'lockout'),
    )
  })
})
