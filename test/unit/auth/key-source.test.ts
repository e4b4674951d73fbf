import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { KeySource, type LoadedKeys } from '../../../src/auth/key-source.ts'
import { type TestKey, testKey } from '../../support/tokens.ts'

const SCHEDULE = { everyMs: 1000, retryMs: 300, cooldownMs: 200, maxStaleMs: 5000 }

let first: TestKey
let second: TestKey
beforeAll(async () => {
  first = await testKey('EdDSA', 'first')
  second = await testKey('ES256', 'second')
})

let found: LoadedKeys
let inForce: boolean
let looks: number
let logged: string[]
let failures: number
let source: KeySource
beforeEach(() => {
  vi.useFakeTimers()
  looks = 0
  failures = 0
  logged = []
  found = { ok: true, jwks: { keys: [first.publicJwk] } }
  source = new KeySource({
    issuer: 'https://idp.example',
    load: async mayBeUnchanged => {
      inForce = mayBeUnchanged
      looks++
      return found
    },
    schedule: SCHEDULE,
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    telemetry: {
      log: (_, event) => logged.push(event),
      count: (metric, labels) => {
        expect([metric, labels]).toEqual(['sallyport_key_load_failures_total', { issuer: 'https://idp.example' }])
        failures++
      },
    },
  })
  return () => {
    source.close()
    vi.useRealTimers()
  }
})

const kids = () => source.keys && [...source.keys.keys()]
const broken: LoadedKeys = { ok: false, reason: 'the server answered 500, not 200' }

test('keys change with the set; one that stays is the same object', async () => {
  await source.look()
  source.watch()
  const before = source.keys?.get('first')
  found = { ok: true, jwks: { keys: [first.publicJwk, second.publicJwk] } }
  await vi.advanceTimersByTimeAsync(1000)
  expect(kids()).toEqual(['first', 'second'])
  expect(source.keys?.get('first')).toBe(before)
  found = { ok: true, jwks: { keys: [second.publicJwk] } }
  await vi.advanceTimersByTimeAsync(1000)
  expect(kids()).toEqual(['second'])
})

test('another key under the same kid is another', async () => {
  await source.look()
  source.watch()
  const before = source.keys?.get('first')
  found = { ok: true, jwks: { keys: [{ ...second.publicJwk, kid: 'first' }] } }
  await vi.advanceTimersByTimeAsync(1000)
  expect(source.keys?.get('first')).not.toBe(before)
})

test.each<[string, () => LoadedKeys]>([
  ['fails', () => broken],
  ['finds no key set', () => ({ ok: true, jwks: { keys: 'none' } })],
  ['finds a private key', () => ({ ok: true, jwks: { keys: [first.privateJwk] } })],
  ['finds an empty set', () => ({ ok: true, jwks: { keys: [] } })],
  ['finds nonsense', () => ({ ok: true, jwks: { keys: [{ kty: 'EC', crv: 'P-256', key_ops: 7, alg: {}, kid: {} }] } })],
])('a look that %s keeps the keys until they are too old', async (_, look) => {
  await source.look()
  source.watch()
  found = look()
  await vi.advanceTimersByTimeAsync(5000)
  expect(kids()).toEqual(['first'])
  expect(source.failure).toBeDefined()
  await vi.advanceTimersByTimeAsync(300)
  expect(kids()).toBeUndefined()
  expect(failures).toBeGreaterThan(10)
  // Once each, however often it fails.
  expect(logged).toEqual(['token_keys_loaded', 'token_keys_not_loaded', 'token_keys_too_old'])
  found = { ok: true, jwks: { keys: [first.publicJwk] } }
  await vi.advanceTimersByTimeAsync(300)
  expect(kids()).toEqual(['first'])
  expect(source.failure).toBeUndefined()
})

test('a loader may say that nothing has changed only while what it found is in force', async () => {
  await source.look()
  expect(inForce).toBe(false)
  await source.look()
  expect(inForce).toBe(true)
  found = { ok: true, jwks: { keys: [] } }
  await source.look()
  await source.look()
  expect(inForce).toBe(false)
})

test('an unchanged set counts as a good look', async () => {
  await source.look()
  source.watch()
  found = { ok: true, unchanged: true }
  await vi.advanceTimersByTimeAsync(20_000)
  expect(kids()).toEqual(['first'])
})

test('reloads are one at a time and none sooner than the cooldown after a look, good or not', async () => {
  await source.look()
  source.watch()
  expect(source.reload()).toBeUndefined()
  await vi.advanceTimersByTimeAsync(200)
  const running = source.reload()
  expect(running).toBeInstanceOf(Promise)
  expect(source.reload()).toBe(running)
  await running
  expect(looks).toBe(2)
  found = broken
  await vi.advanceTimersByTimeAsync(200)
  await source.reload()
  for (let i = 0; i < 100; i++) expect(source.reload()).toBeUndefined()
  expect(looks).toBe(3)
})

test('after close nobody looks any more', async () => {
  await source.look()
  source.watch()
  source.close()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(looks).toBe(1)
})
