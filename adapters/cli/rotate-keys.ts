import { join } from 'node:path'
import type { TokenAlgorithm } from '../../src/config/config.ts'
import { MAX_JWKS_KEYS, MAX_TOKEN_LIFETIME_MS } from '../../src/config/limits.ts'
import { reasonOf } from '../node/error-code.ts'
import { takeLock } from '../node/file-lock.ts'
import { CommandFailure } from './failure.ts'
import {
  makeKey,
  PRIVATE_MODE,
  PUBLIC_KEYS,
  PUBLIC_MODE,
  readKeyFile,
  SIGNING_KEY,
  type StoredKey,
  writeKeyFile,
} from './key-files.ts'

/** A public key in the set: `exp` (seconds since the epoch) once it signs no more, when its last token has expired. */
export type PublicKey = Record<string, unknown> & { readonly kid?: unknown; readonly exp?: unknown }

export interface Rotation {
  readonly kid: string
  /** The key that signed until now. */
  readonly replaced: string
  /** Until when it is still accepted, seconds since the epoch; undefined where it was discarded. */
  readonly acceptedUntil: number | undefined
  /** Keys that went because their last token has expired. */
  readonly removed: readonly string[]
}

export interface RotateOptions {
  /** By default the algorithm of the key that is replaced. */
  readonly alg?: TokenAlgorithm
  /** Takes the replaced key out at once: every token it has signed is refused from then on. */
  readonly discard: boolean
  readonly nowMs: number
}

/**
 * Makes a new signing key. The one it replaces stays in the public set until its last token has expired. The set is written
 * first: a crash in between leaves a public key that nothing is signed with, and never a token that no key is there for.
 */
export function rotateKeys(dir: string, { alg, discard, nowMs }: RotateOptions): Promise<Rotation> {
  return locked(dir, async () => {
    const signing = join(dir, SIGNING_KEY)
    const old = (await readKeyFile(signing)) as Partial<StoredKey> | null
    if (typeof old?.kid !== 'string' || typeof old.alg !== 'string' || old.d === undefined) {
      throw new CommandFailure(
        `${signing} is no private signing key with "kid" and "alg" (sallyport keys init makes one)`,
      )
    }
    const now = Math.floor(nowMs / 1000)
    const acceptedUntil = now + MAX_TOKEN_LIFETIME_MS / 1000
    const made = await makeKey(alg ?? (old.alg as TokenAlgorithm), nowMs)
    const { kept, removed } = withoutExpired(await readPublicKeys(dir), now)
    const others = kept.flatMap(key => {
      if (key.kid !== old.kid) return [key]
      return discard ? [] : [{ ...key, exp: acceptedUntil }]
    })
    await writePublicKeys(dir, [made.publicKey, ...others])
    await writeKeyFile(signing, made.privateKey, PRIVATE_MODE, true)
    return {
      kid: made.publicKey.kid,
      replaced: old.kid,
      acceptedUntil: discard ? undefined : acceptedUntil,
      removed: removed.map(({ kid }) => String(kid)),
    }
  })
}

/** Takes the keys out of the public set whose last token has expired; returns what is left. */
export function pruneKeys(dir: string, nowMs: number): Promise<readonly PublicKey[]> {
  return locked(dir, async () => {
    const { kept, removed } = withoutExpired(await readPublicKeys(dir), Math.floor(nowMs / 1000))
    if (removed.length > 0) await writePublicKeys(dir, kept)
    return kept
  })
}

/** @throws CommandFailure where the file cannot be read, or is no JWK Set */
export async function readPublicKeys(dir: string): Promise<readonly PublicKey[]> {
  const path = join(dir, PUBLIC_KEYS)
  const content = await readKeyFile(path)
  const keys = typeof content === 'object' && content !== null && 'keys' in content ? content.keys : undefined
  if (!Array.isArray(keys) || !keys.every(isObject)) throw new CommandFailure(`${path} is no JWK Set`)
  return keys
}

async function writePublicKeys(dir: string, keys: readonly PublicKey[]): Promise<void> {
  if (keys.length === 0) throw new CommandFailure(`${join(dir, PUBLIC_KEYS)}: no key would be left`)
  if (keys.length > MAX_JWKS_KEYS) {
    const why = `no gateway takes more than ${MAX_JWKS_KEYS} keys; --discard-old makes room, and refuses the tokens of the old one`
    throw new CommandFailure(`${join(dir, PUBLIC_KEYS)}: ${why}`)
  }
  await writeKeyFile(join(dir, PUBLIC_KEYS), { keys }, PUBLIC_MODE, true)
}

function withoutExpired(keys: readonly PublicKey[], now: number) {
  const isOver = ({ exp }: PublicKey) => typeof exp === 'number' && exp <= now
  return { kept: keys.filter(key => !isOver(key)), removed: keys.filter(isOver) }
}

/** One at a time changes the keys of a folder; a lock that a crash has left is taken over. */
async function locked<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock(join(dir, '.rotate.lock')).catch((error: unknown) => {
    throw new CommandFailure(`${dir}: the keys cannot be changed now: ${reasonOf(error)}`)
  })
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

function isObject(value: unknown): value is PublicKey {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
