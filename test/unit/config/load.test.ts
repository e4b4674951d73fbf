import { expect, test } from 'vitest'
import { maskSecrets } from '../../../src/config/mask.ts'
import { load, MINIMAL, SAMPLE, SECRET } from '../../support/config.ts'

/** The faults of the least configuration with more appended, as `path: reason`. */
async function faults(more: string, env = {}, files = {}): Promise<string[]> {
  const result = await load(MINIMAL + more, env, files)
  return result.ok ? [] : result.faults.map(({ path, reason }) => `${path}: ${reason}`)
}

async function config(more = '', env = {}, files = {}) {
  const result = await load(MINIMAL + more, env, files)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result
}

test('the least loads without warnings', async () => {
  expect(await config()).toMatchObject({ warnings: [] })
})

test.each([
  ['listne: {}', 'listne: unknown key; did you mean "listen"?'],
  ['listen: { hots: a }', 'listen.hots: unknown key; did you mean "host"?'],
  ['tls: { cert: a, key: b, client_ca: c }', 'tls.client_ca: unknown key; did you mean "clientCa"?'],
  ['timeouts: { fistByte: 3s }', 'timeouts.fistByte: unknown key; did you mean "firstByte"?'],
  ['quotas: [{ name: a, per: [], token: 3, window: 1m }]', 'quotas[0].token: unknown key; did you mean "tokens"?'],
  [
    'request: { zzzzzzzzz: 1 }',
    'request.zzzzzzzzz: unknown key; known here: unknownFields, maxBody, mediaHosts, limits',
  ],
  [
    'request: { __proto__: 1 }',
    'request.__proto__: unknown key; known here: unknownFields, maxBody, mediaHosts, limits',
  ],
])('a typing error: %s', async (text, fault) => {
  expect(await faults(text)).toContain(fault)
})

test('all unknown keys and all wrong values are reported together', async () => {
  expect(await faults('listen: { hots: a, prot: 1, port: x }\nrequets: {}')).toEqual([
    'listen.hots: unknown key; did you mean "host"?',
    'listen.prot: unknown key; did you mean "port"?',
    'requets: unknown key; did you mean "request"?',
    'listen.port: should be a whole number, such as 30, 100k or 5M',
  ])
})

