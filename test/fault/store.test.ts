import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Redis,
  type Runtime,
  sleep,
  startGateway,
  startRedis,
  waitFor,
  within,
} from '../support/index.ts'
import { chat, codeOf, readStream } from './support/caller.ts'
import { recordOf, verifyLog } from './support/log.ts'
import { answerWell, type ModelServer, modelServer } from './support/model.ts'

/** The store's time-out of 100 ms, and what the way there and back may add on a busy machine. */
const DECISION_MS = 150
const LIMIT = 1_000_000

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

describe.each<Runtime>(['node', 'bun'])('Redis in trouble, behind the gateway on %s', runtime => {
  let server: ModelServer
  let redis: Redis
  let gateway: Gateway
  let token: string
  let last = 0

  beforeAll(async () => {
    ;[server, redis] = await Promise.all([modelServer(), startRedis()])
    gateway = await startGateway({
      runtime,
      config: {
        state: redis.url,
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
        quotas: [{ name: 'team-hour', per: ['team'], tokens: LIMIT, window: '1h' }],
      },
    })
    token = await gateway.mint()
    await works()
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([server?.stop(), redis?.stop()])
  })

  const probe = () => within('an answer', 3000, chat(gateway, { token, stream: false }).answer)
  const works = () => waitFor('the store works', async () => (await probe()).status === 200)

  /** A stream of about a second, on its way. */
  async function longStream() {
    const id = `${runtime}-long-${++last}`
    server.on(id, script => answerWell(script, Array<string>(20).fill('word '), 50))
    const call = chat(gateway, { token, id, prompt: id })
    await waitFor('the first word', () => call.text().includes('word'))
    return { id, ...call }
  }

  async function expectServed({ id, answer }: Awaited<ReturnType<typeof longStream>>) {
    const { text, complete } = await within('the rest', 5000, answer)
    expect(readStream(text)).toMatchObject({ done: true, finish: 'stop', content: 'word '.repeat(20) })
    expect(complete).toBe(true)
    expect(await recordOf(gateway, id)).toMatchObject({ outcome: 'served' })
  }

  async function expectDenied(attempts: number) {
    const took: number[] = []
    const seen = server.requests.length
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answer = await probe()
      expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 503, code: 'quota_unavailable' })
      took.push(answer.ms)
    }
    console.log(`${runtime}: denied after ${took.map(ms => ms.toFixed(1)).join(' ')} ms`)
    expect(median(took)).toBeLessThan(DECISION_MS)
    expect(server.requests.length).toBe(seen)
  }

  test('stopped: running streams finish, new requests are denied in time, and it works again once it is back', async () => {
    const stream = await longStream()
    await redis.stop()
    await expectDenied(5)
    await expectServed(stream)
    redis = await startRedis({ port: redis.port })
    const back = performance.now()
    await works()
    expect(performance.now() - back).toBeLessThan(2000)
  })

  test('frozen: the same, and what ended meanwhile is settled once it moves again', async () => {
    const before = Number((await probe()).headers['x-ratelimit-remaining-tokens'])
    const stream = await longStream()
    redis.pause()
    await expectDenied(5)
    await expectServed(stream)
    redis.resume()
    await works()
    // Settled: thousands of tokens of the stream's reservation have come back.
    const settled = async () => before - Number((await probe()).headers['x-ratelimit-remaining-tokens'])
    await waitFor('the settlement', async () => (await settled()) < 400, 5000)
    expect(await settled()).toBeGreaterThan(0)
  })

  test('50 callers at a frozen store: none hangs, none gets through', async () => {
    redis.pause()
    const answers = await within('all answers', 3000, Promise.all(Array.from({ length: 50 }, probe)))
    redis.resume()
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    await works()
    await sleep(100)
    expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
    expect(gateway.output()).not.toMatch(/internal_error|unhandled|uncaught/i)
  })

  test('readiness tells it', async () => {
    const status = async () => (await fetch(`${gateway.url}/readyz`)).status
    expect(await status()).toBe(200)
    redis.pause()
    expect(await status()).toBe(503)
    redis.resume()
    await waitFor('ready again', async () => (await status()) === 200)
  })
})
