import { X509Certificate } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, reasonOf } from '../../node/error-code.ts'
import { type FileLock, LockTaken, takeLock } from '../../node/file-lock.ts'
import { StartError } from '../../node/start-error.ts'
import { parseCertificates, parsePrivateKey, pemBlocks, readPem } from '../../node/tls/pem.ts'
import { isRevoked, type RevocationList, readRevocationList } from '../../node/tls/revocation-list.ts'
import { CommandFailure } from '../failure.ts'
import { writeTextFile } from '../key-files.ts'
import type { Made, Signer } from './make-certificate.ts'

/** Names inside the folder of certificates. */
export const AUTHORITY = 'ca.pem'
export const SERVER = 'server.pem'
export const REVOKED = 'crl.pem'
export const keyNameOf = (name: string): string => name.replace(/\.pem$/, '-key.pem')

const PRIVATE_MODE = 0o600
const PUBLIC_MODE = 0o644

/** How long to wait for another command: each takes well under a second. */
const LOCK_WAIT_MS = 10_000
const LOCK_POLL_MS = 50

/** Works on the folder while no other command does: of two that write the list at once, one would lose what it revokes. */
export async function alone(dir: string, work: () => Promise<void>): Promise<void> {
  const lock = await lockFolder(join(dir, '.lock'), performance.now() + LOCK_WAIT_MS)
  try {
    await work()
  } finally {
    await lock.release()
  }
}

async function lockFolder(path: string, untilMs: number): Promise<FileLock> {
  for (;;) {
    try {
      return await takeLock(path)
    } catch (error) {
      if (!(error instanceof LockTaken)) throw new CommandFailure(`${path} cannot be made: ${reasonOf(error)}`)
      if (performance.now() > untilMs) throw new CommandFailure(`${error.message}; try again when it is done`)
      await sleep(LOCK_POLL_MS)
    }
  }
}

/** Turns what the readers of PEM files say into a failure of the command. */
export async function told<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof StartError) throw new CommandFailure(error.message)
    throw error
  }
}

/** The first certificate of a file. */
export function readCertificate(path: string): Promise<X509Certificate> {
  return told(async () => parseCertificates(await readPem(path), path)[0])
}

/** The folder's authority, ready to sign. */
export async function readSigner(dir: string): Promise<Signer> {
  const path = join(dir, AUTHORITY)
  const keyPath = join(dir, keyNameOf(AUTHORITY))
  const certificate = await readCertificate(path)
  const key = await told(async () => parsePrivateKey(await readPem(keyPath), keyPath))
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new CommandFailure(`${keyPath}: not a key on P-256, as certs init makes them`)
  }
  if (!certificate.checkPrivateKey(key)) throw new CommandFailure(`${keyPath}: does not belong to ${path}`)
  if (Date.parse(certificate.validTo) <= Date.now()) {
    throw new CommandFailure(`${path}: has expired; certs renew ${path} gives it a new life`)
  }
  return { certificate, key }
}

/** Writes a certificate behind its key: who reads the pair in between finds that they do not fit, and not a wrong pair. */
export async function writePair(path: string, { pem, keyPem }: Made, replace: boolean): Promise<void> {
  await writeTextFile(keyNameOf(path), keyPem, PRIVATE_MODE, replace)
  await writeTextFile(path, pem, PUBLIC_MODE, replace)
}

export function writePublic(path: string, pem: string): Promise<void> {
  return writeTextFile(path, pem, PUBLIC_MODE, true)
}

/** The list of revoked certificates of the folder's authority; undefined where there is none yet. */
export async function readFolderList(dir: string, authority: X509Certificate): Promise<RevocationList | undefined> {
  const path = join(dir, REVOKED)
  const names = await namesIn(dir)
  if (!names.includes(REVOKED)) return undefined
  const [block = ''] = pemBlocks(await told(() => readPem(path)), 'X509 CRL')
  const read = await readRevocationList(block, [authority])
  if (!read.ok) {
    const reason = read.reason.replace('an authority of tls.clientCa', AUTHORITY)
    throw new CommandFailure(`${path}: ${reason}; move it away, and certs revoke begins another`)
  }
  return read.list
}

/** A certificate in the folder. */
export interface Listed {
  readonly file: string
  readonly certificate: X509Certificate
  readonly use: 'authority' | 'server' | 'client' | 'other'
  readonly revoked: boolean
}

/** Every certificate of the folder; files that hold none are left out. */
export async function listFolder(dir: string): Promise<Listed[]> {
  const found: { file: string; certificate: X509Certificate }[] = []
  for (const name of (await namesIn(dir)).filter(one => one.endsWith('.pem')).sort()) {
    const file = join(dir, name)
    const [block] = pemBlocks(await told(() => readPem(file)), 'CERTIFICATE')
    if (block !== undefined) found.push({ file, certificate: await told(() => parseCertificates(block, file)[0]) })
  }
  const authority = found.find(({ file }) => file === join(dir, AUTHORITY))?.certificate
  const list = authority && (await readFolderList(dir, authority))
  return found.map(({ file, certificate }) => ({
    file,
    certificate,
    use: useOf(certificate),
    revoked: list !== undefined && isRevoked(certificate, list),
  }))
}

export function useOf(certificate: X509Certificate): Listed['use'] {
  if (certificate.ca) return 'authority'
  const usages: readonly string[] = (certificate as { keyUsage?: readonly string[] }).keyUsage ?? []
  if (usages.includes('1.3.6.1.5.5.7.3.1')) return 'server'
  return usages.includes('1.3.6.1.5.5.7.3.2') ? 'client' : 'other'
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    const reason = errorCode(error) === 'ENOENT' ? 'there is no such folder' : reasonOf(error)
    throw new CommandFailure(`${dir}: ${reason}`)
  }
}
