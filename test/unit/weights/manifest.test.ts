import { CompactSign, importJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../src/audit/canonical-json.ts'
import { type Manifest, openManifest, signManifest } from '../../../src/weights/manifest.ts'
import { type TestKey, testKey } from '../../support/tokens.ts'

const FILE = { path: 'a/b.gguf', size: 3, mode: '0644', sha256: 'ab'.repeat(32), format: 'gguf' } as const
const MANIFEST: Manifest = { version: 1, sealed: '2026-11-24T10:00:00.000Z', files: [FILE] }

let key: TestKey
let other: TestKey
let sealed: string
beforeAll(async () => {
  key = await testKey('EdDSA', 'one')
  other = await testKey('EdDSA', 'two')
  sealed = (await signManifest(MANIFEST, key.privateJwk)) ?? ''
})

const failure = async (text: string, jwks: unknown = key.publicJwk) => {
  const opened = await openManifest(text, jwks)
  return opened.ok ? 'opened' : opened.reason
}
const changed = (change: (file: { manifest: Manifest; signature: string }) => object) =>
  canonicalJson(change(JSON.parse(sealed)) as never)

describe('a sealed manifest', () => {
  test('opens with the public key, the private one and a set of keys', async () => {
    for (const keys of [key.publicJwk, key.privateJwk, { keys: [other.publicJwk, key.publicJwk] }]) {
      expect(await openManifest(sealed, keys)).toEqual({ ok: true, manifest: MANIFEST, keyId: 'one' })
    }
  })

  test('opens however its JSON is laid out', async () => {
    expect(await failure(JSON.stringify(JSON.parse(sealed), undefined, 2))).toBe('opened')
  })

  test.each(['size', 'mode', 'sha256', 'path', 'format'] as const)('does not with another %s', async field => {
    const values = { size: 4, mode: '0666', sha256: 'cd'.repeat(32), path: 'c', format: 'other' }
    const text = changed(({ manifest, signature }) => ({
      manifest: { ...manifest, files: [{ ...FILE, [field]: values[field] }] },
      signature,
    }))
    expect(await failure(text)).toContain('wrong signature')
  })

  test('does not with another key, nor with one of the same name', async () => {
    expect(await failure(sealed, other.publicJwk)).toContain('is signed by another key (kid "one")')
    expect(await failure(sealed, { ...other.publicJwk, kid: 'one' })).toContain('wrong signature')
    expect(await failure(sealed, {})).toContain('no Ed25519 key')
  })

  test('is not taken from what the key has signed for another purpose', async () => {
    const jws = await new CompactSign(new TextEncoder().encode(canonicalJson(MANIFEST)))
      .setProtectedHeader({ alg: 'EdDSA', kid: 'one', typ: 'at+jwt' })
      .sign(await importJWK(key.privateJwk, 'EdDSA'))
    const [header, , signature] = jws.split('.')
    expect(await failure(changed(({ manifest }) => ({ manifest, signature: `${header}..${signature}` })))).toContain(
      'signed as something else',
    )
  })

  test('needs a signature', async () => {
    const none = btoa('{"alg":"none","kid":"one"}').replaceAll('=', '')
    for (const signature of ['', 'x', `${none}..`]) {
      expect(await failure(changed(({ manifest }) => ({ manifest, signature })))).not.toBe('opened')
    }
    expect(await failure(changed(({ manifest }) => ({ manifest })))).toContain('signature')
  })

  test.each(['../b', '/etc/passwd', 'a/../b', './a', 'a//b', 'a\nb', '', '.'])('has no path %j', async path => {
    const text = (await signManifest({ ...MANIFEST, files: [{ ...FILE, path }] }, key.privateJwk)) ?? ''
    expect(await failure(text)).toContain('is no manifest of weights: manifest.files.0.path')
  })

  test('names no path twice', async () => {
    const text = (await signManifest({ ...MANIFEST, files: [FILE, FILE] }, key.privateJwk)) ?? ''
    expect(await failure(text)).toContain('a path comes twice')
  })

  test('is signed by private Ed25519 keys alone', async () => {
    const es256 = await testKey('ES256')
    for (const jwk of [key.publicJwk, es256.privateJwk, {}, null, { ...key.privateJwk, d: 'AA' }]) {
      expect(await signManifest(MANIFEST, jwk)).toBeUndefined()
    }
  })
})
