import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { makeAuthority } from '../../../adapters/cli/certs/make-certificate.ts'
import { nodeCertificates } from '../../../adapters/node/certificates.ts'
import type { ClientCertFormat, ProxiesConfig } from '../../../src/config/config.ts'
import { MAX_CLIENT_CERT_CHARACTERS } from '../../../src/config/limits.ts'
import type { Connection } from '../../../src/ports/transport.ts'
import { createAskProxy } from '../../../src/proxies/trusted-proxies.ts'

const { pem } = makeAuthority('caller', 1, Date.now())
const certificate = new X509Certificate(pem)
const base64 = certificate.raw.toString('base64')
const escaped = encodeURIComponent(pem)
const IDENTITY = {
  subject: 'CN=caller',
  thumbprint: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
}
/** What a proxy's own connection shows: never the caller's. */
const OWN = { subject: 'CN=proxy', thumbprint: 'p' }

function ask(headers: Record<string, string>, config: Partial<ProxiesConfig> = {}, address = '10.0.0.1') {
  const settings: ProxiesConfig = { addresses: ['10.0.0.0/8'], forwardedFor: true, ...config }
  const connection = { address, clientCertificate: OWN, header: (name: string) => headers[name] } as Connection
  return createAskProxy(settings, nodeCertificates, { now: Date.now, monotonic: Date.now })(connection)
}
const passing = (format: ClientCertFormat, header = 'client-cert') => ({ clientCert: { header, format } })

test('from anybody else, nothing of it counts', () => {
  const headers = { 'client-cert': `:${base64}:`, 'x-forwarded-for': '198.51.100.4' }
  expect(ask(headers, passing('rfc9440'), '192.0.2.1')).toBeUndefined()
  expect(ask(headers, passing('rfc9440'), 'unknown')).toBeUndefined()
})

test.each<[ClientCertFormat, string]>([
  ['rfc9440', `:${base64}:`],
  ['nginx-escaped-pem', escaped],
  ['envoy-xfcc', `Hash=abc;Cert="${escaped}";Subject="CN=caller,O=\\"x\\"";URI=`],
  ['envoy-xfcc', `By=spiffe://x;Cert="forged",Hash=1;Cert="${escaped}"`],
])('%s: %.60s', (format, value) => {
  expect(ask({ 'client-cert': value }, passing(format))).toEqual({ address: '10.0.0.1', certificate: IDENTITY })
})

test.each<[ClientCertFormat, string]>([
  ['rfc9440', base64],
  ['rfc9440', `:${base64}`],
  ['rfc9440', `:${base64}:, :${base64}:`],
  ['rfc9440', '::'],
  ['rfc9440', ':bm90IGEgY2VydGlmaWNhdGU=:'],
  ['rfc9440', `:${'A'.repeat(MAX_CLIENT_CERT_CHARACTERS)}:`],
  ['nginx-escaped-pem', `:${base64}:`],
  ['nginx-escaped-pem', `${escaped}%0A${escaped}`],
  ['nginx-escaped-pem', '%'],
  ['envoy-xfcc', 'Hash=abc;Subject="CN=caller"'],
  ['envoy-xfcc', `Cert="${escaped}",Hash=1`],
  ['envoy-xfcc', `Cert="${escaped}";`],
  ['envoy-xfcc', `Cert="${escaped}`],
])('what is no %s is nobody: %.40s', (format, value) => {
  expect(ask({ 'client-cert': value }, passing(format))).toEqual({ unreadable: 'client-cert' })
})

test('a caller without a certificate has none, whatever the proxy’s own connection shows', () => {
  expect(ask({}, passing('rfc9440'))).toEqual({ address: '10.0.0.1', certificate: undefined })
  expect(ask({ 'x-cert': '' }, passing('nginx-escaped-pem', 'x-cert'))).toMatchObject({ certificate: undefined })
  expect(ask({ 'client-cert': `:${base64}:` })).toMatchObject({ certificate: undefined })
})

test('the caller’s address is what the proxies say, where they are asked', () => {
  const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.4' }
  expect(ask(headers)).toMatchObject({ address: '198.51.100.4' })
  expect(ask(headers, { forwardedFor: false })).toMatchObject({ address: '10.0.0.1' })
  expect(ask({ 'x-forwarded-for': 'nobody' })).toEqual({ unreadable: 'x-forwarded-for' })
  expect(ask({ forwarded: 'for=unknown' })).toEqual({ unreadable: 'forwarded' })
})
