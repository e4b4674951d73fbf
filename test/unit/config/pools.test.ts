import { expect, test } from 'vitest'
import { load, SECRET } from '../../support/config.ts'

const loaded = (setting: string, kind = 'vllm') =>
  load(`models: [{ id: m, upstreams: [{ url: http://a/v1, kind: ${kind}, ${setting} }] }]`, {
    PROMPT_HMAC_SECRET: SECRET,
  })

const AT = 'models[0].upstreams[0]'

test.each([
  ['weight: -1', `${AT}.weight: should be a number from 0 to 1000`],
  ['weight: 1001', `${AT}.weight: should be a number from 0 to 1000`],
  ['weight: half', `${AT}.weight: should be a number from 0 to 1000`],
  ['weight: .nan', `${AT}.weight: should be a number from 0 to 1000`],
  ['weight: 0', 'models[0].upstreams: every weight is 0: no server takes new requests'],
  ['health: { every: 1ms }', `${AT}.health.every: should be from 100ms to 10m`],
  ['health: { every: 5 }', `${AT}.health.every`],
  ['health: { timeout: 2m }', `${AT}.health.timeout: should be from 1ms to 1m`],
  ['health: { path: health }', `${AT}.health.path: should begin with one / and have no query, fragment or backslash`],
  [
    'health: { path: //evil.example/x }',
    `${AT}.health.path: should begin with one / and have no query, fragment or backslash`,
  ],
  ['health: { path: "/x?y=1" }', `${AT}.health.path: should begin with one / and have no query, fragment or backslash`],
  [
    String.raw`health: { path: "/\\evil.example/x" }`,
    `${AT}.health.path: should begin with one / and have no query, fragment or backslash`,
  ],
  ['health: { load: yes please }', `${AT}.health.load: should be true or false`],
  ['health: { pathh: /x }', `${AT}.health.pathh`],
])('%s is a fault, and named', async (setting, fault) => {
  const result = await loaded(setting)
  const faults = result.ok ? [] : result.faults.map(({ path, reason }) => `${path}: ${reason}`)
  expect(faults).toHaveLength(1)
  expect(faults[0]).toContain(fault)
})

test.each(['ollama', 'openai'])('the load of %s is not known', async kind => {
  expect(await loaded('health: { load: true }', kind)).toMatchObject({
    ok: false,
    faults: [{ path: `${AT}.health.load`, reason: 'only goes with kind: vllm or llama.cpp' }],
  })
})

test.each([
  ['llama.cpp', '', 'http://a/health'],
  ['vllm', '', 'http://a/health'],
  ['ollama', '', 'http://a/api/version'],
  ['openai', '', 'http://a/v1/models'],
  ['openai', 'health: { path: /up }', 'http://a/up'],
])('%s %s is asked at %s', async (kind, setting, url) => {
  const result = await loaded(setting, kind)
  expect(result.ok && result.config.models[0]?.upstreams[0]?.health.url).toBe(url)
})
