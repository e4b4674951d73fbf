import { importJWK, type JWK, SignJWT } from 'jose'
import type { Claims } from './token-profile.ts'

/** Signs tokens with one private key. */
export interface TokenIssuer {
  readonly keyId: string
  sign(claims: Claims): Promise<string>
}

export type IssuerResult =
  | { readonly ok: true; readonly issuer: TokenIssuer }
  /** The reason says something of the file: "is no private signing key". */
  | { readonly ok: false; readonly reason: string }

/** Reads the private key anew, so that a key that was changed signs from then on, and one that was taken out no more. */
export type ReadTokenIssuer = () => Promise<IssuerResult>

const NO_KEY = 'is no private signing key with "kid" and "alg" (sallyport keys init makes one)'

/** An issuer with the private key in a JWK. No reason holds any of the key. */
export async function createTokenIssuer(jwk: unknown): Promise<IssuerResult> {
  if (typeof jwk !== 'object' || jwk === null) return { ok: false, reason: NO_KEY }
  const { kid, alg, d, kty } = jwk as JWK
  if (typeof kid !== 'string' || typeof alg !== 'string' || d === undefined || kty === 'oct') {
    return { ok: false, reason: NO_KEY }
  }
  try {
    const key = await importJWK(jwk as JWK, alg)
    const sign = (claims: Claims) => new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'at+jwt' }).sign(key)
    await sign({})
    return { ok: true, issuer: { keyId: kid, sign } }
  } catch {
    // The library's messages may name parts of the key.
    return { ok: false, reason: `is not a valid ${alg} key` }
  }
}
