import { expect, test } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { createCacheSalt } from '../../../src/firewall/cache-salt.ts'

const key = new TextEncoder().encode('a secret for tests alone, 32 bytes or more')

test('a salt is that of its team, on every instance that has the secret', () => {
  const [one, two] = [createCacheSalt(nodeHashing, key), createCacheSalt(nodeHashing, key)]
  expect(one('blue')).toMatch(/^[0-9a-f]{64}$/)
  expect(one('blue')).toBe(two('blue'))
  expect(one('blue')).toBe(one('blue'))
  expect(one('red')).not.toBe(one('blue'))
})

test('another secret makes others, and no salt is an HMAC that the audit log could show', () => {
  const other = createCacheSalt(nodeHashing, new TextEncoder().encode('another secret, 32 bytes or more, too'))
  const salt = createCacheSalt(nodeHashing, key)
  expect(other('blue')).not.toBe(salt('blue'))
  expect(nodeHashing.hmacSha256(key, 'blue')).not.toBe(salt('blue'))
})

test('more teams than are remembered have their salts all the same', () => {
  const salt = createCacheSalt(nodeHashing, key)
  const first = salt('team-0')
  for (let team = 1; team <= 10_050; team++) salt(`team-${team}`)
  expect(salt('team-0')).toBe(first)
})
