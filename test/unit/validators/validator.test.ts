import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../adapters/node/clock.ts'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { createNodeUpstream } from '../../../adapters/node/upstream.ts'
import { BREAKER_FAILURES, BREAKER_PAUSE_MS, WINDOWS_AT_ONCE } from '../../../src/config/limits.ts'
import type { Subject } from '../../../src/validators/kind.ts'
import type { Outcome, Validator } from '../../../src/validators/validator.ts'
import type { ValidatorConfig } from '../../../src/validators/validator-config.ts'
import { Validators } from '../../../src/validators/validators.ts'
import { freePort, type Script, type ScriptedUpstream, scriptedUpstream, sleep, waitFor } from '../../support/index.ts'
import { validatorConfig } from '../../support/validators.ts'

const subject: Subject = { stage: 'input', requestId: 'r', team: 'blue', app: 'a', env: 'e', model: 'm' }
const upstream = createNodeUpstream()
const failed = (reason: unknown) => ({ kind: 'failed', reason })
const DEADLINE_MS = 150
/** What a busy machine may add to a deadline. */
const SLACK_MS = 400

let server: ScriptedUpstream
let answer: (script: Script) => unknown
/** Calls under way, and the most that there were. */
let now = 0
let most = 0
/** Events that were logged. */
let logged: string[] = []
/** The gateway's clock runs ahead by this. */
let ahead = 0

beforeAll(async () => {
  server = await scriptedUpstream(async script => {
    now++
    most = Math.max(most, now)
    await answer(script)
    now--
  })
})
afterEach(() => {
  ahead = 0
  most = 0
  logged = []
})
afterAll(async () => {
  await upstream.close()
  await server.stop()
})

const says =
  (value: unknown, status = 200) =>
  (script: Script) =>
    script.reply(status, value)
/** Bad is what has the word in it. */
const byWord = (script: Script) => script.reply(200, { pass: !String(script.json()['text']).includes('evil') })

function validator(settings: Partial<ValidatorConfig> = {}): Validator {
  const config = validatorConfig({ url: `${server.url}/check`, timeoutMs: 2000, ...settings })
  const clock = { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead }
  const telemetry = { log: (_: unknown, event: string) => void logged.push(event), count: () => {} }
  const { all } = new Validators([config], { upstream, clock, hashing: nodeHashing, telemetry })
  return all[0] as Validator
}

function check(one: Validator, windows: readonly string[] = ['text'], who: Subject = subject): Promise<Outcome> {
  return one.check(windows, who, new AbortController().signal)
}

async function calls(run: () => Promise<unknown>): Promise<number> {
  const before = server.requests.length
  await run()
  return server.requests.length - before
}

describe('a validator that answers', () => {
  test('gives its word, for all windows', async () => {
    answer = byWord
    const windows = Array.from({ length: 20 }, (_, index) => `window ${index}`)
    expect(await check(validator(), windows)).toEqual({ kind: 'pass' })
    expect(await check(validator(), [...windows, 'evil'])).toEqual({ kind: 'bad' })
    expect(await check(validator(), ['evil', ...windows])).toEqual({ kind: 'bad' })
    expect(await check(validator(), [])).toEqual({ kind: 'pass' })
  })

  test('is sent the credentials and headers that are configured, and JSON', async () => {
    answer = says({ pass: true })
    await check(validator({ apiKey: 'key', headers: { 'x-tenant': 'blue' } }), ['tél 🙂'])
    const { headers, body, path, method } = server.requests.at(-1) ?? {}
    expect(headers).toMatchObject({
      authorization: 'Bearer key',
      'x-tenant': 'blue',
      'content-type': 'application/json',
    })
    expect([method, path]).toEqual(['POST', '/check'])
    expect(JSON.parse(body ?? '')).toEqual({ ...subject, text: 'tél 🙂' })
  })

  test('sees some windows at once, and never more calls than it takes', async () => {
    answer = async script => {
      await script.sleep(20)
      await byWord(script)
    }
    const windows = Array.from({ length: 30 }, (_, index) => `w${index}`)
    await check(validator(), windows)
    expect(most).toBe(WINDOWS_AT_ONCE)
    most = 0
    const few = validator({ maxInFlight: 3 })
    const outcomes = await Promise.all(windows.map(text => check(few, [text])))
    expect(most).toBe(3)
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['pass']))
  })

  test('is not asked further once one window is bad', async () => {
    answer = byWord
    const windows = [...Array.from({ length: 100 }, (_, index) => `w${index}`), 'evil']
    expect(await calls(() => check(validator({ maxInFlight: 1 }), windows))).toBeLessThan(20)
    // What was given up may still be on its way.
    await sleep(50)
  })
})

