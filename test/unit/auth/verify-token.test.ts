import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { ownIssuer } from '../../../src/auth/issuer.ts'
import { importKeySet, type KeySet } from '../../../src/auth/key-set.ts'
import { createTokenVerifier, type VerifyToken } from '../../../src/auth/verify-token.ts'
import type { TokenAlgorithm } from '../../../src/config/config.ts'
import { MAX_TOKEN_CHARACTERS } from '../../../src/config/limits.ts'
import { GOOD_CLAIMS, NOW_S, signed, type TestKey, testKey } from '../../support/tokens.ts'

let keys: Record<TokenAlgorithm, TestKey>
let keySet: KeySet
beforeAll(async () => {
  keys = { EdDSA: await testKey('EdDSA'), ES256: await testKey('ES256'), RS256: await testKey('RS256') }
  const imported = await importKeySet({ keys: Object.values(keys).map(({ publicJwk }) => publicJwk) })
  if (!imported.ok) throw new Error(imported.reason)
  keySet = imported.keySet
})

let nowMs: number
let hashed: number
let verify: VerifyToken
beforeEach(() => {
  nowMs = NOW_S * 1000
  hashed = 0
  verify = verifier()
})

const OWN = { issuer: 'sallyport', audience: 'sallyport', maxLifetimeMs: 90 * 86_400_000 }

