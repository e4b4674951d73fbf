import { join, resolve } from 'node:path'
import { MANIFEST_NAME, MAX_MANIFEST_BYTES, type Opened, openManifest } from '../../../src/weights/manifest.ts'
import { readText } from '../read-text.ts'

const MAX_KEY_FILE_BYTES = 256 * 1024

/** Where the manifest of a folder is: in it, unless said otherwise. */
export function manifestPath(folder: string, manifest?: string): string {
  return resolve(manifest ?? join(folder, MANIFEST_NAME))
}

/** Reads the manifest at `path` and checks it with the keys in a file. A reason begins with the file that it is about. */
export async function readManifest(path: string, keyFile: string): Promise<Opened> {
  const keys = await readText(keyFile, MAX_KEY_FILE_BYTES)
  if (!keys.ok) return { ok: false, reason: `${keyFile} cannot be read: ${keys.reason}` }
  const jwks = parsed(keys.text)
  if (jwks === undefined) return { ok: false, reason: `${keyFile} is not valid JSON` }
  const file = await readText(path, MAX_MANIFEST_BYTES)
  if (!file.ok) return { ok: false, reason: `${path} cannot be read: ${file.reason}` }
  const opened = await openManifest(file.text, jwks)
  return opened.ok ? opened : { ok: false, reason: `${path} ${opened.reason}` }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
