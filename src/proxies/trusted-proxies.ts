import { VerdictCache } from '../auth/verdict-cache.ts'
import type { ProxiesConfig } from '../config/config.ts'
import { CLIENT_CERT_CACHE_ENTRIES, CLIENT_CERT_CACHE_MS } from '../config/limits.ts'
import type { Certificates } from '../ports/certificates.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClientCertificate, Connection } from '../ports/transport.ts'
import { readClientCert } from './client-cert-header.ts'
import { forwardedAddress } from './forwarded-for.ts'
import { createNetworkTest } from './networks.ts'

/** Who is behind a proxy, by its word. */
export interface Forwarded {
  readonly address: string
  readonly certificate: ClientCertificate | undefined
}

/** A trusted proxy said what cannot be read: nobody knows who calls. */
export interface Unreadable {
  readonly unreadable: string
}

/** Asks the proxies in front. Undefined for a connection that is not from one of them: its headers say nothing. */
export type AskProxy = (connection: Connection) => Forwarded | Unreadable | undefined

/**
 * Behind a proxy, the connection's own certificate is the proxy's, and never taken for the caller's. A certificate that was
 * read is remembered by the header's text.
 */
export function createAskProxy(config: ProxiesConfig, certificates: Certificates, clock: Clock): AskProxy {
  const isTrusted = createNetworkTest(config.addresses)
  const { clientCert, forwardedFor } = config
  const known = new VerdictCache<ClientCertificate>(CLIENT_CERT_CACHE_ENTRIES)

  const read = (value: string): ClientCertificate | undefined => {
    const now = clock.now()
    const remembered = known.get(value, now)
    if (remembered !== undefined || !clientCert) return remembered
    const certificate = readClientCert(value, clientCert.format, certificates)
    if (certificate) known.set(value, certificate, now + CLIENT_CERT_CACHE_MS)
    return certificate
  }

  return function askProxy(connection) {
    const peer = connection.address
    if (!isTrusted(peer)) return undefined
    let address: string | undefined = peer
    if (forwardedFor) {
      const xForwardedFor = connection.header('x-forwarded-for')
      const forwarded = connection.header('forwarded')
      address = forwardedAddress({ xForwardedFor, forwarded }, peer, isTrusted)
      if (address === undefined) return { unreadable: xForwardedFor === undefined ? 'forwarded' : 'x-forwarded-for' }
    }
    // nginx sends an empty header for a caller without a certificate.
    const value = clientCert && connection.header(clientCert.header)
    if (!value) return { address, certificate: undefined }
    const certificate = read(value)
    return certificate ? { address, certificate } : { unreadable: clientCert.header }
  }
}
