import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { importKeySet } from '../../../src/auth/key-set.ts'
import { type TestKey, testKey } from '../../support/tokens.ts'

let ed: TestKey
let rsa: TestKey
beforeAll(async () => {
  ed = await testKey('EdDSA')
  rsa = await testKey('RS256')
})

async function reason(...keys: unknown[]): Promise<string> {
  const result = await importKeySet({ keys })
  return result.ok ? `ok: ${[...result.keySet.keys()].join()}` : result.reason
}

test('public keys are imported for the algorithm they are for', async () => {
  const { alg: _, ...withoutAlgorithm } = rsa.publicJwk
  const result = await importKeySet({ keys: [ed.publicJwk, withoutAlgorithm] })
  expect(result.ok && [...result.keySet].map(([kid, { algorithm }]) => [kid, algorithm])).toEqual([
    ['key-EdDSA', 'EdDSA'],
    ['key-RS256', 'RS256'],
  ])
})

test('a private or symmetric key refuses the set, and the reason shows nothing of it', async () => {
  const found = await reason(ed.publicJwk, ed.privateJwk)
  expect(found).toContain('keys[1] holds a private or symmetric key')
  expect(found).not.toContain(ed.privateJwk.d)
  expect(await reason({ kty: 'oct', k: 'c2VjcmV0', kid: 'a', alg: 'HS256' })).toContain('symmetric')
})

test.each([
  ['for encryption', { use: 'enc' }],
  ['for other operations', { key_ops: ['encrypt'] }],
  ['whose algorithm does not fit its type', { alg: 'RS256' }],
  ['of a symmetric algorithm', { alg: 'HS256' }],
  ['of another curve', { crv: 'Ed448' }],
])('a key %s is left out', async (_, change) => {
  expect(await reason({ ...ed.publicJwk, ...change }, rsa.publicJwk)).toBe('ok: key-RS256')
})

test('what cannot be told apart or used is refused', async () => {
  expect(await reason({ ...ed.publicJwk, kid: undefined })).toContain('no "kid"')
  expect(await reason(ed.publicJwk, { ...rsa.publicJwk, kid: ed.kid })).toContain('repeats')
  expect(await reason({ ...ed.publicJwk, x: 'AAAA' })).toContain('not a valid EdDSA key')
  expect(await reason({ ...rsa.publicJwk, n: rsa.publicJwk.n?.slice(0, 171) })).toContain('not a valid RS256 key')
  expect(await reason()).toContain('no EdDSA')
  expect(await reason(null)).toContain('keys[0] is no key')
  expect(await importKeySet([ed.publicJwk])).toMatchObject({ ok: false })
  expect(await importKeySet({ keys: Array.from({ length: 65 }, () => ed.publicJwk) })).toMatchObject({ ok: false })
})

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const hex = (text: string) => base64url(Buffer.from(text, 'hex'))

test('keys under which anybody could sign are refused', async () => {
  const { n } = rsa.publicJwk
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const padded = base64url(Buffer.concat([Buffer.alloc(128), Buffer.from(short.n ?? '', 'base64url')]))
  for (const change of [{ n: short.n }, { n: padded }, { e: 'AQ' }, { e: 'Ag' }, { e: '' }, { n, e: 'AAE' }]) {
    expect(await reason({ ...rsa.publicJwk, ...change })).toContain('not a valid RS256 key')
  }
  const smallOrder = [
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000080',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  ]
  for (const x of smallOrder.map(hex)) {
    expect(await reason({ ...ed.publicJwk, x })).toContain('not a valid EdDSA key')
  }
  const off = { kty: 'EC', crv: 'P-256', alg: 'ES256', kid: 'off', x: hex('01'.repeat(32)), y: hex('01'.repeat(32)) }
  expect(await reason(off)).toContain('not a valid ES256 key')
  const zero = hex('00'.repeat(32))
  expect(await reason({ ...off, x: zero, y: zero })).toContain('not a valid ES256 key')
})

test('what has another form than a key set is refused without a throw', async () => {
  for (const entry of [7, 'a', [], { kty: 7 }, { ...ed.publicJwk, key_ops: 7 }, { ...ed.publicJwk, kid: ['a'] }]) {
    expect((await importKeySet({ keys: [entry] })).ok).toBe(false)
  }
})

test('a key that was there before is the same object', async () => {
  const before = await importKeySet({ keys: [ed.publicJwk, rsa.publicJwk] })
  if (!before.ok) throw new Error(before.reason)
  const changed = { ...(await testKey('RS256')).publicJwk, kid: rsa.kid }
  const after = await importKeySet({ keys: [{ ...ed.publicJwk, x5t: 'a' }, changed] }, before.keySet)
  if (!after.ok) throw new Error(after.reason)
  expect(after.keySet.get(ed.kid)).toBe(before.keySet.get(ed.kid))
  expect(after.keySet.get(rsa.kid)).not.toBe(before.keySet.get(rsa.kid))
})
