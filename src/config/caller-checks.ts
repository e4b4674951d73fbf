import { isNetwork } from '../proxies/networks.ts'
import type { Fault } from './fault.ts'
import type { Document } from './schema.ts'

/** Contradictions in what is said about callers' certificates and the proxies in front. */
export function callerFaults({ tls, admin, proxies, tokens }: Document): Fault[] {
  const found = [...withoutAuthorities('tls', tls), ...withoutAuthorities('admin.tls', admin?.tls)]
  for (const [index, address] of (proxies?.addresses ?? []).entries()) {
    if (isNetwork(address)) continue
    const reason = 'should be an address or a network, such as 10.0.0.7, 10.1.0.0/16 or fd00::/8'
    found.push({ path: `proxies.addresses[${index}]`, reason })
  }
  if (tokens.requireBound && proxies?.clientCert === undefined) {
    if (!asksForCertificates(tls)) {
      const reason = 'no caller could show a certificate: set tls.clientCa, or proxies.clientCert'
      found.push({ path: 'tokens.requireBound', reason })
    } else if (admin && !asksForCertificates(admin.tls ?? tls)) {
      const reason =
        'no administrator could show a certificate, as tokens.requireBound asks for: set admin.tls.clientCa'
      found.push({ path: 'admin.tls', reason })
    }
  }
  return found
}

function withoutAuthorities(path: string, tls: Document['tls']): Fault[] {
  if (tls === undefined || tls.clientCa !== undefined) return []
  const reason = `needs ${path}.clientCa: the authorities whose client certificates count`
  return [
    ...((tls.clientAuth ?? 'off') === 'off' ? [] : [{ path: `${path}.clientAuth`, reason }]),
    ...(tls.crl === undefined ? [] : [{ path: `${path}.crl`, reason }]),
  ]
}

function asksForCertificates(tls: Document['tls']): boolean {
  return tls?.clientCa !== undefined && tls.clientAuth !== 'off'
}

/** What works, and does less than it seems to. */
export function callerWarnings({ tls, admin, proxies }: Document): Fault[] {
  const found: Fault[] = []
  for (const [path, listener] of Object.entries({ tls, 'admin.tls': admin?.tls })) {
    if (listener?.clientAuth !== 'off' || listener.clientCa === undefined) continue
    found.push({ path: `${path}.clientCa`, reason: `not used: ${path}.clientAuth is off` })
  }
  for (const [index, address] of (proxies?.addresses ?? []).entries()) {
    if (!/\/0+$/.test(address)) continue
    const reason = 'everybody is a trusted proxy, and may pass on any certificate and address'
    found.push({ path: `proxies.addresses[${index}]`, reason })
  }
  return found
}
