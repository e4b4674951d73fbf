import { Redis } from 'ioredis'
import { describe } from 'vitest'
import { createRedisStore } from '../../adapters/redis/state-store.ts'
import { startRedis } from '../support/redis.ts'
import { sleep } from '../support/wait.ts'
import { testStateStore } from './state-store.contract.ts'

/** A test machine may be busy; the time-out itself is tested in `test/fault`. */
const TIMEOUT_MS = 2000

describe('Redis state store', () => {
  testStateStore(async () => {
    const server = await startRedis()
    const observer = new Redis(server.url)
    const stores = [1, 2, 3, 4].map(() => createRedisStore({ url: server.url, timeoutMs: TIMEOUT_MS }))
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
        await server.stop()
      },
    }
  })
})
