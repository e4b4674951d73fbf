import { chmod, link, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { TokenAlgorithm } from '../../src/config/config.ts'
import { errorCode, reasonOf } from '../node/error-code.ts'
import { readText } from '../node/read-text.ts'
import { CommandFailure } from './failure.ts'

/** Names inside the key folder. */
export const SIGNING_KEY = 'signing.jwk.json'
export const PUBLIC_KEYS = 'public.jwks.json'
export const AUDIT_KEY = 'audit-signing.jwk.json'

const MAX_KEY_FILE_BYTES = 256 * 1024
const RSA_BITS = 3072

/** A JWK of ours: `iat` (seconds since the epoch) says when it was made. */
export type StoredKey = JWK & { readonly kid: string; readonly alg: string; readonly iat?: number }

export interface NewKey {
  readonly privateKey: StoredKey
  readonly publicKey: StoredKey
}

/** Makes a key pair; its `kid` is the RFC 7638 thumbprint, so it names this key and no other. */
export async function makeKey(alg: TokenAlgorithm, nowMs: number): Promise<NewKey> {
  const pair = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS })
  const publicPart = await exportJWK(pair.publicKey)
  const common = { kid: await calculateJwkThumbprint(publicPart), alg, use: 'sig', iat: Math.floor(nowMs / 1000) }
  return {
    privateKey: { ...(await exportJWK(pair.privateKey)), ...common },
    publicKey: { ...publicPart, ...common },
  }
}

/** Writes JSON as `writeTextFile` does. */
export function writeKeyFile(path: string, value: unknown, mode: number, replace: boolean): Promise<void> {
  return writeTextFile(path, `${JSON.stringify(value, undefined, 2)}\n`, mode, replace)
}

/**
 * Writes a file at once or not at all. `replace` false: fails where the file exists. `mode` counts from the first byte,
 * so a private key is never readable by others.
 */
export async function writeTextFile(path: string, text: string, mode: number, replace: boolean): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    {
      await using file = await open(temporary, 'wx', mode)
      // The process's umask may have taken bits away from a public file.
      await chmod(temporary, mode)
      await file.writeFile(text)
      await file.sync()
    }
    if (replace) await rename(temporary, path)
    else await link(temporary, path)
  } catch (error) {
    const reason = errorCode(error) === 'EEXIST' ? 'it is already there' : reasonOf(error)
    throw new CommandFailure(`${path} cannot be written: ${reason}`)
  } finally {
    await rm(temporary, { force: true })
  }
}

export const PRIVATE_MODE = 0o600
/** The gateway reads it, often under another user, and needs no more than this. */
export const PUBLIC_MODE = 0o644

/** Makes the gateway's keys: one that signs tokens, its public part, and one for the audit log. Returns its `kid`. */
export async function createKeyFiles(dir: string, alg: TokenAlgorithm, replace: boolean): Promise<string> {
  const now = Date.now()
  const signing = await makeKey(alg, now)
  const audit = await makeKey('EdDSA', now)
  await writeKeyFile(join(dir, SIGNING_KEY), signing.privateKey, PRIVATE_MODE, replace)
  await writeKeyFile(join(dir, AUDIT_KEY), audit.privateKey, PRIVATE_MODE, replace)
  await writeKeyFile(join(dir, PUBLIC_KEYS), { keys: [signing.publicKey] }, PUBLIC_MODE, replace)
  return signing.publicKey.kid
}

/** Makes the folder, closed to others, where it is not there yet. */
export async function makeKeyFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CommandFailure(`${path} cannot be made: ${reasonOf(error)}`)
  }
}

/** Whether group or others may read a path. */
export async function isOpenToOthers(path: string): Promise<boolean> {
  return ((await stat(path)).mode & 0o077) !== 0
}

/** Reads JSON from a key file. Messages never hold its content. */
export async function readKeyFile(path: string): Promise<unknown> {
  const file = await readText(path, MAX_KEY_FILE_BYTES)
  if (!file.ok) throw new CommandFailure(`${path} cannot be read: ${file.reason}`)
  try {
    return JSON.parse(file.text) as unknown
  } catch {
    throw new CommandFailure(`${path} is not valid JSON`)
  }
}
