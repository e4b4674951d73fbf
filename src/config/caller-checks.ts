import { isNetwork } from '../proxies/networks.ts'
import type { Fault } from './fault.ts'
import type { Document } from './schema.ts'

/** Contradictions in what is said about callers' certificates and the proxies in front. */
export function callerFaults({ tls, proxies, tokens }: Document): Fault[] {
  const found: Fault[] = []
  if (tls !== undefined && tls.clientCa === undefined) {
    const reason = 'needs tls.clientCa: the authorities whose client certificates count'
    if (tls.clientAuth !== undefined && tls.clientAuth !== 'off') found.push({ path: 'tls.clientAuth', reason })
    if (tls.crl !== undefined) found.push({ path: 'tls.crl', reason })
  }
  for (const [index, address] of (proxies?.addresses ?? []).entries()) {
    if (isNetwork(address)) continue
    const reason = 'should be an address or a network, such as 10.0.0.7, 10.1.0.0/16 or fd00::/8'
    found.push({ path: `proxies.addresses[${index}]`, reason })
  }
  const showsCertificates = tls?.clientCa !== undefined && tls.clientAuth !== 'off'
  if (tokens.requireBound && !showsCertificates && proxies?.clientCert === undefined) {
    const reason = 'no caller could show a certificate: set tls.clientCa, or proxies.clientCert'
    found.push({ path: 'tokens.requireBound', reason })
  }
  return found
}

/** What works, and does less than it seems to. */
export function callerWarnings({ tls, proxies }: Document): Fault[] {
  const found: Fault[] = []
  if (tls?.clientAuth === 'off' && tls.clientCa !== undefined) {
    found.push({ path: 'tls.clientCa', reason: 'not used: tls.clientAuth is off' })
  }
  for (const [index, address] of (proxies?.addresses ?? []).entries()) {
    if (!/\/0+$/.test(address)) continue
    const reason = 'everybody is a trusted proxy, and may pass on any certificate and address'
    found.push({ path: `proxies.addresses[${index}]`, reason })
  }
  return found
}
