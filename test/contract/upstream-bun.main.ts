import assert from 'node:assert/strict'
import { createBunUpstream } from '../../adapters/bun/upstream.ts'
import type { UpstreamFailure } from '../../src/ports/upstream.ts'
import { type Check, sleep, until } from './check.ts'
import { rawServer } from './raw-server.ts'
import { runChecks } from './run-checks.ts'
import { upstreamChecks } from './upstream.contract.ts'

/** Beyond its limit Bun's fetch waits in silence, so the adapter counts for itself. */
const limit: Check = {
  name: 'fails a call beyond the limit, and takes calls again once one has ended',
  async run() {
    const server = await rawServer(() => {})
    const upstream = createBunUpstream({ connections: 2 })
    const failures: UpstreamFailure[] = []
    const send = () =>
      upstream.send(
        { method: 'GET', url: `${server.origin}/`, headers: {} },
        { onHead: () => {}, onData: () => {}, onEnd: () => {}, onFailure: failure => void failures.push(failure) },
      )
    try {
      const first = send()
      send()
      send()
      await until('the failure', () => failures.length === 1)
      assert.equal(failures[0]?.kind, 'connect')
      assert.match(failures[0]?.message ?? '', /BUN_CONFIG_MAX_HTTP_REQUESTS/)
      first.cancel()
      first.cancel()
      send()
      await sleep(50)
      assert.equal(failures.length, 1)
      send()
      await until('the second failure', () => failures.length === 2)
    } finally {
      await server.close()
      await upstream.close()
    }
  },
}

await runChecks([...upstreamChecks(() => createBunUpstream()), limit])
process.exit(0)
