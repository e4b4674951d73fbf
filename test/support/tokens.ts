import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export const NOW_S = 1_800_000_000

/** Claims that a gateway with issuer and audience `sallyport` accepts at `NOW_S`. */
export const GOOD_CLAIMS = {
  iss: 'sallyport',
  aud: 'sallyport',
  sub: 'search/web/test',
  jti: 'token-1',
  iat: NOW_S,
  nbf: NOW_S,
  exp: NOW_S + 3600,
  team: 'search',
  app: 'web',
  env: 'test',
  scope: 'inference usage:read',
} as const

export interface TestKey {
  readonly kid: string
  readonly alg: string
  readonly publicJwk: JWK
  readonly privateJwk: JWK
  readonly privateKey: CryptoKey
}

export async function testKey(alg: string, kid = `key-${alg}`): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const common = { kid, alg, use: 'sig' }
  return {
    kid,
    alg,
    publicJwk: { ...(await exportJWK(publicKey)), ...common },
    privateJwk: { ...(await exportJWK(privateKey)), ...common },
    privateKey,
  }
}

/** Signs the good claims, changed as told (`undefined` takes one away), under a header changed as told. */
export function signed(
  key: TestKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT({ ...GOOD_CLAIMS, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
    .sign(key.privateKey)
}