test.each([
  ['timeouts: { idle: 30 }', 'timeouts.idle: should be a duration with its unit'],
  ['timeouts: { idle: 30 s }', 'timeouts.idle: should be a duration with its unit'],
  ['timeouts: { idle: 2d }', 'timeouts.idle: should be from 1ms to 1d'],
  ['timeouts: { idle: 0s }', 'timeouts.idle: should be from 1ms to 1d'],
  ['timeouts: { idle: 20m }', 'timeouts.idle: longer than timeouts.total'],
  ['tokens: { maxLifetime: 91d }', 'tokens.maxLifetime: should be from 1s to 90d'],
  ['request: { maxBody: 1MB }', 'request.maxBody: should be a size with its unit'],
  ['request: { mediaHosts: ["https://images.example"] }', 'request.mediaHosts[0]: should be a host'],
  ['request: { mediaHosts: ["Images.example"] }', 'request.mediaHosts[0]: should be a host'],
  ['request: { maxBody: 1GiB }', 'request.maxBody: should be from 1KiB to 64MiB'],
  ['listen: { port: 70000 }', 'listen.port: should be from 0 to 65535'],
  ['listen: { port: 1.5 }', 'listen.port: should be a whole number'],
  ['listen: []', 'listen: should be a mapping of keys to values'],
  ['guard: [x]', 'guard: should be a mapping of keys to values'],
  ['guard: { rules: [{ name: EMAIL, pattern: abc }] }', 'guard.rules[0].name: a built-in rule has this name'],
  ['listen:', 'listen: should be a mapping of keys to values'],
  ['quotas: {}', 'quotas: should be a list'],
  ['quotas: [{ name: a, tokens: 3, window: 1m }]', 'quotas[0].per: is required'],
  ['quotas: [{ name: a, per: [], tokens: 3 }]', 'quotas[0].window: is required'],
  ['quotas: [{ name: a, per: [], tokens: 3, window: 60d }]', 'quotas[0].window: should be from 1s to 31d'],
  ['quotas: [{ name: a, per: [] }]', 'quotas[0]: limits nothing'],
  ['quotas: [{ name: a, per: [], concurrent: 3, window: 1m }]', 'quotas[0].window: only goes with tokens or requests'],
  ['quotas: [{ name: a, per: [], requests: 3, window: 1m, weigh: {} }]', 'quotas[0].weigh: only goes with tokens'],
  [
    'quotas: [{ name: a, per: [], tokens: 3, window: 1m, weigh: { input: 0, output: 0 } }]',
    'quotas[0].weigh: counts nothing',
  ],
  [
    'quotas: [{ name: a, per: [], tokens: 3, window: 1m, weigh: { input: -1 } }]',
    'quotas[0].weigh.input: should be from 0 to 1000',
  ],
  [
    'quotas: [{ name: a, per: [], tokens: 3, window: 1m, override: { requests: 9 } }]',
    'quotas[0].override.requests: this limit has no requests to go before',
  ],
  ['quotas: [{ name: a, per: [], match: {}, tokens: 1, window: 1m }]', 'quotas[0].match: should name at least one'],
  [
    'quotas: [{ name: a, per: [], except: [{ model: x }], tokens: 1, window: 1m }]',
    'quotas[0].except[0].model: there is no model',
  ],
  [
    'quotas: [{ name: a, per: [], tokens: 1, window: 1m, onOutage: maybe }]',
    'quotas[0].onOutage: should be one of: deny',
  ],
  ['quotas: [{ name: a, per: [user], tokens: 3, window: 1m }]', 'quotas[0].per[0]: should be one of: team, app'],
  ['quotas: [{ name: "a b", per: [], tokens: 3, window: 1m }]', 'quotas[0].name: should have only letters'],
  ['quotas: [{ name: a, per: [], tokens: 0, window: 1m }]', 'quotas[0].tokens: should be from 1'],
  [
    'quotas: [{ name: a, per: [], match: { model: x }, tokens: 1, window: 1m }]',
    'quotas[0].match.model: there is no model',
  ],
  ['state: postgres://x', 'state: should be "embedded", "embedded:FILE", or a URL that begins with redis://'],
  ['state: "embedded:"', 'state: should be "embedded"'],
  ['tokens: { revocation: { maxAge: 500ms } }', 'tokens.revocation.maxAge: should be from 1s to 1d'],
  ['tokens: { revocation: { onFailure: open } }', 'tokens.revocation.onFailure: should be one of: deny, serve'],
  ['tokens: { expiryWarning: 100d }', 'tokens.expiryWarning: should be from 1s to 90d'],
  [
    'guard: { input: { injectionThreshold: 0 } }',
    'guard.input.injectionThreshold: should be over 0, which every text reaches',
  ],
  ['guard: { input: { injectionThreshold: 1.5 } }', 'guard.input.injectionThreshold: should be at most 1'],
  [
    'guard: { input: { injectionThreshold: high } }',
    'guard.input.injectionThreshold: should be a number over 0 and up to 1, such as 0.7',
  ],
  ['guard: { input: { injection: redact } }', 'guard.input.injection: should be one of: off, flag, block'],
  ['guard: { output: { pii: pseudonymise } }', 'guard.output.pii: pseudonymise is for input only'],
  ['guard: { output: { pii: hide } }', 'guard.output.pii: should be one of: off, flag, redact, mask, hash, block'],
  [
    'guard: { exceptions: [{ match: { team: a }, output: { secrets: pseudonymise } }] }',
    'guard.exceptions[0].output.secrets: pseudonymise is for input only',
  ],
  [
    'guard: { rules: [{ name: A, pattern: abc, action: pseudonymise }] }',
    'guard.rules[0].action: pseudonymise is for what callers send; with it, set on: [input]',
  ],
  ['guard: { output: { pii: off } , input: { pii: no } }', 'guard.input.pii: should be one of'],
  ['guard: { rules: [{ name: employee, pattern: a }] }', 'guard.rules[0].name: should be upper-case letters'],
  ['guard: { rules: [{ name: A, pattern: "a*" }] }', 'guard.rules[0].pattern: rule A: unbounded'],
  ['guard: { exceptions: [{ match: {}, input: { pii: off } }] }', 'guard.exceptions[0].match: matches everybody'],
  ['guard: { exceptions: [{ match: { team: a } }] }', 'guard.exceptions[0]: changes nothing'],
  ['audit2: {}', 'audit2: unknown key; did you mean "audit"?'],
])('%s is a fault', async (text, fault) => {
  expect((await faults(text)).join('\n')).toContain(fault)
})

