import { stat } from 'node:fs/promises'
import type { LoadedKeys, LoadKeys } from '../../src/auth/key-source.ts'
import { KEY_FILE_TIMEOUT_MS, MAX_JWKS_BYTES } from '../../src/config/limits.ts'
import { withDeadline } from './deadline.ts'
import { reasonOf } from './error-code.ts'
import { readText } from './read-text.ts'

/**
 * Loads a JWK Set from a file, which is read only where it is another than at the last look: other inode, size or
 * time of change. A link is followed, so that a mounted folder may be swapped as a whole.
 */
export function keyFile(path: string): LoadKeys {
  let known: string | undefined

  async function look(inForce: boolean): Promise<LoadedKeys> {
    const found = await fingerprintOf(path)
    if (inForce && found !== undefined && found === known) return { ok: true, unchanged: true }
    const file = await readText(path, MAX_JWKS_BYTES)
    if (!file.ok) return { ok: false, reason: `${path} cannot be read: ${file.reason}` }
    const jwks = parsed(file.text)
    if (jwks === undefined) return { ok: false, reason: `${path} is not valid JSON` }
    known = found
    return { ok: true, jwks }
  }

  return async function loadKeyFile(inForce) {
    try {
      return await withDeadline(look(inForce), KEY_FILE_TIMEOUT_MS, `${path} cannot be read: the disk does not answer`)
    } catch (error) {
      return { ok: false, reason: reasonOf(error) }
    }
  }
}

async function fingerprintOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`
  } catch {
    return undefined
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
