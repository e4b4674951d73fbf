import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { MAX_PEM_BYTES } from '../../../src/config/limits.ts'
import { readText } from '../read-text.ts'
import { StartError } from '../start-error.ts'

/** @throws StartError naming the file */
export async function readPem(file: string): Promise<string> {
  const read = await readText(file, MAX_PEM_BYTES)
  if (!read.ok) throw new StartError(`${file}: ${read.reason}`)
  return read.text
}

/** The blocks of one kind (`CERTIFICATE`, `X509 CRL`) in a text, as PEM. */
export function pemBlocks(text: string, kind: string): string[] {
  return text.match(new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----`, 'g')) ?? []
}

/** The bytes of a block. */
export function derOf(block: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(block.replaceAll(/-----[^-]+-----/g, ''), 'base64'))
}

export function toPem(der: ArrayBuffer | Uint8Array, kind: string): string {
  const lines =
    Buffer.from(der as Uint8Array)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${kind}-----\n${lines.join('\n')}\n-----END ${kind}-----\n`
}

/**
 * All certificates of a file, in its order: at least one.
 * @throws StartError naming the file
 */
export function parseCertificates(pem: string, file: string): [X509Certificate, ...X509Certificate[]] {
  try {
    const [first, ...others] = pemBlocks(pem, 'CERTIFICATE').map(block => new X509Certificate(block))
    if (first !== undefined) return [first, ...others]
  } catch {
    // Told below.
  }
  throw new StartError(`${file}: not a PEM certificate`)
}

/**
 * The cause is left out: a parser's message about a private key is not for logs.
 * @throws StartError naming the file
 */
export function parsePrivateKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new StartError(`${file}: not a PEM private key without passphrase`)
  }
}
