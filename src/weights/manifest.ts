import { base64url, CompactSign, compactVerify, importJWK, type JWK } from 'jose'
import * as v from 'valibot'
import { canonicalJson } from '../audit/canonical-json.ts'
import { FORMATS } from './formats.ts'

/** The name of a manifest in the folder that it is about. */
export const MANIFEST_NAME = 'sallyport-weights.json'
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024
export const MAX_WEIGHT_FILES = 100_000

/** Keeps a signature for a manifest from being taken for one of anything else that the same key signs. */
const TYPE = 'sallyport-weights+jws'
const ALGORITHM = 'EdDSA'

/** Separated by slashes, without empty parts, `.` and `..`. */
const PATH = /^(?!\.{1,2}(?:\/|$))[^/\p{Cc}]+(?:\/(?!\.{1,2}(?:\/|$))[^/\p{Cc}]+)*$/u

const MANIFEST = v.strictObject({
  version: v.literal(1),
  sealed: v.pipe(v.string(), v.isoTimestamp()),
  files: v.pipe(
    v.array(
      v.strictObject({
        path: v.pipe(v.string(), v.maxLength(4096), v.regex(PATH)),
        size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
        mode: v.pipe(v.string(), v.regex(/^[0-7]{4}$/)),
        sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        format: v.picklist(FORMATS),
      }),
    ),
    v.maxLength(MAX_WEIGHT_FILES),
    v.check(files => new Set(files.map(({ path }) => path)).size === files.length, 'a path comes twice'),
  ),
})

const SEALED = v.strictObject({ manifest: MANIFEST, signature: v.string() })

/** What is sealed of a folder. `mode` is octal; `sealed` is ISO 8601. Paths are relative to the folder. */
export type Manifest = v.InferOutput<typeof MANIFEST>
export type SealedFile = Manifest['files'][number]

export type Opened =
  | { readonly ok: true; readonly manifest: Manifest; readonly keyId: string }
  /** The reason says something of the file: "is not signed by a key in …". */
  | { readonly ok: false; readonly reason: string }

/**
 * The file of a manifest: the manifest, and a detached JWS (RFC 7515, appendix F) over its canonical JSON (RFC 8785).
 * @returns the text of the file, or undefined where the JWK is no private Ed25519 key with a `kid`
 */
export async function signManifest(manifest: Manifest, jwk: unknown): Promise<string | undefined> {
  const [key] = ed25519Keys(jwk)
  if (key?.kid === undefined || key.d === undefined) return undefined
  const payload = new TextEncoder().encode(canonicalJson(manifest))
  try {
    const signed = await new CompactSign(payload)
      .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: TYPE })
      .sign(await importJWK(key, ALGORITHM))
    const [header, , signature] = signed.split('.')
    return `${canonicalJson({ manifest, signature: `${header}..${signature}` })}\n`
  } catch {
    // The library's messages may name parts of the key.
    return undefined
  }
}

/**
 * Reads the file of a manifest and checks its signature.
 * @param jwks the key, as a JWK (of a private one the public part counts), or several as a JWK Set
 */
export async function openManifest(text: string, jwks: unknown): Promise<Opened> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), SEALED), text)
  if (!parsed.success) {
    const [issue] = parsed.issues
    return { ok: false, reason: `is no manifest of weights: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}` }
  }
  const { manifest, signature } = parsed.output
  const keys = ed25519Keys(jwks)
  if (keys.length === 0) return { ok: false, reason: 'cannot be checked: the key file has no Ed25519 key with a "kid"' }
  const payload = base64url.encode(canonicalJson(manifest))
  const [header, ...rest] = signature.split('.')
  if (rest.length !== 2 || rest[0] !== '') return { ok: false, reason: 'is not signed: "signature" is no detached JWS' }
  try {
    let keyId = ''
    const keyOf = async ({ kid }: { kid?: string }) => {
      const found = keys.find(key => key.kid === kid)
      if (!found?.kid) throw new UnknownKey(kid)
      keyId = found.kid
      const { kty, crv, x } = found
      return importJWK({ kty, crv, x } as JWK, ALGORITHM)
    }
    const { protectedHeader } = await compactVerify(`${header}.${payload}.${rest[1]}`, keyOf, {
      algorithms: [ALGORITHM],
    })
    if (protectedHeader.typ !== TYPE)
      return { ok: false, reason: 'is signed as something else than a manifest of weights' }
    return { ok: true, manifest, keyId }
  } catch (error) {
    if (error instanceof UnknownKey) return { ok: false, reason: error.message }
    return { ok: false, reason: 'has a wrong signature: it was changed after it was sealed' }
  }
}

class UnknownKey extends Error {
  constructor(kid: string | undefined) {
    super(kid === undefined ? 'names no key that signed it' : `is signed by another key (kid ${JSON.stringify(kid)})`)
  }
}

function ed25519Keys(value: unknown): JWK[] {
  if (typeof value !== 'object' || value === null) return []
  const all: unknown[] = 'keys' in value && Array.isArray(value.keys) ? value.keys : [value]
  return all.filter((key): key is JWK => {
    if (typeof key !== 'object' || key === null) return false
    const { kty, crv, x, kid } = key as JWK
    return kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string' && typeof kid === 'string'
  })
}