test.each([
  ['ftp://a/v1', 'should be a URL that begins with http:// or https://'],
  ['gpu-1:8080', 'should be a URL that begins with http:// or https://'],
  ['http://u:p@a/v1', 'should not hold a user name or password'],
  ['http://a/v1?key=x', 'should not have a query'],
  ['http://a/v1#x', 'should not have a fragment'],
])('model server %s is a fault', async (url, reason) => {
  const result = await load(
    `models: [{ id: m, upstreams: [{ url: "${url}", kind: vllm }] }]\naudit: { hmacSecret: ${SECRET} }`,
  )
  expect(result).toMatchObject({
    ok: false,
    faults: [{ path: 'models[0].upstreams[0].url', reason: expect.stringContaining(reason) as string }],
  })
})

test('a trailing slash of a model server is left out', async () => {
  const result = await load(MINIMAL.replace('/v1', '/v1/'))
  expect(result).toMatchObject({ config: { models: [{ upstreams: [{ url: 'http://127.0.0.1:8080/v1' }] }] } })
})

test('names that are taken are faults', async () => {
  const twice = '{ name: a, per: [], tokens: 3, window: 1m }'
  expect(await faults(`quotas: [${twice}, ${twice}]`)).toEqual(['quotas[1].name: this name is taken'])
  const rule = '{ name: A, pattern: abc }'
  expect(await faults(`guard: { rules: [${rule}, ${rule}] }`)).toEqual(['guard.rules[1].name: this name is taken'])
  const model = '{ id: m, upstreams: [{ url: http://a/v1, kind: vllm }] }'
  expect(await load(`models: [${model}, ${model}]\naudit: { hmacSecret: ${SECRET} }`)).toMatchObject({
    faults: [{ path: 'models[1].id' }],
  })
})

test('plain HTTP is for loopback, unless said in so many words', async () => {
  expect((await faults('listen: { host: 0.0.0.0 }')).join()).toContain('listen.host: plain HTTP on an address')
  expect((await faults('listen: { host: "::" }')).join()).toContain('listen.host: plain HTTP')
  expect((await faults('listen: { host: 127.0.0.1.example.com }')).join()).toContain('listen.host: plain HTTP')
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
    expect(await faults(`listen: { host: "${host}" }`)).toEqual([])
  }
  const allowed = await config('listen: { host: 0.0.0.0, insecure: true }')
  expect(allowed.warnings).toContainEqual({
    path: 'listen.insecure',
    reason: 'tokens and prompts cross the network unencrypted',
  })
  expect(await faults('listen: { host: 0.0.0.0 }\ntls: { cert: a, key: b }')).toEqual([])
})

test('no secret and a weak secret are faults that do not show it', async () => {
  const model = 'models: [{ id: m, upstreams: [{ url: http://a/v1, kind: vllm }] }]'
  expect(await load(model)).toEqual({ ok: false, faults: [{ path: 'audit.hmacSecret', reason: 'is required' }] })
  const weak = await load(`${model}\naudit: { hmacSecret: hunter2 }`)
  expect(weak).toMatchObject({ ok: false, faults: [{ path: 'audit.hmacSecret' }] })
  expect(JSON.stringify(weak)).not.toContain('hunter2')
})

test('faults never repeat a value: it may be a secret in the wrong place', async () => {
  const more =
    'timeouts: { idle: hunter2 }\nlisten: { port: hunter2 }\nstate: hunter2\nguard: { input: { pii: hunter2 } }'
  const found = await faults(more)
  expect(found).toHaveLength(4)
  expect(found.join()).not.toContain('hunter2')
})

test('variables and files are put in, also inside other text, and never looked at again', async () => {
  const { config: loaded } = await config(
    'tokens: { issuer: "${env:A}-${file:b.txt}-$${env:A}", audience: "${file:/abs}" }',
    { A: '${env:B}' },
    { '/base/b.txt': 'from b\r\n', '/abs': 'two\nlines\n\n' },
  )
  expect(loaded.tokens.issuer).toBe('${env:B}-from b-${env:A}')
  expect(loaded.tokens.audience).toBe('two\nlines\n')
})

