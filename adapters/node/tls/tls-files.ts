import type { X509Certificate } from 'node:crypto'
import { StartError } from '../start-error.ts'
import { parseCertificates, parsePrivateKey, pemBlocks, readPem } from './pem.ts'
import { type RevocationList, readRevocationList } from './revocation-list.ts'

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
  readonly certificate: X509Certificate
  readonly clientAuth: 'required' | 'optional' | 'off'
  /** Empty with `off`. */
  readonly authorities: readonly X509Certificate[]
  readonly revocationLists: readonly RevocationList[]
}

/** Something of a listener that ends. */
export interface Ending {
  readonly what: 'server_certificate' | 'client_authority' | 'revocation_list'
  readonly file: string
  readonly endsAtMs: number
}

/**
 * Reads and checks the files of a TLS listener.
 * @throws StartError naming the file at fault
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const cert = await readPem(files.cert)
  const key = await readPem(files.key)
  const [certificate] = parseCertificates(cert, files.cert)
  if (!certificate.checkPrivateKey(parsePrivateKey(key, files.key))) {
    throw new StartError(`${files.key}: this key does not belong to the certificate in ${files.cert}`)
  }
  const clientAuth = files.clientAuth ?? (files.clientCa === undefined ? 'off' : 'required')
  if (clientAuth === 'off') return { cert, key, certificate, clientAuth, authorities: [], revocationLists: [] }
  if (files.clientCa === undefined) throw new StartError('client certificates need a file of authorities')
  const authorities = parseCertificates(await readPem(files.clientCa), files.clientCa)
  const revocationLists = files.crl === undefined ? [] : await readLists(files.crl, authorities)
  return { cert, key, certificate, clientAuth, authorities, revocationLists }
}

async function readLists(file: string, authorities: readonly X509Certificate[]): Promise<RevocationList[]> {
  const blocks = pemBlocks(await readPem(file), 'X509 CRL')
  if (blocks.length === 0) throw new StartError(`${file}: not a PEM revocation list (X509 CRL)`)
  const lists: RevocationList[] = []
  for (const block of blocks) {
    const read = await readRevocationList(block, authorities)
    if (!read.ok) throw new StartError(`${file}: ${read.reason}`)
    lists.push(read.list)
  }
  return lists
}

/** What of a listener ends, and when. */
export function endingsOf(files: TlsFiles, material: TlsMaterial): Ending[] {
  const { certificate, authorities, revocationLists } = material
  const { cert, clientCa = '', crl = '' } = files
  return [
    { what: 'server_certificate', file: cert, endsAtMs: Date.parse(certificate.validTo) },
    ...authorities.map(
      ({ validTo }): Ending => ({
        what: 'client_authority',
        file: clientCa,
        endsAtMs: Date.parse(validTo),
      }),
    ),
    ...revocationLists.map(({ endsAtMs }): Ending => ({ what: 'revocation_list', file: crl, endsAtMs })),
  ]
}
