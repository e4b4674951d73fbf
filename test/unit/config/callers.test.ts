import { expect, test } from 'vitest'
import { load, MINIMAL } from '../../support/config.ts'

const faults = async (text: string) => {
  const result = await load(MINIMAL + text)
  return result.ok ? [] : result.faults.map(({ path, reason }) => `${path}: ${reason}`)
}
const TLS = 'cert: c.pem, key: k.pem'

test('client certificates are required where there is an authority, unless something else is said', async () => {
  const authOf = async (tls: string) => {
    const result = await load(`${MINIMAL}tls: { ${TLS}${tls} }`)
    return result.ok && result.config.tls
  }
  expect(await authOf('')).toEqual({
    cert: '/base/c.pem',
    key: '/base/k.pem',
    clientAuth: 'off',
    minVersion: 'TLSv1.2',
  })
  expect(await authOf(', clientCa: ca.pem')).toMatchObject({ clientCa: '/base/ca.pem', clientAuth: 'required' })
  expect(await authOf(', clientCa: ca.pem, crl: r.pem, clientAuth: optional, minVersion: TLSv1.3')).toMatchObject({
    clientAuth: 'optional',
    crl: '/base/r.pem',
    minVersion: 'TLSv1.3',
  })
})

test.each([
  [`tls: { ${TLS}, clientAuth: required }`, 'tls.clientAuth: needs tls.clientCa'],
  [`tls: { ${TLS}, crl: r.pem }`, 'tls.crl: needs tls.clientCa'],
  [`tls: { ${TLS}, clientAuth: maybe }`, 'tls.clientAuth: should be one of: required, optional, off'],
  [`tls: { ${TLS}, minVersion: '1.1' }`, 'tls.minVersion: should be one of: TLSv1.2, TLSv1.3'],
  ['proxies: { addresses: [] }', 'proxies.addresses: should name at least one address'],
  ['proxies: { addresses: [10.0.0.1, lb.internal] }', 'proxies.addresses[1]: should be an address or a network'],
  [
    'proxies: { addresses: [10.0.0.1], clientCert: { header: X-Cert } }',
    'proxies.clientCert.header: should be the lower-case name of a header',
  ],
  ['tokens: { requireBound: true }', 'tokens.requireBound: no caller could show a certificate'],
  [
    `admin: { listen: { port: 0 }, tls: { ${TLS}, clientAuth: required } }`,
    'admin.tls.clientAuth: needs admin.tls.clientCa',
  ],
  [`admin: { listen: { port: 0 }, tls: { ${TLS}, crl: r.pem } }`, 'admin.tls.crl: needs admin.tls.clientCa'],
  [
    `tls: { ${TLS}, clientCa: ca.pem }\nadmin: { listen: { port: 0 }, tls: { ${TLS} } }\ntokens: { requireBound: true }`,
    'admin.tls: no administrator could show a certificate',
  ],
  [
    `tls: { ${TLS}, clientCa: ca.pem, clientAuth: off }\ntokens: { requireBound: true }`,
    'tokens.requireBound: no caller could',
  ],
])('%s is a fault', async (text, expected) => {
  expect((await faults(text)).join()).toContain(expected)
})

test('the names of proxies have defaults', async () => {
  const result = await load(
    `${MINIMAL}proxies: { addresses: [10.0.0.0/8], clientCert: {} }\ntokens: { requireBound: true }`,
  )
  expect(result).toMatchObject({
    ok: true,
    warnings: [],
    config: {
      proxies: { forwardedFor: true, clientCert: { header: 'client-cert', format: 'rfc9440' } },
      tokens: { requireBound: true },
    },
  })
})

test('what does less, or more, than it seems to is warned of', async () => {
  const result = await load(
    `${MINIMAL}tls: { ${TLS}, clientCa: ca.pem, clientAuth: 'off' }\nproxies: { addresses: [0.0.0.0/0] }`,
  )
  expect(result.ok && result.warnings.map(({ path }) => path)).toEqual(['tls.clientCa', 'proxies.addresses[0]'])
})
