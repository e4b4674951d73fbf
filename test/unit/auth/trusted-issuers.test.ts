import { createHash } from 'node:crypto'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { ownIssuer, trustedIssuer } from '../../../src/auth/issuer.ts'
import { importKeySet, type KeySet } from '../../../src/auth/key-set.ts'
import { createTokenVerifier, type VerifyToken } from '../../../src/auth/verify-token.ts'
import type { TrustedIssuerConfig } from '../../../src/config/config.ts'
import { NOW_S, signed, type TestKey, testKey } from '../../support/tokens.ts'

const IDP = 'https://idp.example.internal'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const TAG = sha256(IDP).slice(0, 8)
const TRUSTED: TrustedIssuerConfig = {
  issuer: IDP,
  jwks: 'not looked at',
  audience: ['llm', 'llm-test'],
  algorithms: ['RS256', 'ES256'],
  types: ['at+jwt', 'jwt', 'none'],
  maxLifetimeMs: 3_600_000,
  scopes: ['inference', 'models:read'],
  claims: { team: 'groups.0', app: 'azp', env: '=production' },
}
const CLAIMS = {
  iss: IDP,
  aud: 'llm',
  jti: 'onrtro:3f2a',
  groups: ['search', 'everybody'],
  azp: 'web',
  team: undefined,
  app: undefined,
  env: undefined,
  nbf: undefined,
  scope: 'openid inference tokens:admin',
}

const keySetOf = async (...keys: TestKey[]): Promise<KeySet> => {
  const imported = await importKeySet({ keys: keys.map(key => key.publicJwk) })
  if (!imported.ok) throw new Error(imported.reason)
  return imported.keySet
}

// Of one kid, all of them.
let own: TestKey
let idp: TestKey
let other: TestKey
beforeAll(async () => {
  own = await testKey('ES256', 'the-key')
  idp = await testKey('ES256', 'the-key')
  other = await testKey('ES256', 'the-key')
})

let nowMs: number
let reloads: number
let sources: Record<'own' | 'idp' | 'other', { keys: KeySet | undefined; reload(): Promise<void> | undefined }>
let later: (() => void) | undefined
beforeEach(async () => {
  nowMs = NOW_S * 1000
  reloads = 0
  later = undefined
  const reload = () => {
    reloads++
    return later && Promise.resolve().then(later)
  }
  sources = {
    own: { keys: await keySetOf(own), reload },
    idp: { keys: await keySetOf(idp), reload },
    other: { keys: await keySetOf(other), reload },
  }
})

function verifier(changes: Partial<TrustedIssuerConfig> = {}): VerifyToken {
  const base = { issuer: 'sallyport', audience: 'sallyport', maxLifetimeMs: 90 * 86_400_000 }
  return createTokenVerifier({
    issuers: [
      ownIssuer({ ...base, algorithms: ['EdDSA', 'ES256'] }, sources.own),
      trustedIssuer({ ...TRUSTED, ...changes }, sources.idp, nodeHashing),
      trustedIssuer({ ...TRUSTED, issuer: 'https://other.example' }, sources.other, nodeHashing),
    ],
    clock: { now: () => nowMs, monotonic: () => nowMs },
    hashing: nodeHashing,
  })
}

const token = (claims = {}, header = {}, key = idp) => signed(key, { ...CLAIMS, ...claims }, header)
const verdict = async (claims = {}, changes: Partial<TrustedIssuerConfig> = {}) =>
  verifier(changes)(await token(claims))

test('claims are read where the configuration says, and scopes are cut to what the issuer may give', async () => {
  expect(await verdict()).toEqual({
    tokenId: `${TAG}.${sha256('onrtro:3f2a').slice(0, 32)}`,
    subject: 'search/web/test',
    team: 'search',
    app: 'web',
    env: 'production',
    scopes: new Set(['inference']),
    models: ['*'],
    issuer: IDP,
    issuedAtMs: NOW_S * 1000,
    expiresAtMs: (NOW_S + 3600) * 1000,
  })
})