function verifier({
  algorithms = ['EdDSA', 'ES256', 'RS256'],
  ...options
}: {
  algorithms?: readonly TokenAlgorithm[]
  cacheEntries?: number
} = {}): VerifyToken {
  return createTokenVerifier({
    issuers: [ownIssuer({ ...OWN, algorithms }, { keys: keySet, reload: () => undefined })],
    clock: { now: () => nowMs, monotonic: () => nowMs },
    hashing: {
      ...nodeHashing,
      sha256: data => {
        hashed++
        return nodeHashing.sha256(data)
      },
    },
    ...options,
  })
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test.each(['EdDSA', 'ES256', 'RS256'] as const)('%s works', async alg => {
  expect(await verify(await signed(keys[alg]))).toMatchObject({ tokenId: 'token-1', team: 'search' })
})

test('a token seen before is answered at once', async () => {
  const token = await signed(keys.EdDSA)
  expect(verify(token)).toBeInstanceOf(Promise)
  await verify(token)
  expect(verify(token)).toMatchObject({ tokenId: 'token-1' })
})

test('the memory never outlives the end of a token', async () => {
  const token = await signed(keys.EdDSA)
  await verify(token)
  nowMs = GOOD_CLAIMS.exp * 1000 - 1
  expect(verify(token)).toMatchObject({ tokenId: 'token-1' })
  nowMs = GOOD_CLAIMS.exp * 1000
  expect(await verify(token)).toEqual({ reason: 'expired', tokenId: 'token-1' })
})

test('the memory is bounded', async () => {
  verify = verifier({ cacheEntries: 1 })
  const first = await signed(keys.EdDSA, { jti: 'first' })
  await verify(first)
  await verify(await signed(keys.EdDSA, { jti: 'second' }))
  expect(verify(first)).toBeInstanceOf(Promise)
})

test('a refusal is remembered for a few seconds, except that of a token that will become valid', async () => {
  const foreign = await signed(keys.EdDSA, { aud: 'elsewhere' })
  await verify(foreign)
  expect(verify(foreign)).toEqual({ reason: 'wrong_audience', tokenId: 'token-1' })
  nowMs += 10_000
  expect(verify(foreign)).toBeInstanceOf(Promise)

  const early = await signed(keys.EdDSA, { nbf: NOW_S + 45 })
  nowMs = NOW_S * 1000
  expect(await verify(early)).toEqual({ reason: 'not_yet_valid', tokenId: 'token-1' })
  nowMs += 15_000
  expect(await verify(early)).toMatchObject({ tokenId: 'token-1' })
})

test('claims are checked', async () => {
  expect(await verify(await signed(keys.ES256, { team: undefined }))).toMatchObject({
    reason: 'missing_claim',
    claim: 'team',
  })
})

test('an oversize token is refused before any work', () => {
  expect(verify(`${'a'.repeat(MAX_TOKEN_CHARACTERS)}.b.c`)).toEqual({ reason: 'oversize' })
  expect(hashed).toBe(0)
})

test.each(['', 'a', 'a.b', 'a.b.c.d', 'a.b.', '!.b.c', 'a.b.c\n', 'e30.e30.e30 '])('%j is malformed', token => {
  expect(verify(token)).toEqual({ reason: 'malformed' })
  expect(hashed).toBe(0)
})

test('a header that is no JSON object is malformed', () => {
  expect(verify('bm90anNvbg.e30.AAAA')).toEqual({ reason: 'malformed' })
  expect(verify(`${base64url([1])}.e30.AAAA`)).toEqual({ reason: expect.stringMatching(/malformed|wrong_type/) })
})

test('without a signature it is no token', () => {
  const unsecured = new UnsecuredJWT({ ...GOOD_CLAIMS }).encode()
  expect(verify(unsecured)).toEqual({ reason: 'malformed' })
  const header = base64url({ alg: 'none', typ: 'at+jwt', kid: keys.EdDSA.kid })
  expect(verify(`${header}.${base64url(GOOD_CLAIMS)}.AAAA`)).toEqual({ reason: 'algorithm_not_allowed' })
})

test('a public key is never taken for a shared secret', async () => {
  const pem = await exportSPKI((await importJWK(keys.RS256.publicJwk, 'RS256', { extractable: true })) as CryptoKey)
  for (const secret of [pem, JSON.stringify(keys.RS256.publicJwk), keys.RS256.publicJwk.n as string]) {
    const token = await new SignJWT({ ...GOOD_CLAIMS })
      .setProtectedHeader({ alg: 'HS256', kid: keys.RS256.kid, typ: 'at+jwt' })
      .sign(new TextEncoder().encode(secret))
    expect(await verify(token)).toEqual({ reason: 'algorithm_not_allowed' })
  }
})

test('a key is used for its own algorithm only', async () => {
  expect(await verify(await signed(keys.ES256, {}, { kid: keys.RS256.kid }))).toEqual({ reason: 'key_mismatch' })
})

test('an algorithm that the configuration leaves out is refused', async () => {
  verify = verifier({ algorithms: ['EdDSA'] })
  expect(await verify(await signed(keys.RS256))).toEqual({ reason: 'algorithm_not_allowed' })
})

test('keys come from the configured set only', async () => {
  const stranger = await testKey('EdDSA', 'stranger')
  expect(await verify(await signed(stranger))).toEqual({ reason: 'unknown_key' })
  expect(await verify(await signed(stranger, {}, { kid: undefined }))).toEqual({ reason: 'unknown_key' })
  expect(await verify(await signed(stranger, {}, { kid: '__proto__' }))).toEqual({ reason: 'unknown_key' })
  expect(await verify(await signed(stranger, {}, { kid: keys.EdDSA.kid }))).toEqual({ reason: 'bad_signature' })
  for (const header of [{ jwk: stranger.publicJwk }, { jku: 'https://elsewhere/jwks' }, { x5c: ['AAAA'] }]) {
    const token = await signed(stranger, {}, { ...header, kid: keys.EdDSA.kid })
    expect(await verify(token)).toEqual({ reason: 'forbidden_header', header: Object.keys(header)[0] })
  }
})

test.each(['JWT', 'at+jwt2', undefined, 7])('typ %j is no access token', async typ => {
  const header = base64url({ alg: 'EdDSA', kid: keys.EdDSA.kid, typ })
  expect(verify(`${header}.${base64url(GOOD_CLAIMS)}.AAAA`)).toEqual({ reason: 'wrong_type' })
})

test('the media type in full is the same type', async () => {
  expect(await verify(await signed(keys.EdDSA, {}, { typ: 'application/AT+JWT' }))).toHaveProperty('tokenId')
})

test('a changed claim breaks the signature', async () => {
  const [header, , signature] = (await signed(keys.EdDSA)).split('.')
  const token = `${header}.${base64url({ ...GOOD_CLAIMS, team: 'legal' })}.${signature}`
  expect(await verify(token)).toEqual({ reason: 'bad_signature' })
})

test('a good signature over what are no claims is malformed', async () => {
  const { CompactSign } = await import('jose')
  for (const payload of ['[]', 'null', '"text"', 'nonsense']) {
    const token = await new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: 'EdDSA', kid: keys.EdDSA.kid, typ: 'at+jwt' })
      .sign(keys.EdDSA.privateKey)
    expect(await verify(token)).toEqual({ reason: 'malformed' })
  }
})

test('one that takes the place of another remembers what that one knew of the same issuers, and no others', async () => {
  const source = { keys: keySet, reload: () => undefined }
  const algorithms = ['EdDSA'] as const
  const [own, other] = ['sallyport', 'other'].map(issuer => ownIssuer({ ...OWN, issuer, algorithms }, source))
  if (!own || !other) throw new Error('two issuers')
  const after = (issuers: readonly (typeof own)[], before?: VerifyToken) =>
    createTokenVerifier({ issuers, clock: { now: () => nowMs, monotonic: () => nowMs }, hashing: nodeHashing, before })
  const first = after([own, other])
  const tokens = [await signed(keys.EdDSA), await signed(keys.EdDSA, { iss: 'other' })]
  for (const token of tokens) expect(await first(token)).toHaveProperty('team')
  const second = after([own, ownIssuer({ ...OWN, issuer: 'other', audience: 'elsewhere', algorithms }, source)], first)
  expect(second(tokens[0] as string)).toHaveProperty('team')
  expect(await second(tokens[1] as string)).toEqual({ reason: 'wrong_audience', tokenId: 'token-1' })
  expect(await after([other], second)(tokens[0] as string)).toEqual({ reason: 'wrong_issuer' })
})
