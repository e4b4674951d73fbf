import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { MAX_PEM_BYTES } from '../../src/config/limits.ts'
import { readText } from './read-text.ts'
import { StartError } from './start-error.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server's certificate, followed by its intermediates. */
  readonly cert: string
  readonly key: string
  /** Present: a client must show a certificate that these authorities have signed. */
  readonly clientCa?: string | undefined
}

/** The files' contents, known to be usable. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  readonly clientCa: string | undefined
}

/**
 * Reads and checks the files of a TLS listener.
 * @throws StartError naming the file at fault
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const cert = await readPem(files.cert)
  const key = await readPem(files.key)
  const clientCa = files.clientCa === undefined ? undefined : await readPem(files.clientCa)
  if (clientCa !== undefined) parseCertificate(clientCa, files.clientCa as string)
  if (!parseCertificate(cert, files.cert).checkPrivateKey(parseKey(key, files.key))) {
    throw new StartError(`${files.key}: this key does not belong to the certificate in ${files.cert}`)
  }
  return { cert, key, clientCa }
}

async function readPem(path: string): Promise<string> {
  const file = await readText(path, MAX_PEM_BYTES)
  if (!file.ok) throw new StartError(`${path}: ${file.reason}`)
  return file.text
}

function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new StartError(`${file}: not a PEM certificate`, { cause: error })
  }
}

/** The cause is left out: a parser's message about a private key is not for logs. */
function parseKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new StartError(`${file}: not a PEM private key without passphrase`)
  }
}
