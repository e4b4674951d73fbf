import { createHmac } from 'node:crypto'
import fc from 'fast-check'
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

test('an HMAC is the same however it is made: any key, any text, of any length', () => {
  const expectSame = (key: Uint8Array, text: string) =>
    expect(nodeHashing.hmacSha256(key, text)).toBe(createHmac('sha256', key).update(text).digest('hex'))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.string({ unit: 'binary' })), (key, texts) => {
      for (const text of texts) expectSame(key, text)
    }),
  )
  for (const bytes of [0, 1, 63, 64, 65, 128]) expectSame(new Uint8Array(bytes).fill(0xa5), 'what do ya want')
  const key = new Uint8Array(32).fill(7)
  for (const unit of ['a', 'é', '語', '\ud800', '🚪']) {
    for (const length of [8_191, 8_192, 16_383, 16_384, 16_385, 100_000]) expectSame(key, unit.repeat(length))
  }
  expectSame(key, '')
})

test('the clock tells the time and never goes back', () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(50)
  const first = systemClock.monotonic()
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first)
})
