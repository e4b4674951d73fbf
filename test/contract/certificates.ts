import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Made, makeAuthority, makeLeaf, type Signer } from '../../adapters/cli/certs/make-certificate.ts'
import { makeRevocationList } from '../../adapters/cli/certs/make-revocation-list.ts'
import { signerOf } from '../support/certificates.ts'

/** A certificate and its key, as clients of node:tls take them. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** Certificates of one authority in a folder, and some that are not good. */
export interface Files {
  readonly dir: string
  /** Paths. */
  readonly cert: string
  readonly key: string
  readonly clientCa: string
  readonly crl: string
  /** PEM of the authority. */
  readonly ca: string
  readonly signer: Signer
  readonly foreignCa: Made
  readonly client: Identity & { readonly made: Made }
  readonly other: Identity & { readonly made: Made }
  readonly foreign: Identity
  readonly expired: Identity
  /** A server's certificate. */
  readonly wrong: Identity
  path(name: string, content: string): string
  /** A client's certificate that ends in so many seconds. */
  endingIn(seconds: number): Identity
  /** Writes the list of revoked certificates anew. */
  revoke(...made: readonly Made[]): void
  remove(): void
}

const DAY_MS = 86_400_000
const LOOPBACK = [
  { kind: 'dns', value: 'localhost' },
  { kind: 'ip', value: '127.0.0.1' },
] as const

export function makeFiles(): Files {
  const dir = mkdtempSync(join(tmpdir(), 'tls-'))
  const now = Date.now()
  const path = (name: string, content: string): string => {
    writeFileSync(join(dir, name), content)
    return join(dir, name)
  }
  const authority = makeAuthority('Test CA', 30, now)
  const foreignCa = makeAuthority('Foreign CA', 30, now)
  const signer = signerOf(authority)
  const leaf = (name: string, by: Signer = signer, use: 'client' | 'server' = 'client', at = now, days = 2) => {
    const made = makeLeaf({ name, use, names: LOOPBACK }, by, days, at)
    return { cert: made.pem, key: made.keyPem, made }
  }
  const server = leaf('server', signer, 'server')
  const list = (...revoked: readonly Made[]): string => {
    let pem = makeRevocationList(signer, undefined, undefined, 5, Date.now())
    for (const { certificate } of revoked)
      pem = makeRevocationList(signer, pem, certificate.serialNumber, 5, Date.now())
    return pem
  }
  return {
    dir,
    cert: path('server.pem', server.cert),
    key: path('server-key.pem', server.key),
    clientCa: path('ca.pem', authority.pem),
    crl: path('crl.pem', list()),
    ca: authority.pem,
    signer,
    foreignCa,
    client: leaf('billing'),
    other: leaf('search'),
    foreign: leaf('billing', signerOf(foreignCa)),
    expired: leaf('late', signer, 'client', now - 10 * DAY_MS),
    wrong: server,
    path,
    endingIn: seconds => leaf('short', signer, 'client', Date.now() + seconds * 1000 - 2 * DAY_MS),
    revoke: (...revoked) => void path('crl.pem', list(...revoked)),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}
