import { expect, test } from 'vitest'
import { systemClock } from '../../../adapters/node/clock.ts'
import { nodeHashing } from '../../../adapters/node/hashing.ts'

test('digests are those of FIPS 180 and RFC 4231, in hex', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(nodeHashing.sha256('abc')).toBe(abc)
  expect(nodeHashing.sha256(new TextEncoder().encode('abc'))).toBe(abc)
  expect(nodeHashing.hmacSha256(new TextEncoder().encode('Jefe'), 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
  expect(nodeHashing.sha256('é')).toBe(nodeHashing.sha256(new TextEncoder().encode('é')))
})

test('the clock tells the time and never goes back', () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(50)
  const first = systemClock.monotonic()
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first)
})
