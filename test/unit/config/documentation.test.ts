import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configJsonSchema } from '../../../src/config/json-schema.ts'
import { load, SAMPLE, SECRET } from '../../support/config.ts'

const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const schema = configJsonSchema()

/** Paths of every key: `models[].upstreams[].url`. Whoever matches, and what exceptions change, is explained in words. */
function keys(node: typeof schema, path = ''): string[] {
  if (typeof node.items === 'object' && !Array.isArray(node.items)) return keys(node.items, `${path}[]`)
  const inWords = /\.(match|claims)$|^guard\.exceptions\[\]\.(input|output)$/.test(path)
  if (node.properties === undefined || inWords) return path === '' ? [] : [path]
  return Object.entries(node.properties).flatMap(([key, inner]) =>
    typeof inner === 'object' ? keys(inner, path === '' ? key : `${path}.${key}`) : [],
  )
}

test('the committed JSON Schema is that of this code', () => {
  expect(JSON.parse(read('config.schema.json'))).toEqual(JSON.parse(JSON.stringify(schema)))
})

test('every key is in the reference', () => {
  const found = keys(schema)
  expect(found.length).toBeGreaterThan(50)
  const page = read('configuration.md')
  expect(found.map(key => key.replace(/\[\]$/, '')).filter(key => !page.includes(`\`${key}\``))).toEqual([])
})

test('every default in the reference is the one in force', async () => {
  const result = await load(`models: [{ id: m, upstreams: [{ url: http://a/v1, kind: vllm }] }]`, {
    PROMPT_HMAC_SECRET: SECRET,
  })
  expect(result).toMatchObject({
    ok: true,
    config: {
      listen: { host: '127.0.0.1', port: 8787, insecure: false },
      state: 'embedded',
      tokens: {
        issuer: 'sallyport',
        audience: 'sallyport',
        jwks: '/base/keys/public.jwks.json',
        maxLifetimeMs: 90 * 86_400_000,
        algorithms: ['EdDSA', 'ES256', 'RS256'],
        requireBound: false,
      },
      timeouts: { firstByteMs: 30_000, idleMs: 60_000, totalMs: 900_000 },
      quotas: [],
      guard: {
        input: { injection: 'block', pii: 'flag', secrets: 'block' },
        output: { pii: 'redact', secrets: 'redact' },
        rules: [],
        exceptions: [],
        validators: [],
      },
      request: { unknownFields: 'refuse', maxBodyBytes: 4 * 1024 * 1024, mediaHosts: [] },
      audit: { file: '/base/audit/audit.jsonl', onFailure: 'deny', maxBytes: 64 * 1024 * 1024 },
    },
  })
})

test('the sample of the reference loads as it is', async () => {
  const result = await load(SAMPLE, { VLLM_KEY: 'vllm-key', PROMPT_HMAC_SECRET: SECRET, HEC_TOKEN: 'hec-token' })
  expect(result).toMatchObject({ ok: true, config: { listen: { host: '0.0.0.0', port: 8443 } } })
  const paths = result.ok ? result.notEnforced.filter(({ serve }) => serve === 'refuse').map(({ path }) => path) : []
  expect(paths).toEqual([
    'tokens.trusted',
    'quotas[3].concurrent',
    'audit.retention',
    'audit.checkpoint',
    'audit.forward',
  ])
})
