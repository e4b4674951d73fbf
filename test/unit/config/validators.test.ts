import { expect, test } from 'vitest'
import { maskSecrets } from '../../../src/config/mask.ts'
import { load, MINIMAL } from '../../support/config.ts'

const HTTP = 'name: a, kind: http, url: https://a'
const CLASSIFY = 'name: a, kind: vllm-classify, url: https://a'
const CHAT = 'name: a, kind: chat, url: https://a, model: m'
const guard = (validator: string, more = '') => `guard: { validators: [{ ${validator} }]${more} }`

async function faults(text: string): Promise<string[]> {
  const result = await load(MINIMAL + text)
  return result.ok ? [] : result.faults.map(({ path, reason }) => `${path}: ${reason}`)
}

async function config(text: string, env = {}) {
  const result = await load(MINIMAL + text, env)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result
}

const AT = 'guard.validators[0]'

test.each([
  ['guard: { validators: [{ kind: http, url: "https://a" }] }', `${AT}.name: is required`],
  [guard('name: a, kind: htpp, url: https://a'), `${AT}.kind: should be one of: vllm-classify, chat, http`],
  [guard('name: a, kind: http, url: ftp://a'), `${AT}.url: should be a URL that begins with http:// or https://`],
  [guard('name: a, kind: http, url: "https://u:p@a"'), `${AT}.url: should not hold a user name or password`],
  [guard(`${HTTP}, treshold: 1`), `${AT}.treshold: unknown key; did you mean "threshold"?`],
  [guard(`${HTTP}, threshold: 90%`), `${AT}.threshold: should be a number from 0 to 1`],
  [guard(`${HTTP}, threshold: .nan`), `${AT}.threshold: should be a number from 0 to 1`],
  [guard(`${HTTP}, threshold: 1.1`), `${AT}.threshold: should be from 0 to 1`],
  [guard(`${HTTP}, timeout: 300`), `${AT}.timeout: should be a duration with its unit`],
  [guard(`${HTTP}, timeout: 2m`), `${AT}.timeout: should be from 1ms to 1m`],
  [guard(`${HTTP}, onFailure: open`), `${AT}.onFailure: should be one of: block, allow`],
  [guard(`${HTTP}, on: []`), `${AT}.on: should name input, output or both`],
  [guard(`${HTTP}, on: [inputs]`), `${AT}.on[0]: should be one of: input, output`],
  [guard(`${HTTP}, action: redact`), `${AT}.action: should be one of: block, flag`],
  [guard(`${HTTP}, model: m`), `${AT}.model: does not go with kind: http`],
  [guard(`${HTTP}, labels: [X]`), `${AT}.labels: only goes with kind: vllm-classify`],
  [guard(`${CLASSIFY}, prompt: "{text}"`), `${AT}.prompt: only goes with kind: chat`],
  [guard(`${CHAT}, guard: g`), `${AT}.guard: only goes with kind: http`],
  [guard(`${HTTP}, guard: g, threshold: 0.5`), `${AT}.threshold: does not go with guard`],
  [guard(`${CLASSIFY}, labels: []`), `${AT}.labels: should name at least one label`],
  [guard('name: a, kind: chat, url: https://a'), `${AT}.model: is required`],
  [guard(`${CHAT}, prompt: Is this safe?`), `${AT}.prompt: should have {text} where the text goes`],
  [guard(`${HTTP}, headers: [x]`), `${AT}.headers: should be a mapping of keys to values`],
  [guard(`${HTTP}, headers: { authorization: x }`), `${AT}.headers.authorization: should be a header that the gateway`],
  [
    guard(`${HTTP}, headers: { Content-Length: "1" }`),
    `${AT}.headers.Content-Length: should be a header that the gateway`,
  ],
  [guard(`${HTTP}, headers: { "x y": "1" }`), `${AT}.headers.x y: should be a header that the gateway`],
  [guard(`${HTTP}, headers: { x: "a\\r\\nb: c" }`), `${AT}.headers.x: should be printable ASCII`],
  [guard(`${HTTP}, apiKey: "k\\ney"`), `${AT}.apiKey: should be printable ASCII`],
  [guard(`${HTTP}, input: { mode: after }`), `${AT}.input.mode: should be one of: before, alongside`],
  [guard(`${HTTP}, input: { window: 10 }`), `${AT}.input.window: should be from 100 to 100k`],
  [guard(`${HTTP}, input: { maxWindows: 0 }`), `${AT}.input.maxWindows: should be from 1 to 4096`],
  [guard(`${HTTP}, on: [output], input: {}`), `${AT}.input: only goes with on: [input]`],
  [guard(`${HTTP}, output: {}`), `${AT}.output: only goes with on: [output]`],
  [guard(`${HTTP}, on: [output], output: { window: 11k }`), `${AT}.output.window: should be from 100 to 10k`],
  [guard(`${HTTP}, cache: { ttl: 5 }`), `${AT}.cache.ttl: should be a duration with its unit`],
  [guard(`${HTTP}, cache: { entries: 2M }`), `${AT}.cache.entries: should be from 0 to 1M`],
  [guard(`${HTTP}, maxInFlight: 0`), `${AT}.maxInFlight: should be from 1 to 100k`],
  [`guard: { validators: [{ ${HTTP} }, { ${HTTP} }] }`, 'guard.validators[1].name: this name is taken'],
  [
    guard(HTTP, ', exceptions: [{ match: { team: t }, validators: [b] }]'),
    'guard.exceptions[0].validators[0]: there is no validator with this name',
  ],
])('%s', async (text, fault) => {
  expect((await faults(text)).find(found => found.startsWith(fault))).toBeDefined()
})