describe('a verdict', () => {
  test('is remembered for its time, by team and by what it may depend on', async () => {
    answer = byWord
    const one = validator({ cache: { ttlMs: 1000, entries: 100 } })
    const both = () => check(one, ['good']).then(() => check(one, ['good', 'evil']))
    expect(await calls(both)).toBe(2)
    expect(await calls(both)).toBe(0)
    expect(await check(one, ['evil'])).toEqual({ kind: 'bad' })
    expect(await calls(() => check(one, ['good'], { ...subject, requestId: 'other' }))).toBe(0)
    expect(await calls(() => check(one, ['good'], { ...subject, team: 'red' }))).toBe(1)
    expect(await calls(() => check(one, ['good'], { ...subject, stage: 'output' }))).toBe(1)
    ahead = 1001
    expect(await calls(() => check(one, ['good']))).toBe(1)
  })

  test('is forgotten where there is no room, or none is wanted', async () => {
    answer = byWord
    const small = validator({ cache: { ttlMs: 1000, entries: 2 } })
    await check(small, ['a'])
    await check(small, ['b'])
    await check(small, ['c'])
    expect(await calls(() => check(small, ['a']))).toBe(1)
    const none = validator({ cache: { ttlMs: 1000, entries: 0 } })
    expect(await calls(() => check(none).then(() => check(none)))).toBe(2)
  })

  test('that is none is not remembered', async () => {
    const one = validator()
    answer = says({ pass: 'yes' })
    expect(await check(one)).toMatchObject(failed('no "pass" that is true or false'))
    answer = says({ pass: true })
    expect(await check(one)).toEqual({ kind: 'pass' })
  })
})