test.each([
  ['${env:NOPE}', 'the environment variable NOPE is not set'],
  ['${env:EMPTY}', 'the environment variable EMPTY is empty'],
  ['${env:toString}', 'the environment variable toString is not set'],
  ['${file:/nope}', 'the file /nope cannot be read: there is no such file'],
  ['${file:/empty}', 'the file /empty is empty'],
  ['${file:/large}', 'the file /large has more than'],
  ['${vault:x}', 'only ${env:NAME} and ${file:/path} are known'],
  ['${NAME}', 'only ${env:NAME} and ${file:/path} are known'],
  ['${env:A', '"${" without its "}"'],
])('%s: %s', async (text, reason) => {
  const files = { '/empty': '\n', '/large': 'x'.repeat(256 * 1024 + 1) }
  expect(await faults(`tokens: { issuer: '${text}' }`, { EMPTY: '' }, files)).toEqual([
    expect.stringContaining(`tokens.issuer: ${reason}`),
  ])
})

test('the environment replaces what the file says', async () => {
  const env = {
    PORT: '9000',
    REDIS_URL: 'rediss://r:6380/1',
    PROMPT_HMAC_SECRET: `${SECRET}\${x`,
    INFERENCE_TIMEOUT_MS: '5000',
  }
  const { config: loaded } = await config('listen: { port: 1 }\ntimeouts: { firstByte: 3s, idle: 4s }', env)
  expect(loaded.listen.port).toBe(9000)
  expect(loaded.state).toBe('rediss://r:6380/1')
  expect(loaded.audit.hmacSecret).toBe(`${SECRET}\${x`)
  expect(loaded.timeouts).toMatchObject({ firstByteMs: 5000, idleMs: 4000 })
})

test('a wrong value names the variable it came from; an empty variable is not set', async () => {
  expect(await faults('', { PORT: 'http' })).toEqual([
    'listen.port: should be a whole number, such as 30, 100k or 5M (from the environment variable PORT)',
  ])
  expect(await faults('', { INFERENCE_TIMEOUT_MS: '30s' })).toEqual([
    expect.stringMatching(/^timeouts\.firstByte: .* \(from the environment variable INFERENCE_TIMEOUT_MS\)$/),
  ])
  expect(await faults('', { PORT: '', REDIS_URL: '' })).toEqual([])
})

test.each([
  ['a: 1\na: 2', 'line 2, column 1: Map keys must be unique'],
  ['a: [', 'line 1'],
  ['a: !!js/function x', 'line 1'],
  ['- a', 'should be a mapping'],
  ['text', 'should be a mapping'],
  ['['.repeat(100_000), ''],
  [`a: ${'x'.repeat(1024 * 1024)}`, 'has more than'],
])('YAML that is refused: %#', async (text, reason) => {
  const result = await load(text)
  expect(result.ok).toBe(false)
  expect(result.ok ? '' : result.faults[0]?.reason).toContain(reason)
})

