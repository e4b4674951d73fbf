import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** PEM texts. Without `ca`, the runtime's default trust: Node and Bun add to it what NODE_EXTRA_CA_CERTS names. */
export interface RedisTls {
  readonly rejectUnauthorized: true
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

type Files = Partial<Record<'ca' | 'cert' | 'key', string>>

/**
 * Options of TLS that say what the files say now: ioredis copies them for each connection, and so gets a renewed certificate
 * with the next one. Files that are being replaced, or belong to none of the others, are passed over: what was read last goes on.
 * @throws TypeError at first, for a file that cannot be used
 */
export function tlsFiles(files: Files): RedisTls {
  let texts = read(files)
  const names = Object.keys(files) as (keyof Files)[]
  const options = Object.defineProperty({}, 'rejectUnauthorized', {
    enumerable: true,
    // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment changes nothing. It is copied first, the texts behind.
    get() {
      try {
        texts = read(files)
      } catch {
        // As they were.
      }
      return true
    },
  })
  for (const name of names) Object.defineProperty(options, name, { enumerable: true, get: () => texts[name] })
  return options as RedisTls
}

function read(files: Files): Files {
  const texts = Object.fromEntries(Object.entries(files).map(([name, path]) => [name, readPem(path)])) as Files
  try {
    createSecureContext(texts)
  } catch {
    throw new TypeError(`${Object.values(files).join(', ')}: no certificates and key that belong together`)
  }
  return texts
}

function readPem(path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN ')) return text
  } catch (error) {
    throw new TypeError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`)
  }
  throw new TypeError(`${path} is no PEM file`)
}
