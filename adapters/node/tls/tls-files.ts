import type { X509Certificate } from 'node:crypto'
import { describeCertificate } from '../certificates.ts'
import { StartError } from '../start-error.ts'
import { type Ending, endingsIn } from './expiry.ts'
import { parseCertificates, parsePrivateKey, pemBlocks, readPem } from './pem.ts'
import { type RevocationList, readRevocationList } from './revocation-list.ts'
import { endOf, isSignedBy } from './trust.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server's certificate, followed by its intermediates. */
  readonly cert: string
  readonly key: string
  /** The authorities whose client certificates count. */
  readonly clientCa?: string | undefined
  /** By default `required` where there is a `clientCa`. */
  readonly clientAuth?: 'required' | 'optional' | 'off' | undefined
  /** Lists of revoked client certificates, one for each authority. */
  readonly crl?: string | undefined
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
}

/** The files' contents, known to be usable. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  /** The server's certificate, and its intermediates. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]]
  readonly clientAuth: 'required' | 'optional' | 'off'
  /** Empty with `off`. */
  readonly authorities: readonly X509Certificate[]
  readonly revocationLists: readonly RevocationList[]
  /** When the first of the lists ends: nobody is let in by a certificate from then on. */
  readonly listsEndAtMs: number
  /** When the first of the authorities ends, and callers may be without one that vouches for them. */
  readonly authoritiesEndAtMs: number
}

/**
 * Reads and checks the files of a TLS listener.
 * @throws StartError naming the file at fault
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const cert = await readPem(files.cert)
  const key = await readPem(files.key)
  const chain = parseCertificates(cert, files.cert)
  const [certificate] = chain
  if (!certificate.checkPrivateKey(parsePrivateKey(key, files.key))) {
    throw new StartError(`${files.key}: this key does not belong to the certificate in ${files.cert}`)
  }
  refuseEnded(files.cert, endOf(certificate))
  const clientAuth = files.clientAuth ?? (files.clientCa === undefined ? 'off' : 'required')
  const server = { cert, key, chain, clientAuth }
  if (clientAuth === 'off') {
    const nobody = { authorities: [], revocationLists: [] }
    return { ...server, ...nobody, listsEndAtMs: Infinity, authoritiesEndAtMs: Infinity }
  }
  if (files.clientCa === undefined) throw new StartError('client certificates need a file of authorities')
  const authorities = await readAuthorities(files.clientCa)
  const revocationLists = files.crl === undefined ? [] : await readLists(files.crl, authorities)
  const listsEndAtMs = Math.min(...revocationLists.map(({ endsAtMs }) => endsAtMs))
  const authoritiesEndAtMs = Math.min(...authorities.map(endOf))
  return { ...server, authorities, revocationLists, listsEndAtMs, authoritiesEndAtMs }
}

/** Those that can be at the end of a chain: TLS libraries take no intermediate for one. */
async function readAuthorities(file: string): Promise<X509Certificate[]> {
  const authorities = parseCertificates(await readPem(file), file)
  const lost = authorities.find(one => !authorities.some(other => isSignedBy(one, other)))
  if (lost === undefined) return authorities
  throw new StartError(
    `${file}: ${nameOf(lost)} is signed by an authority that is not in the file; put that one in too`,
  )
}

async function readLists(file: string, authorities: readonly X509Certificate[]): Promise<RevocationList[]> {
  const blocks = pemBlocks(await readPem(file), 'X509 CRL')
  if (blocks.length === 0) throw new StartError(`${file}: not a PEM revocation list (X509 CRL)`)
  const lists: RevocationList[] = []
  for (const block of blocks) {
    const read = await readRevocationList(block, authorities)
    if (!read.ok) throw new StartError(`${file}: ${read.reason}`)
    refuseEnded(file, read.list.endsAtMs)
    lists.push(read.list)
  }
  // Nobody of such an authority would be let in.
  const lost = authorities.find(
    ({ publicKey }) => !lists.some(({ authority }) => authority.publicKey.equals(publicKey)),
  )
  if (lost !== undefined) throw new StartError(`${file}: has no list of ${nameOf(lost)}, an authority of tls.clientCa`)
  return lists
}

function refuseEnded(file: string, endsAtMs: number): void {
  if (endsAtMs <= Date.now()) throw new StartError(`${file}: has expired (${new Date(endsAtMs).toISOString()})`)
}

function nameOf(certificate: X509Certificate): string {
  return describeCertificate(certificate).subject
}

/** What of a listener ends, and when. */
export function endingsOf(files: TlsFiles, material: TlsMaterial): Ending[] {
  const { chain, authorities, revocationLists } = material
  const { cert, clientCa = '', crl = '' } = files
  return [
    ...endingsIn('server_certificate', cert, chain),
    ...endingsIn('client_authority', clientCa, authorities),
    ...revocationLists.map(({ endsAtMs }): Ending => ({ what: 'revocation_list', file: crl, endsAtMs })),
  ]
}
