/**
 * Signed notes (https://c2sp.org/signed-note): text, an empty line, signatures. Ed25519 alone; other signatures on a note
 * are passed over, as the form asks.
 */

/** Signs notes under a name. */
export interface NoteSigner {
  readonly name: string
  /** Tells the keys of one name apart. */
  readonly keyId: Uint8Array<ArrayBuffer>
  readonly privateKey: CryptoKey
}

/** Checks the signatures of one key. */
export interface NoteVerifier {
  readonly publicKey: CryptoKey
  /** The raw 32 bytes, which key ids are made of. */
  readonly rawPublicKey: Uint8Array<ArrayBuffer>
}

const ALGORITHM = 'Ed25519'
/** The number of Ed25519 in the form. */
const SIGNATURE_TYPE = 1
const KEY_ID_BYTES = 4
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/

const encoder = new TextEncoder()

/** A JWK of an Ed25519 key; `d` is there in a private one. */
interface Ed25519Jwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly d?: string
}

export type KeyResult<T> = { readonly ok: true; readonly key: T } | { readonly ok: false; readonly reason: string }

/** Takes a private JWK. The reason never holds a part of it. */
export async function createNoteSigner(jwk: unknown, name: string): Promise<KeyResult<NoteSigner>> {
  if (!isEd25519(jwk) || jwk.d === undefined) return { ok: false, reason: 'it is no private Ed25519 key (JWK)' }
  const { kty, crv, x, d } = jwk
  try {
    const privateKey = await crypto.subtle.importKey('jwk', { kty, crv, x, d }, ALGORITHM, false, ['sign'])
    return { ok: true, key: { name, keyId: await keyIdOf(name, bytesOf(x)), privateKey } }
  } catch {
    return { ok: false, reason: 'it is no usable Ed25519 key' }
  }
}

/** Takes a public JWK, or the public part of a private one. */
export async function createNoteVerifier(jwk: unknown): Promise<KeyResult<NoteVerifier>> {
  if (!isEd25519(jwk)) return { ok: false, reason: 'it is no Ed25519 key (JWK)' }
  const { kty, crv, x } = jwk
  try {
    const publicKey = await crypto.subtle.importKey('jwk', { kty, crv, x }, ALGORITHM, false, ['verify'])
    return { ok: true, key: { publicKey, rawPublicKey: bytesOf(x) } }
  } catch {
    return { ok: false, reason: 'it is no usable Ed25519 key' }
  }
}

/** Takes a JWK as above, or a set of them (JWKS): keys that were changed are kept in one, so that old notes count. */
export async function createNoteVerifiers(value: unknown): Promise<KeyResult<readonly NoteVerifier[]>> {
  const { keys } = (value ?? {}) as { keys?: unknown }
  const verifiers: NoteVerifier[] = []
  for (const jwk of Array.isArray(keys) ? keys : [value]) {
    const created = await createNoteVerifier(jwk)
    if (created.ok) verifiers.push(created.key)
    else if (!Array.isArray(keys)) return created
  }
  return verifiers.length > 0 ? { ok: true, key: verifiers } : { ok: false, reason: 'it has no Ed25519 key' }
}

/** `text` ends with a line feed. */
export async function signNote({ name, keyId, privateKey }: NoteSigner, text: string): Promise<string> {
  const signature = new Uint8Array(await crypto.subtle.sign(ALGORITHM, privateKey, encoder.encode(text)))
  return `${text}\n— ${name} ${base64([...keyId, ...signature])}\n`
}

/** The text of a note that this key has signed, or why it is none. */
export async function openNote(
  { publicKey, rawPublicKey }: NoteVerifier,
  note: string,
): Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }> {
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) return { ok: false, reason: 'not a signed note' }
  const text = note.slice(0, split + 1)
  let isOurs = false
  for (const line of note.slice(split + 2, -1).split('\n')) {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? []
    if (name === undefined || encoded === undefined) return { ok: false, reason: 'a signature line is malformed' }
    const bytes = bytesOf(encoded)
    const keyId = await keyIdOf(name, rawPublicKey)
    if (!keyId.every((byte, at) => byte === bytes[at])) continue
    isOurs = true
    const signature = bytes.subarray(KEY_ID_BYTES)
    if (await crypto.subtle.verify(ALGORITHM, publicKey, signature, encoder.encode(text))) return { ok: true, text }
  }
  return { ok: false, reason: isOurs ? 'the signature is wrong' : 'not signed by this key' }
}

/** The verifier's key as other tools take it: `name+hash+key`. */
export async function verifierKey({ rawPublicKey }: NoteVerifier, name: string): Promise<string> {
  const keyId = await keyIdOf(name, rawPublicKey)
  const hash = [...keyId].map(byte => byte.toString(16).padStart(2, '0')).join('')
  return `${name}+${hash}+${base64([SIGNATURE_TYPE, ...rawPublicKey])}`
}

async function keyIdOf(name: string, publicKey: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const data = new Uint8Array([...encoder.encode(name), 0x0a, SIGNATURE_TYPE, ...publicKey])
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data)).slice(0, KEY_ID_BYTES)
}

function isEd25519(value: unknown): value is Ed25519Jwk {
  const jwk = value as Partial<Record<keyof Ed25519Jwk, unknown>> | null
  return (
    typeof jwk === 'object' &&
    jwk?.kty === 'OKP' &&
    jwk.crv === 'Ed25519' &&
    typeof jwk.x === 'string' &&
    /^[\w-]{43}$/.test(jwk.x) &&
    (jwk.d === undefined || typeof jwk.d === 'string')
  )
}

function base64(bytes: readonly number[]): string {
  return btoa(String.fromCharCode(...bytes))
}

/** Of base64, the URL's form too. The alphabet has been checked. */
function bytesOf(encoded: string): Uint8Array<ArrayBuffer> {
  try {
    const text = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(text, character => character.charCodeAt(0))
  } catch {
    return new Uint8Array(0)
  }
}
