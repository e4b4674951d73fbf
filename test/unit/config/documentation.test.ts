import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configJsonSchema } from '../../../src/config/json-schema.ts'
import { formatQuantity } from '../../../src/config/units.ts'
import { LIMITS } from '../../../src/firewall/limits.ts'
import { load, SAMPLE, SECRET } from '../../support/config.ts'

const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const schema = configJsonSchema()

/** Paths of every key: `models[].upstreams[].url`. Whoever matches, and what exceptions change, is explained in words. */
function keys(node: typeof schema, path = ''): string[] {
  if (typeof node.items === 'object' && !Array.isArray(node.items)) return keys(node.items, `${path}[]`)
  const inWords = /\.(match|claims)$|^models\[\]\.limits$|^guard\.exceptions\[\]\.(input|output)$/.test(path)
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
      state: 'embedded:/base/state/sallyport.db',
      tokens: {
        issuer: 'sallyport',
        audience: 'sallyport',
        jwks: '/base/keys/public.jwks.json',
        maxLifetimeMs: 90 * 86_400_000,
        algorithms: ['EdDSA', 'ES256', 'RS256'],
        requireBound: false,
        revocation: { maxAgeMs: 60_000, onFailure: 'deny' },
        expiryWarningMs: 7 * 86_400_000,
        trusted: [],
        keyFetch: {
          everyMs: 300_000,
          cooldownMs: 30_000,
          timeoutMs: 5000,
          maxStaleMs: 86_400_000,
          insecure: false,
        },
      },
      timeouts: { firstByteMs: 30_000, idleMs: 60_000, totalMs: 900_000, countMs: 200 },
      quotas: [],
      instances: 1,
      admission: {
        per: 'team',
        queue: { perTeam: 1000, total: 10_000, memoryBytes: 256 * 1024 * 1024 },
        maxWaitMs: 30_000,
        weights: {},
        priorities: ['interactive', 'standard', 'batch'],
        defaultPriority: 'standard',
      },
      guard: {
        input: { injection: 'block', pii: 'flag', secrets: 'block' },
        output: { pii: 'redact', secrets: 'redact' },
        rules: [],
        exceptions: [],
        validators: [],
      },
      request: { unknownFields: 'refuse', maxBodyBytes: 4 * 1024 * 1024, mediaHosts: [] },
      audit: {
        file: '/base/audit/audit.jsonl',
        onFailure: 'deny',
        maxBytes: 64 * 1024 * 1024,
        intent: 'written',
        previousHmacSecrets: [],
      },
    },
  })
})

test.each(Object.entries(LIMITS))(
  'the default of the limit %s is in the reference',
  (name, { unit, default: value }) => {
    expect(read('configuration.md')).toContain(`| \`request.limits.${name}\` | \`${formatQuantity(unit, value)}\` |`)
  },
)

test('limits are the model’s own, else the general ones, else the defaults', async () => {
  const upstreams = 'upstreams: [{ url: http://a/v1, kind: vllm }, { url: http://b/v1, kind: llama.cpp }]'
  const models = `models: [{ id: m, ${upstreams}, limits: { tools: 3 } }]`
  const limits = 'request: { limits: { tools: 5, stops: 7, mediaSize: 1MiB } }'
  const result = await load(`${models}\n${limits}`, { PROMPT_HMAC_SECRET: SECRET })
  expect(result).toMatchObject({
    ok: true,
    config: {
      models: [
        {
          callerSystem: 'allow',
          countTokens: 'auto',
          limits: { tools: 3, stops: 7, mediaSize: 1024 * 1024, choices: 16, grammarCharacters: 0 },
          upstreams: [
            { cacheSalt: 'team', weight: 1, health: { url: 'http://a/health', everyMs: 5000, timeoutMs: 2000 } },
            {},
          ],
        },
      ],
    },
  })
})

test.each([
  ['limits: { tool: 3 }', 'models[0].limits.tool'],
  ['limits: { schemaDepth: 65 }', 'models[0].limits.schemaDepth'],
  ['limits: { mediaSize: 10 }', 'models[0].limits.mediaSize'],
  ['callerSystem: ignore', 'models[0].callerSystem'],
])('%s is a fault, and named', async (setting, path) => {
  const models = `models: [{ id: m, upstreams: [{ url: http://a/v1, kind: vllm }], ${setting} }]`
  const result = await load(models, { PROMPT_HMAC_SECRET: SECRET })
  expect(result.ok ? [] : result.faults.map(fault => fault.path)).toEqual([path])
})

test('a salt is for vLLM alone', async () => {
  const models = 'models: [{ id: m, upstreams: [{ url: http://a/v1, kind: ollama, cacheSalt: team }] }]'
  expect(await load(models, { PROMPT_HMAC_SECRET: SECRET })).toMatchObject({
    ok: false,
    faults: [{ path: 'models[0].upstreams[0].cacheSalt', reason: 'only goes with kind: vllm' }],
  })
})

test('the sample of the reference loads as it is', async () => {
  const result = await load(SAMPLE, { VLLM_KEY: 'vllm-key', PROMPT_HMAC_SECRET: SECRET, HEC_TOKEN: 'hec-token' })
  expect(result).toMatchObject({ ok: true, config: { listen: { host: '0.0.0.0', port: 8443 } } })
})
