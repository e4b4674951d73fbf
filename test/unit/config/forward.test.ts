import { expect, test } from 'vitest'
import { maskSecrets } from '../../../src/config/mask.ts'
import { load, SECRET } from '../../support/config.ts'

const withForward = (forward: string) => `
models: [{ id: m, upstreams: [{ url: http://127.0.0.1:8080/v1, kind: llama.cpp }] }]
audit: { hmacSecret: ${SECRET}, forward: [${forward}] }
`

test.each([
  ['kind: kafka', 'kind'],
  ['kind: http', 'url'],
  ['kind: http, url: ftp://a', 'url'],
  ['kind: http, url: https://me:pass@a/', 'url'],
  ['kind: syslog, url: https://a', 'url'],
  ['kind: syslog, url: udp://a:514', 'url'],
  ['kind: syslog, url: "tls://a:6514/path"', 'url'],
  ['kind: stdout, url: http://a', 'url'],
  ['kind: splunk-hec, url: https://a', 'token'],
  ['kind: splunk-hec, url: https://a/services/collector, token: t', 'url'],
  ['kind: otlp, url: https://a, index: i', 'index'],
  ['kind: elasticsearch, url: https://a, index: Upper', 'index'],
  ['kind: syslog, url: tls://a, token: t', 'token'],
  ['kind: syslog, url: tls://a, structuredDataId: sallyport', 'structuredDataId'],
  ['kind: syslog, url: tls://a, facility: 24', 'facility'],
  ['kind: http, url: https://a, hmacSecret: short', 'hmacSecret'],
  ['kind: http, url: https://a, headers: { Host: b }', 'headers.Host'],
  ['kind: http, url: https://a, token: t, headers: { authorization: b }', 'headers.authorization'],
  ['kind: http, url: http://a, tls: { ca: ca.pem }', 'tls'],
  ['kind: http, url: https://a, tls: { cert: c.pem }', 'tls.key'],
  ['kind: http, url: https://a, batch: { record: 3 }', 'batch.record'],
])('{ %s } is a fault, and named', async (destination, key) => {
  const result = await load(withForward(`{ ${destination} }`))
  expect(result.ok ? [] : result.faults.map(({ path }) => path)).toContain(`audit.forward[0].${key}`)
})

test('two of a kind need names, for each has a position', async () => {
  const two = '{ kind: http, url: https://a }, { kind: http, url: https://b }'
  expect(await load(withForward(two))).toMatchObject({ ok: false, faults: [{ path: 'audit.forward[1].name' }] })
  expect(await load(withForward(two.replace('https://b', 'https://b, name: b')))).toMatchObject({ ok: true })
})

test('defaults, and where each kind is spoken to', async () => {
  const loaded = await load(
    withForward(`
      { kind: splunk-hec, url: https://s:8088/, token: hec, ack: true },
      { kind: elasticsearch, url: https://e:9200/, token: key, headers: { X-Tenant: t } },
      { kind: otlp, url: http://127.0.0.1:4318 },
      { kind: syslog, url: "tls://l:6514", tls: { ca: ca.pem } },
      { kind: http, url: "https://h/in?key=inTheQuery", hmacSecret: 0123456789abcdef },
      { kind: stdout }`),
  )
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  const batch = { records: 1000, bytes: 1 << 20, waitMs: 1000 }
  expect(loaded.config.audit.forward).toMatchObject([
    { name: 'splunk-hec', url: 'https://s:8088', batch: { records: 8000, bytes: 8 << 20 }, timeoutMs: 240_000 },
    { index: 'sallyport-audit', headers: { 'x-tenant': 't', authorization: 'ApiKey key' } },
    { url: 'http://127.0.0.1:4318/v1/logs', batch, timeoutMs: 30_000, maxPauseMs: 60_000, warnAfterMs: 300_000 },
    { url: 'tls://l:6514', tls: { ca: '/base/ca.pem' }, facility: 13, maxMessageBytes: 8192 },
    { url: 'https://h/in?key=inTheQuery', headers: {} },
    { name: 'stdout' },
  ])
  const printed = JSON.stringify(maskSecrets(loaded.config).audit.forward)
  for (const secret of ['"hec"', 'ApiKey key', '0123456789abcdef', 'inTheQuery']) expect(printed).not.toContain(secret)
})

test('what crosses the network unencrypted is warned about', async () => {
  const loaded = await load(
    withForward('{ kind: syslog, url: "tcp://logs:601" }, { kind: otlp, url: http://127.0.0.1:1 }'),
  )
  const paths = loaded.ok ? loaded.warnings.map(({ path }) => path) : []
  expect(paths.filter(path => path.startsWith('audit.forward'))).toEqual(['audit.forward[0].url'])
})