test('each kind has its defaults', async () => {
  const named = (name: string, validator: string) => `{ ${validator.replace('name: a', `name: ${name}`)} }`
  const text = `guard: { validators: [${named('a', HTTP)}, ${named('b', CLASSIFY)}, ${named('c', CHAT)}] }`
  const common = {
    on: ['input'],
    action: 'block',
    onFailure: 'block',
    headers: {},
    output: { mode: 'hold', window: 400 },
    cache: { ttlMs: 300_000, entries: 10_000 },
    maxInFlight: 32,
  }
  const input = { mode: 'before', maxWindows: 64 }
  const { config: loaded } = await config(text)
  expect(loaded.guard.validators).toMatchObject([
    { ...common, timeoutMs: 1000, input: { ...input, window: 4000 } },
    { ...common, timeoutMs: 300, input: { ...input, window: 1200 } },
    { ...common, timeoutMs: 5000, input: { ...input, window: 4000 } },
  ])
})

test('an address keeps its slash where nothing is put behind it', async () => {
  const of = async (validator: string) => (await config(guard(validator))).config.guard.validators[0]?.url
  expect(await of('name: a, kind: http, url: https://a/check/')).toBe('https://a/check/')
  expect(await of('name: a, kind: http, guard: g, url: https://a/')).toBe('https://a')
  expect(await of('name: a, kind: vllm-classify, url: https://a/')).toBe('https://a')
})

test('an exception may be for validators alone, and name none', async () => {
  const { config: loaded } = await config(guard(HTTP, ', exceptions: [{ match: { team: t }, validators: [] }]'))
  expect(loaded.guard.exceptions).toEqual([{ match: { team: ['t'] }, validators: [] }])
})

test.each([
  [`${HTTP}, onFailure: allow`, `${AT}.onFailure: texts pass unchecked while the validator fails`],
  [`${HTTP}, on: [output], output: { mode: alongside }`, `${AT}.output.mode: text of streams reaches callers before`],
  ['name: a, kind: http, url: http://10.0.0.1, apiKey: k', `${AT}.apiKey: sent unencrypted (http:)`],
])('%s is warned about', async (validator, warning) => {
  const found = (await config(guard(validator))).warnings.map(({ path, reason }) => `${path}: ${reason}`)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(warning)
})

test.each([HTTP, `${HTTP}, action: flag, onFailure: allow`, 'name: a, kind: http, url: http://127.0.0.1:1, apiKey: k'])(
  '%s is not',
  async validator => {
    expect((await config(guard(validator))).warnings).toEqual([])
  },
)

test('credentials come from the environment and are not printed', async () => {
  const validator = `${HTTP}, apiKey: "\${env:KEY}", headers: { X-Api-Key: "\${env:KEY}" }`
  const { config: loaded } = await config(guard(validator), { KEY: 'very-secret' })
  expect(loaded.guard.validators[0]).toMatchObject({ apiKey: 'very-secret', headers: { 'x-api-key': 'very-secret' } })
  expect(JSON.stringify(maskSecrets(loaded))).not.toContain('very-secret')
})
