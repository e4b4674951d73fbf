import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../../../src/ports/transport.ts'
import { describeCertificate } from '../certificates.ts'

/** The certificate that a caller proved to have. */
export interface Peer {
  readonly identity: ClientCertificate
  readonly certificate: X509Certificate
  readonly endsAtMs: number
}

/** Read once a connection. */
const peers = new WeakMap<object, Peer>()

/** Who is at the other end of a connection, by a verified certificate; undefined without one. Cheap from the second call on. */
export function peerOf(socket: object): Peer | undefined {
  if ((socket as Partial<TLSSocket>).authorized !== true) return undefined
  const known = peers.get(socket)
  if (known !== undefined) return known
  const certificate = shownBy(socket as TLSSocket)
  if (certificate === undefined) return undefined
  const peer = {
    identity: describeCertificate(certificate),
    certificate,
    endsAtMs: Date.parse(certificate.validTo),
  }
  peers.set(socket, peer)
  return peer
}

/** The certificate that a caller has shown, verified or not. */
export function shownBy(socket: TLSSocket): X509Certificate | undefined {
  return socket.getPeerX509Certificate()
}

/** The certificate and those that vouch for it, as far as the runtime tells. */
export function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  const seen = new Set<string>()
  let link: ReturnType<TLSSocket['getPeerCertificate']> | undefined = socket.getPeerCertificate(true)
  while (link?.raw !== undefined && !seen.has(link.fingerprint256)) {
    seen.add(link.fingerprint256)
    chain.push(new X509Certificate(link.raw))
    link = (link as { issuerCertificate?: typeof link }).issuerCertificate
  }
  return chain
}