test('a provider makes administrators only where the configuration lets it', async () => {
  const scopes = ['inference', 'tokens:admin'] as const
  expect(await verdict({}, { scopes: [...scopes] })).toMatchObject({ scopes: new Set(scopes) })
})

test.each([
  [{ scope: undefined, scp: ['inference', 'x'] }, {}, ['inference']],
  [{ scope: undefined, scp: 'models:read' }, {}, ['models:read']],
  [{ scope: 'email' }, {}, []],
  [{ scope: '' }, {}, []],
  [{ roles: ['inference', 7, 'audit:read'] }, { scope: 'roles' }, ['inference']],
  [{ scope: 'email' }, { scope: '=inference models:read' }, ['inference', 'models:read']],
])('scopes of %j under %j', async (claims, mapping, scopes) => {
  expect(await verdict(claims, { claims: { ...TRUSTED.claims, ...mapping } })).toMatchObject({
    scopes: new Set(scopes),
  })
})

test.each([
  [{ models: ['a', 'b*'] }, {}, ['a', 'b*']],
  [{ models: 'a, b*' }, {}, ['a', 'b*']],
  [{ models: [] }, {}, []],
  [{ llm: { models: ['c'] } }, { models: 'llm.models' }, ['c']],
  [{}, { models: '=d,e-*' }, ['d', 'e-*']],
])('models of %j under %j', async (claims, mapping, models) => {
  expect(await verdict(claims, { claims: { ...TRUSTED.claims, ...mapping } })).toMatchObject({ models })
})

test.each([
  ['no group', { groups: [] }, {}, { reason: 'missing_claim', claim: 'team' }],
  ['a group with a slash', { groups: ['/search'] }, {}, { reason: 'invalid_claim', claim: 'team' }],
  ['a group that is no text', { groups: [7] }, {}, { reason: 'invalid_claim', claim: 'team' }],
  ['a group of look-alikes', { groups: ['sеarch'] }, {}, { reason: 'invalid_claim', claim: 'team' }],
  ['groups that are a text', { groups: 'search' }, {}, { reason: 'missing_claim', claim: 'team' }],
  ['no scope', { scope: undefined }, {}, { reason: 'missing_claim', claim: 'scope' }],
  ['a scope that is none', { scope: { inference: true } }, {}, { reason: 'invalid_claim', claim: 'scope' }],
  ['no models where they are mapped', {}, { models: 'llm' }, { reason: 'invalid_claim', claim: 'models' }],
  ['no id where it is mapped', {}, { tokenId: 'uti' }, { reason: 'missing_claim', claim: 'jti' }],
  ['an id that is no text', { jti: 7 }, {}, { reason: 'invalid_claim', claim: 'jti' }],
  ['no subject', { sub: undefined }, {}, { reason: 'missing_claim', claim: 'sub' }],
  ['no time of issue', { iat: undefined }, {}, { reason: 'missing_claim', claim: 'iat' }],
  ['another audience', { aud: 'sallyport' }, {}, { reason: 'wrong_audience' }],
  ['part of an audience', { aud: 'l' }, {}, { reason: 'wrong_audience' }],
  ['a life too long', { exp: NOW_S + 3601 }, {}, { reason: 'lifetime_too_long' }],
  ['an end as text', { exp: String(NOW_S + 60) }, {}, { reason: 'invalid_claim', claim: 'exp' }],
  ['a start to come', { nbf: NOW_S + 60 }, {}, { reason: 'not_yet_valid' }],
])('%s is refused', async (_, claims, mapping, refusal) => {
  expect(await verdict(claims, { claims: { ...TRUSTED.claims, ...mapping } })).toMatchObject(refusal)
})

test('the audience may be any of several', async () => {
  expect(await verdict({ aud: ['x', 'llm-test'] })).toHaveProperty('tokenId')
})