describe('a validator in trouble has failed, whatever it did', () => {
  const huge = JSON.stringify({ pass: true, note: 'x'.repeat(100_000) })
  test.each<[string, (script: Script) => unknown, unknown]>([
    ['no JSON', script => script.raw('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npass'), 'its answer is not JSON'],
    [
      'no UTF-8',
      script => script.raw(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff"', 'latin1')),
      'its answer is not JSON',
    ],
    [
      'NaN',
      script => script.raw('HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{"score": NaN'),
      'its answer is not JSON',
    ],
    ['nothing', script => script.raw('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 'its answer is not JSON'],
    ['no HTTP', script => script.raw('pass: true\r\n\r\n'), expect.any(String)],
    ['another status with a good body', says({ pass: true }, 404), 'it answered 404'],
    ['a redirect', script => script.reply(307, { pass: true }, { location: `${server.url}/other` }), 'it answered 307'],
    ['a failure of its own', says({ pass: true }, 500), 'it answered 500'],
    [
      'a body that breaks off',
      script => script.raw('HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{"pass":').then(script.reset),
      expect.any(String),
    ],
    ['a reset', script => script.reset(), expect.any(String)],
    [
      'too much',
      script => script.raw(`HTTP/1.1 200 OK\r\ncontent-length: ${huge.length}\r\n\r\n${huge}`),
      'more than 65536 bytes',
    ],
    [
      'too much, without an end',
      async script => {
        await script.head(200, { 'content-type': 'application/json' })
        for (let sent = 0; sent < 100; sent++) await script.chunk('"'.repeat(1000))
        await script.stall()
      },
      'more than 65536 bytes',
    ],
  ])('%s', async (_, act, reason) => {
    answer = act
    expect(await check(validator())).toEqual(failed(reason))
  })

  test('no connection', async () => {
    const nobody = validator({ url: `http://127.0.0.1:${await freePort()}` })
    expect(await check(nobody)).toEqual(failed(expect.stringContaining('ECONNREFUSED')))
  })

  test.each<[string, (script: Script) => unknown]>([
    ['silence', script => script.stall()],
    ['a head, then silence', script => script.head(200, { 'content-type': 'application/json' }).then(script.stall)],
    [
      'a body that drips',
      async script => {
        await script.head(200, { 'content-type': 'application/json' })
        for (let dripped = 0; dripped < 20; dripped++) {
          await script.chunk(' ')
          await script.sleep(50)
        }
        await script.chunk('{"pass":true}')
        await script.finish()
      },
    ],
  ])('%s: at the deadline, and the call is given up', async (_, act) => {
    answer = act
    const started = performance.now()
    expect(await check(validator({ timeoutMs: DEADLINE_MS }))).toEqual(failed(`no verdict within ${DEADLINE_MS} ms`))
    const took = performance.now() - started
    expect(took).toBeGreaterThanOrEqual(DEADLINE_MS - 5)
    expect(took).toBeLessThan(DEADLINE_MS + SLACK_MS)
    await server.requests.at(-1)?.gone
  })

  test('the deadline is for all windows and for waiting together', async () => {
    answer = async script => {
      await script.sleep(60)
      await byWord(script)
    }
    const windows = Array.from({ length: 10 }, (_, index) => `w${index}`)
    const one = validator({ timeoutMs: DEADLINE_MS, maxInFlight: 1 })
    expect(await check(one, windows)).toEqual(failed(`no verdict within ${DEADLINE_MS} ms`))
  })

  test('where failures are let through, what can be checked is checked', async () => {
    answer = script => (String(script.json()['text']).includes('w') ? script.reset() : byWord(script))
    const allow = validator({ onFailure: 'allow', maxInFlight: 1 })
    expect(await check(allow, ['evil', 'w1', 'w2'])).toEqual({ kind: 'bad' })
    expect(await check(allow, ['good', 'w1', 'w2'])).toEqual(failed(expect.any(String)))
  })

  test('a check that nobody waits for ends at once', async () => {
    answer = script => script.stall()
    const gone = new AbortController()
    const outcome = validator({ timeoutMs: 60_000 }).check(['text'], subject, gone.signal)
    const before = server.requests.length
    await waitFor('the call', () => server.requests.length > before || server.requests.at(-1)?.body.includes('text'))
    await sleep(50)
    gone.abort()
    expect(await outcome).toEqual({ kind: 'dropped' })
    await server.requests.at(-1)?.gone
  })
})

describe('a validator that keeps failing', () => {
  const fail = async (one: Validator, times: number) => {
    for (let time = 0; time < times; time++) expect((await check(one, [`t${time}`])).kind).toBe('failed')
  }

  test('is not left alone because many texts stood in line for it', async () => {
    answer = async script => {
      await script.sleep(100)
      await byWord(script)
    }
    const one = validator({ maxInFlight: 1, timeoutMs: DEADLINE_MS, onFailure: 'allow' })
    const texts = Array.from({ length: 4 * BREAKER_FAILURES }, (_, index) => `text ${index}`)
    const outcomes = await Promise.all(texts.map(text => check(one, [text])))
    expect(outcomes.filter(({ kind }) => kind === 'failed').length).toBeGreaterThan(2 * BREAKER_FAILURES)
    expect(one.failing).toBe(false)
    answer = byWord
    expect(await check(one, ['evil'])).toEqual({ kind: 'bad' })
  })

  test('is left alone for some seconds, then asked once to see', async () => {
    answer = says({}, 503)
    const one = validator()
    expect(await calls(() => fail(one, BREAKER_FAILURES))).toBe(BREAKER_FAILURES)
    expect(one.failing).toBe(true)
    expect(logged).toHaveLength(BREAKER_FAILURES)
    expect(
      await calls(async () => {
        const started = performance.now()
        await fail(one, 100)
        expect(performance.now() - started).toBeLessThan(100)
      }),
    ).toBe(0)

    expect(logged).toHaveLength(BREAKER_FAILURES)

    ahead = BREAKER_PAUSE_MS + 1
    answer = async script => {
      await script.sleep(50)
      await script.reply(503, {})
    }
    expect(await calls(() => Promise.all([check(one, ['a']), check(one, ['b']), check(one, ['c'])]))).toBe(1)
    expect(await calls(() => fail(one, 1))).toBe(0)

    ahead = 2 * BREAKER_PAUSE_MS + 100
    answer = byWord
    // Also a text of many windows finds out.
    expect(await check(one, ['a', 'b', 'c', 'd'])).toEqual({ kind: 'pass' })
    expect(one.failing).toBe(false)
  })

  test.each<[string, (script: Script) => unknown]>([
    ['silence', script => script.stall()],
    ['resets', script => script.reset()],
    ['429', says({}, 429)],
  ])('%s count', async (_, act) => {
    answer = act
    const one = validator({ timeoutMs: 30 })
    await fail(one, BREAKER_FAILURES)
    expect(one.failing).toBe(true)
  })

  test.each<[string, (script: Script) => unknown]>([
    ['refused texts', says({ error: 'too long' }, 400)],
    ['answers that say nothing', says({ content: 'I cannot judge that.' })],
  ])('%s do not: a caller could switch it off for the others', async (_, act) => {
    answer = act
    const one = validator()
    await fail(one, 2 * BREAKER_FAILURES)
    expect(one.failing).toBe(false)
  })

  test('long texts that it does not get through in time do not either', async () => {
    answer = async script => {
      await script.sleep(20)
      await byWord(script)
    }
    const one = validator({ timeoutMs: 100, maxInFlight: 2, cache: { ttlMs: 1, entries: 0 } })
    const windows = Array.from({ length: 64 }, (_, index) => `w${index}`)
    for (let time = 0; time < BREAKER_FAILURES + 1; time++) {
      expect((await check(one, windows)).kind).toBe('failed')
    }
    expect(one.failing).toBe(false)
  })
})
