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