test('ids have the issuer in front; without one, the token counts', async () => {
  expect(await verdict({ jti: 'token-1' })).toMatchObject({ tokenId: `${TAG}.token-1` })
  const long = 'a'.repeat(56)
  expect(await verdict({ jti: long })).toMatchObject({ tokenId: `${TAG}.${sha256(long).slice(0, 32)}` })
  const text = await token({ jti: undefined })
  const digest = sha256(text).slice(0, 32)
  expect(await verifier()(text)).toMatchObject({ tokenId: `${TAG}.${digest}` })
  expect(await verdict({ uti: 'u-1' }, { claims: { ...TRUSTED.claims, tokenId: 'uti' } })).toMatchObject({
    tokenId: `${TAG}.u-1`,
  })
})

test.each([
  ['JWT', true],
  ['jwt', true],
  ['application/at+jwt', true],
  [undefined, true],
  ['none', false],
  ['id+jwt', false],
])('typ %j', async (typ, ok) => {
  expect('tokenId' in (await verifier()(await token({}, { typ })))).toBe(ok)
  const strict = await verifier({ types: ['at+jwt'] })(await token({}, { typ }))
  expect('tokenId' in strict).toBe(typ === 'application/at+jwt')
})

test('keys of one kid are told apart by issuer', async () => {
  const verify = verifier()
  expect(await verify(await token())).toMatchObject({ issuer: IDP })
  expect(await verify(await token({ iss: 'https://other.example' }, {}, other))).toMatchObject({
    issuer: 'https://other.example',
  })
  for (const [iss, key] of [
    [IDP, own],
    [IDP, other],
    ['https://other.example', idp],
  ] as const) {
    expect(await verify(await token({ iss }, {}, key))).toEqual({ reason: 'bad_signature' })
  }
  const ours = { iss: 'sallyport', aud: 'sallyport', team: 'a', app: 'a', env: 'a', nbf: NOW_S, jti: 'x' }
  expect(await verify(await token(ours))).toEqual({ reason: 'bad_signature' })
  expect(await verify(await token(ours, {}, own))).toMatchObject({ issuer: 'sallyport', tokenId: 'x' })
})

test.each([`${IDP}/`, 'https://IDP.example.internal', '', 'toString', '__proto__'])(
  'issuer %j is another',
  async iss => {
    expect(await verdict({ iss })).toEqual({ reason: 'wrong_issuer' })
  },
)

test('an algorithm that only other issuers may use is refused', async () => {
  const key = await testKey('EdDSA', 'the-key')
  sources.idp.keys = await keySetOf(key)
  expect(await verifier()(await token({}, {}, key))).toEqual({ reason: 'algorithm_not_allowed' })
})

test('a token seen before is forgotten with its key', async () => {
  const verify = verifier()
  const text = await token()
  await verify(text)
  expect(verify(text)).toMatchObject({ issuer: IDP })
  sources.idp.keys = await keySetOf(await testKey('ES256', 'new'))
  expect(await verify(text)).toEqual({ reason: 'unknown_key' })
  // Another key under the same kid does not bring it back.
  sources.idp.keys = await keySetOf(await testKey('ES256', 'the-key'))
  expect(await verify(text)).toEqual({ reason: 'bad_signature' })
  sources.idp.keys = undefined
  nowMs += 20_000
  expect(await verify(text)).toEqual({ reason: 'keys_unavailable' })
})

test('an unknown key is looked for once', async () => {
  const key = await testKey('ES256', 'rotated')
  const keys = await keySetOf(idp, key)
  const verify = verifier()
  const text = await token({}, {}, key)
  expect(await verify(text)).toEqual({ reason: 'unknown_key' })
  later = () => {}
  expect(await verify(text)).toEqual({ reason: 'unknown_key' })
  later = () => {
    sources.idp.keys = keys
  }
  expect(await verify(text)).toMatchObject({ issuer: IDP })
  expect(reloads).toBe(3)
})

test('what is refused for other reasons causes no look', async () => {
  const verify = verifier()
  await verify(await token({ iss: 'https://nobody' }, { kid: 'x' }))
  await verify(await token({}, { kid: 'x', typ: 'other' }))
  await verify(await token({}, { kid: 'x', jku: 'https://elsewhere' }))
  expect(reloads).toBe(0)
})
