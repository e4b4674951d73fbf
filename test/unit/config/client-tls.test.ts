import { expect, test } from 'vitest'
import { clientTlsPlaces } from '../../../src/config/client-tls.ts'
import { load, SECRET } from '../../support/config.ts'

/** A configuration with these upstreams, one model each, and validators. */
function loadWith(upstreams: readonly string[], validators: readonly string[] = []) {
  const models = upstreams.map((upstream, index) => `  - { id: m${index}, upstreams: [{ kind: vllm, ${upstream} }] }`)
  const guard = validators.map((validator, index) => `    - { name: v${index}, kind: http, ${validator} }`)
  const more = guard.length === 0 ? [] : ['guard:', '  validators:', ...guard]
  return load(['models:', ...models, `audit: { hmacSecret: ${SECRET} }`, ...more].join('\n'))
}

async function faults(...given: Parameters<typeof loadWith>): Promise<string[]> {
  const result = await loadWith(...given)
  return result.ok ? [] : result.faults.map(({ path, reason }) => `${path}: ${reason}`)
}

const AT = 'models[0].upstreams[0].tls'

test.each([
  ['url: "http://a/v1", tls: { ca: a.pem }', `${AT}: goes with a URL of https: only`],
  ['url: "https://a/v1", tls: {}', `${AT}: says nothing: give ca, cert and key, or serverName`],
  ['url: "https://a/v1", tls: { cert: c.pem }', `${AT}.key: is required with cert`],
  ['url: "https://a/v1", tls: { ca: a.pem, key: k.pem }', `${AT}.cert: is required with key`],
  ['url: "https://a/v1", tls: { serverName: 10.0.0.1 }', `${AT}.serverName: should be a host name, not an address`],
  ['url: "https://a/v1", tls: { serverName: "a:443" }', `${AT}.serverName: should be a host name, not an address`],
  ['url: "https://a/v1", tls: { ca: "" }', `${AT}.ca: should not be empty`],
  [
    'url: "https://a/v1", tls: { insecure: true }',
    `${AT}.insecure: unknown key; known here: ca, cert, key, serverName`,
  ],
  ['url: "https://a/v1", tls: { servername: a }', `${AT}.servername: unknown key; did you mean "serverName"?`],
])('%s', async (upstream, fault) => {
  expect(await faults([upstream])).toEqual([fault])
})

test('one server has one way of TLS, wherever it is named', async () => {
  const one = 'url: "https://a:8443/v1", tls: { ca: a.pem }'
  expect(await faults([one, one], ['url: "https://a:8443/check", tls: { ca: a.pem }'])).toEqual([])
  const reason = 'is not the same as that of models[0].upstreams[0], which is the same server'
  expect(await faults([one, 'url: "https://A:8443/v1", tls: { ca: b.pem }'])).toEqual([
    `models[1].upstreams[0].tls: ${reason}`,
  ])
  expect(await faults([one, 'url: "https://a:8443/v1"'])).toEqual([`models[1].upstreams[0].tls: ${reason}`])
  expect(await faults([one], ['url: "https://a:8443/check"'])).toEqual([`guard.validators[0].tls: ${reason}`])
})

test('paths are absolute, and each server is listed once, by where it stands first', async () => {
  const loaded = await loadWith(
    [
      'url: "https://a/v1/", tls: { ca: a.pem, cert: c.pem, key: /k.pem, serverName: a.internal }',
      'url: "https://a:443/v1", tls: { ca: a.pem, cert: c.pem, key: /k.pem, serverName: a.internal }',
      'url: "https://b/v1"',
    ],
    ['url: "https://c/check", tls: { ca: a.pem }'],
  )
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  expect(clientTlsPlaces(loaded.config)).toEqual([
    {
      path: AT,
      origin: 'https://a',
      tls: { ca: '/base/a.pem', cert: '/base/c.pem', key: '/k.pem', serverName: 'a.internal' },
    },
    { path: 'guard.validators[0].tls', origin: 'https://c', tls: { ca: '/base/a.pem' } },
  ])
})
