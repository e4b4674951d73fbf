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
  let current = await loadIssuers(await read('a', 'b'), TELEMETRY)
  current.watch()
  const first = current
  expect(timers() - before).toBe(3)
  for (const trusted of [['b', 'a'], ['a'], ['b', 'a'], ['a']]) {
    const next = await loadIssuers(shareUnchanged(current.tokens, await read(...trusted)), TELEMETRY, current)
    next.watch()
    current.close(next)
    current = next
    expect(timers() - before).toBe(1 + trusted.length)
  }
  expect(current.issuers[0]).toBe(first.issuers[0])
  expect(current.issuers[1]).toBe(first.issuers[1])
  current.close()
  expect(timers()).toBe(before)
})
