import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { loadIssuers } from '../../../adapters/cli/token-issuers.ts'
import { shareUnchanged } from '../../../src/config/share.ts'
import { load, MINIMAL } from '../../support/config.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { testKey } from '../../support/tokens.ts'

const TELEMETRY = { log: () => {}, count: () => {} }

test('a reload takes over issuers that have not changed, and ends the looking for keys of those that are gone', async () => {
  const dir = tempDir()
  const { publicJwk } = await testKey('EdDSA')
  for (const name of ['own', 'a', 'b']) writeFileSync(join(dir, name), JSON.stringify({ keys: [publicJwk] }))
  const read = async (...trusted: string[]) => {
    const all = trusted.map(one => `{ issuer: https://${one}, jwks: ${dir}/${one}, audience: x }`)
    const result = await load(`${MINIMAL}tokens: { jwks: ${dir}/own, trusted: [${all.join(', ')}] }`)
    if (!result.ok) throw new Error(JSON.stringify(result.faults))
    return result.config.tokens
  }
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  let current = await loadIssuers(await read('a', 'b'), TELEMETRY)
  current.watch()
  const first = current
  expect(vi.getTimerCount()).toBe(3)
  for (const trusted of [['b', 'a'], ['a'], ['b', 'a'], ['a']]) {
    const next = await loadIssuers(shareUnchanged(current.tokens, await read(...trusted)), TELEMETRY, current)
    next.watch()
    current.close(next)
    current = next
    expect(vi.getTimerCount()).toBe(1 + trusted.length)
  }
  expect(current.issuers[0]).toBe(first.issuers[0])
  expect(current.issuers[1]).toBe(first.issuers[1])
  current.close()
  expect(vi.getTimerCount()).toBe(0)
})