test('a bomb of aliases is refused, quickly', async () => {
  const levels = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${'*a'.concat(`${i}`, ', ').repeat(9)}]`)
  const started = performance.now()
  expect(await load(`a0: &a0 [x]\n${levels.join('\n')}`)).toEqual({
    ok: false,
    faults: [{ path: '', reason: 'has too many aliases' }],
  })
  expect(performance.now() - started).toBeLessThan(2000)
})

test('credentials are masked wherever they are', async () => {
  const result = await load(SAMPLE.replace('redis://', 'redis://user:redis-password@'), {
    VLLM_KEY: 'vllm-key-value',
    HEC_TOKEN: 'hec-token-value',
    PROMPT_HMAC_SECRET: SECRET,
  })
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  expect(JSON.stringify(result.config)).toContain('redis-password')
  const masked = JSON.stringify(maskSecrets(result.config))
  for (const secret of ['vllm-key-value', 'hec-token-value', SECRET, 'redis-password', 'user:']) {
    expect(masked).not.toContain(secret)
  }
  expect(masked).toContain('127.0.0.1:6379/0')
})

test('every action is taken as it is written', async () => {
  const { config: loaded } = await config(`guard:
  input: { pii: pseudonymise, secrets: hash }
  output: { pii: mask, secrets: hash }
  rules: [{ name: A, pattern: abc, on: [input], action: pseudonymise }]
  exceptions: [{ match: { team: a }, input: { secrets: pseudonymise }, output: { pii: flag } }]`)
  expect(loaded.guard.input).toMatchObject({ pii: 'pseudonymise', secrets: 'hash' })
  expect(loaded.guard.output).toMatchObject({ pii: 'mask', secrets: 'hash' })
  expect(loaded.guard.rules[0]?.action).toBe('pseudonymise')
  expect(loaded.guard.exceptions).toEqual([
    { match: { team: ['a'] }, input: { secrets: 'pseudonymise' }, output: { pii: 'flag' } },
  ])
})

test.each([
  ['redis+cluster://a:1,b:2', 'redis+cluster://a:1,b:2'],
  ['rediss+sentinel://u:p@a:1/main/0?ca=certs/ca.pem', 'rediss+sentinel://u:p@a:1/main/0?ca=%2Fbase%2Fcerts%2Fca.pem'],
])('state: %s is taken, with files relative to the configuration', async (state, resolved) => {
  const { config: loaded } = await config(`state: ${state}`)
  expect(loaded.state).toBe(resolved)
})

const ADMIN = 'admin: { listen: { port: 9787 }'

test('the admin listener is that of this machine, and its defaults give little', async () => {
  const { config: loaded } = await config(`${ADMIN}, issue: {} }`)
  expect(loaded.admin).toEqual({
    listen: { host: '127.0.0.1', port: 9787, insecure: false },
    issue: { key: '/base/keys/signing.jwk.json', maxTtlMs: 86_400_000, scopes: ['inference', 'models:read'] },
    pullFrom: [],
  })
  const short = await config(`${ADMIN}, issue: {} }\ntokens: { maxLifetime: 1h }`)
  expect(short.config.admin?.issue?.maxTtlMs).toBe(3_600_000)
  expect((await config()).config.admin).toBeUndefined()
})

test('the admin listener has the certificates of the data listener, unless it has its own', async () => {
  const data = 'tls: { cert: a.pem, key: a.key, clientCa: ca.pem }\n'
  const shared = await config(`${data}${ADMIN} }`)
  expect(shared.config.admin?.tls).toEqual(shared.config.tls)
  const own = await config(`${data}${ADMIN}, tls: { cert: b.pem, key: b.key } }`)
  expect(own.config.admin?.tls).toEqual({
    cert: '/base/b.pem',
    key: '/base/b.key',
    clientAuth: 'off',
    minVersion: 'TLSv1.2',
  })
})

test.each([
  ['admin: { listen: { host: 0.0.0.0, port: 1 } }', 'admin.listen.host: plain HTTP on an address'],
  ['admin: { listen: { port: 8787 } }', 'admin.listen.port: is that of the data listener'],
  [`${ADMIN}, issue: { maxTtl: 2h } }\ntokens: { maxLifetime: 1h }`, 'admin.issue.maxTtl: longer than'],
  [`${ADMIN}, issue: { scopes: [everything] } }`, 'admin.issue.scopes[0]: should be one of: inference, '],
  [`${ADMIN}, pullFrom: ['https://registry.ollama.ai'] }`, 'admin.pullFrom[0]: should be a host'],
  ['admin: {}', 'admin.listen: is required'],
])('%s is refused', async (text, fault) => {
  expect(await faults(text)).toEqual([expect.stringContaining(fault)])
})

test('adapters of a model have names of their own', async () => {
  const twice = MINIMAL.replace(/\}\] \}\]/, '}], adapters: [{ name: a, path: /a }, { name: a, path: /b }] }]')
  expect(await load(twice)).toMatchObject({ ok: false, faults: [{ path: 'models[0].adapters[1].name' }] })
})

test('an upstream key over plain HTTP is warned about, except on this machine', async () => {
  const key = (host: string) => MINIMAL.replace('127.0.0.1:8080', host).replace('llama.cpp', 'vllm, apiKey: k')
  expect(await load(key('gpu:8000'))).toMatchObject({ warnings: [{ path: 'models[0].upstreams[0].apiKey' }] })
  expect(await load(key('127.0.0.1:8000'))).toMatchObject({ warnings: [] })
})
