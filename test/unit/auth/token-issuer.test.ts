import { expect, test } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { ownIssuer } from '../../../src/auth/issuer.ts'
import { importKeySet } from '../../../src/auth/key-set.ts'
import { createTokenIssuer } from '../../../src/auth/token-issuer.ts'
import { createTokenVerifier } from '../../../src/auth/verify-token.ts'
import { GOOD_CLAIMS, NOW_S, testKey } from '../../support/tokens.ts'

test.each(['EdDSA', 'ES256', 'RS256'])('what it signs with %s is accepted', async alg => {
  const key = await testKey(alg)
  const created = await createTokenIssuer(key.privateJwk)
  const imported = await importKeySet({ keys: [key.publicJwk] })
  if (!created.ok || !imported.ok) throw new Error('the keys are good')
  expect(created.issuer.keyId).toBe(key.kid)
  const clock = { now: () => NOW_S * 1000, monotonic: () => 0 }
  const profile = { issuer: 'sallyport', audience: 'sallyport', maxLifetimeMs: 3_600_000 }
  const own = ownIssuer(
    { ...profile, algorithms: ['EdDSA', 'ES256', 'RS256'] },
    { keys: imported.keySet, reload: () => undefined },
  )
  const verify = createTokenVerifier({ issuers: [own], clock, hashing: nodeHashing })
  expect(await verify(await created.issuer.sign(GOOD_CLAIMS))).toMatchObject({ tokenId: 'token-1', team: 'search' })
})

test('what is no private key is refused, without a word of it', async () => {
  const { publicJwk, privateJwk } = await testKey('EdDSA')
  for (const jwk of [
    null,
    'text',
    publicJwk,
    { ...privateJwk, kid: undefined },
    { ...privateJwk, alg: undefined },
    { kty: 'oct', k: 'secret', d: 'secret', kid: 'a', alg: 'HS256' },
    { ...privateJwk, alg: 'ES256' },
    { ...privateJwk, d: 'secret' },
  ]) {
    const created = await createTokenIssuer(jwk)
    expect(created).toEqual({ ok: false, reason: expect.any(String) })
    expect(JSON.stringify(created)).not.toMatch(/secret/)
    expect(JSON.stringify(created)).not.toContain(privateJwk.d)
  }
})
