import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadIssuers } from '../../../adapters/cli/token-issuers.ts'
import { shareUnchanged } from '../../../src/config/share.ts'
import { load, MINIMAL } from '../../support/config.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { testKey } from '../../support/tokens.ts'

const TELEMETRY = { log: () => {}, count: () => {} }
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

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
  const before = timers()
  /** One that looks just now has no timer. */
  const waiting = async (count: number) => {
    const deadline = performance.now() + 5000
    while (timers() - before !== count && performance.now() < deadline) await new Promise(setImmediate)
    expect(timers() - before).toBe(count)
  }
  let current = await loadIssuers(await read('a', 'b'), TELEMETRY)
  current.watch()
  const first = current
  await waiting(3)
  for (const trusted of [['b', 'a'], ['a'], ['b', 'a'], ['a']]) {
    const next = await loadIssuers(shareUnchanged(current.tokens, await read(...trusted)), TELEMETRY, current)
    next.watch()
    current.close(next)
    current = next
    await waiting(1 + trusted.length)
  }
  expect(current.issuers[0]).toBe(first.issuers[0])
  expect(current.issuers[1]).toBe(first.issuers[1])
  current.close()
  await waiting(0)
})
