import { describe, test } from 'vitest'
import { createRedisClient } from '../../adapters/redis/client.ts'
import { createRedisTokenRegistry } from '../../adapters/redis/token-registry.ts'
import { startRedis } from '../support/redis.ts'
import { startEmbeddedRegistry } from './embedded-token-registry.ts'
import { type RegistryUnderTest, tokenRegistryChecks } from './token-registry.contract.ts'

/** A test machine may be busy; the time-out itself is tested in `test/fault`. */
const TIMEOUT_MS = 2000

async function startRedisRegistry(): Promise<RegistryUnderTest> {
  const server = await startRedis()
  const clients = [1, 2].map(() => createRedisClient({ url: server.url, timeoutMs: TIMEOUT_MS }))
  const [one, other] = clients.map(client => createRedisTokenRegistry(client))
  if (!one || !other || !clients[0]) throw new Error('there are two')
  const { redis } = clients[0]
  return {
    registries: [one, other],
    empty: async () => void (await redis.flushall()),
    async stop() {
      await Promise.all([one.close(), other.close()])
      await Promise.all(clients.map(client => client.close()))
      await server.stop()
    },
  }
}

describe.each([
  ['embedded', startEmbeddedRegistry],
  ['Redis', startRedisRegistry],
])('%s token registry', (_, start) => {
  for (const { name, run } of tokenRegistryChecks(start)) test(name, { timeout: 30_000 }, run)
})
