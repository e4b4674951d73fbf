import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRedisStore } from '../../adapters/redis/state-store.ts'
import type { StateStore } from '../../src/ports/state-store.ts'
import { freePort } from '../support/ports.ts'
import { type Redis, startRedis } from '../support/redis.ts'
import { startSecure, startSentinels } from '../support/redis-sets.ts'
import { reserveCharges } from '../support/reserve.ts'
import { tempDir } from '../support/temp-dir.ts'
import { type TestCa, testCa } from '../support/test-ca.ts'
import { waitFor } from '../support/wait.ts'
import type { Check } from './check.ts'

const TIMEOUT_MS = 2000
const CHARGES = [{ key: 'limit', limit: 1_000, windowMs: 60_000, amount: 1 }]

/** How every runtime gets into a Redis that does not let everybody in. */
export function redisAccessChecks(): Check[] {
  let lastId = 0
  const untilGranted = (store: StateStore) =>
    waitFor(
      'a reservation',
      async () => {
        const made = await reserveCharges(store, `request-${++lastId}`, 'tenant', CHARGES).catch(() => undefined)
        return made?.outcome === 'granted'
      },
      15_000,
    )

  return [
    {
      name: 'with TLS, an internal authority and a client certificate',
      async run() {
        await using set = await startSecure()
        const store = createRedisStore({ url: set.url, timeoutMs: TIMEOUT_MS })
        await untilGranted(store)
        await store.close()
      },
    },

    {
      name: 'with certificates that are renewed meanwhile, by another authority',
      async run() {
        const dir = tempDir()
        const used = { ca: join(dir, 'used-ca.pem'), cert: join(dir, 'used.pem'), key: join(dir, 'used-key.pem') }
        const [port, plain] = [await freePort(), await freePort()]
        const start = (issuer: TestCa): Promise<Redis> => {
          const own = issuer.issue('redis')
          const files = ['--tls-cert-file', own.cert, '--tls-key-file', own.key, '--tls-ca-cert-file', issuer.cert]
          return startRedis({ port: plain, args: ['--tls-port', `${port}`, ...files, '--tls-auth-clients', 'yes'] })
        }
        const [first, second] = [testCa(dir, 'first'), testCa(dir, 'second')]
        const install = (issuer: TestCa) => {
          const { cert, key } = issuer.issue('gateway')
          copyFileSync(issuer.cert, used.ca)
          copyFileSync(cert, used.cert)
          return () => copyFileSync(key, used.key)
        }
        install(first)()
        let server = await start(first)
        const url = `rediss://127.0.0.1:${port}/0?${new URLSearchParams(used)}`
        const store = createRedisStore({ url, timeoutMs: TIMEOUT_MS })
        try {
          await untilGranted(store)
          await server.stop()
          // While it tries to connect, the key does not belong to the certificate yet.
          const complete = install(second)
          await waitFor('it is away', async () => !(await store.ready()))
          complete()
          server = await start(second)
          await untilGranted(store)
        } finally {
          await store.close()
          await server.stop()
        }
      },
    },

    {
      name: 'behind sentinels that have a password of their own',
      async run() {
        await using set = await startSentinels('watchword')
        const store = createRedisStore({ url: set.url, timeoutMs: TIMEOUT_MS })
        await untilGranted(store)
        await store.close()
      },
    },
  ]
}
