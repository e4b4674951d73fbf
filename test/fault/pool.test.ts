import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Runtime,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  sleep,
  startGateway,
  waitFor,
} from '../support/index.ts'
import { chat, codeOf, readStream } from './support/caller.ts'
import { answerWell, delta } from './support/model.ts'

const FIRST_BYTE_MS = 500
const HEALTH_MS = 100

type Act = (script: Script) => unknown

/** A model server whose answers, and whose health, can be changed while it runs. */
class Replica {
  act: Act = answerWell
  health = 200
  /** What its metrics say it works on. */
  running = 0
  server!: ScriptedUpstream

  async start(): Promise<this> {
    this.server = await scriptedUpstream(async script => {
      if (script.request.path === '/metrics') {
        await script.head(200, { 'content-type': 'text/plain' })
        await script.chunk(`vllm:num_requests_running{engine="0"} ${this.running}.0\n`)
        return script.finish()
      }
      return script.request.method === 'GET' ? script.reply(this.health, {}) : this.act(script)
    })
    return this
  }

  /** Requests that it got. */
  get asked(): number {
    return this.server.requests.filter(({ method }) => method === 'POST').length
  }
}

const answers =
  (status: number, headers: Record<string, string> = {}, waitMs = 0): Act =>
  async script => {
    await script.sleep(waitMs)
    await script.reply(status, { error: { message: 'no' } }, headers)
  }

describe.each<Runtime>(['node', 'bun'])('a pool of model servers, behind the gateway on %s', runtime => {
  const started: AsyncDisposable[] = []
  let a: Replica
  let b: Replica
  let gateway: Gateway
  let token: string

  /** A gateway in front of so many servers; the first two are `a` and `b`. */
  async function start(count: number, settings: readonly object[] = []) {
    const replicas = await Promise.all(Array.from({ length: count }, () => new Replica().start()))
    ;[a, b] = replicas as [Replica, Replica]
    const upstreams = replicas.map(({ server }, at) => ({
      url: `${server.url}/v1`,
      kind: 'openai',
      health: { path: '/health', every: `${HEALTH_MS}ms` },
      ...settings[at],
    }))
    gateway = await startGateway({
      runtime,
      config: {
        models: [{ id: 'm', upstreams }],
        timeouts: { firstByte: `${FIRST_BYTE_MS}ms`, idle: '2s', total: '5s' },
      },
    })
    started.push(gateway, ...replicas.map(({ server }) => server))
    token = await gateway.mint()
    return replicas
  }
  afterAll(async () => {
    for (const each of started) await each[Symbol.asyncDispose]()
  })

  let last = 0
  /** Asks something new. */
  const ask = (stream = true) => chat(gateway, { token, stream, prompt: `question ${++last}` }).answer
  /** Asks so often, one after the other; the statuses. */
  async function askAll(times: number): Promise<number[]> {
    const statuses: number[] = []
    for (let at = 0; at < times; at++) statuses.push((await ask(at % 2 === 0)).status)
    return statuses
  }
  const times = (event: string) => gateway.output().split(`"event":"${event}"`).length - 1
  const isReady = async () => (await fetch(`${gateway.url}/readyz`)).status === 200
  const all200 = (count: number) => Array.from({ length: count }, () => 200)

  describe('failing', () => {
    beforeAll(() => start(2))

    test('with 500, a server is left alone after three, and is back soon after it is well', async () => {
      a.act = answers(500)
      const statuses = await askAll(20)
      expect(statuses.filter(status => status === 502)).toHaveLength(3)
      expect(a.asked).toBe(3)
      expect(times('upstream_ejected')).toBe(1)
      expect(await isReady()).toBe(true)
      a.act = answerWell
      await waitFor('it to be asked again', async () => (await ask()).status === 200 && a.asked > 4, 10_000)
      expect(times('upstream_restored')).toBe(1)
    })

    test('by hanging, it costs three callers their time, and nobody else', async () => {
      a.act = script => script.stall()
      const before = a.asked
      const statuses: number[] = []
      await waitFor('it to be left alone', async () => {
        statuses.push((await ask()).status)
        return times('upstream_ejected') === 2
      })
      expect(statuses.filter(status => status !== 200)).toEqual([504, 504, 504])
      expect(a.asked - before).toBe(3)
      const began = performance.now()
      expect(await askAll(5)).toEqual(all200(5))
      expect(performance.now() - began).toBeLessThan(FIRST_BYTE_MS + 400)
      a.act = answerWell
      await waitFor(
        'it to be asked again',
        async () => (await ask()).status === 200 && times('upstream_restored') === 2,
      )
    })

    test('in its health checks, it gets nothing until they are good again; of the last one they are not believed', async () => {
      a.health = 503
      await waitFor('it to be down', () => times('upstream_down') === 1)
      const before = a.asked
      expect(await askAll(10)).toEqual(all200(10))
      expect(a.asked).toBe(before)
      expect(await isReady()).toBe(true)
      b.health = 500
      await waitFor('both to be down', () => times('upstream_down') === 2)
      expect(await askAll(10)).toEqual(all200(10))
      expect(a.asked).toBeGreaterThan(before)
      a.health = b.health = 200
      await waitFor('both to be up', () => times('upstream_up') === 2)
    })

    test('by dying, it costs nobody anything', async () => {
      await a.server.stop()
      expect(await askAll(20)).toEqual(all200(20))
      // As it died, and as it was tried again.
      expect(times('upstream_unreachable')).toBeLessThanOrEqual(3)
      expect(await isReady()).toBe(true)
    })
  })

  describe('repeating', () => {
    let replicas: Replica[]
    beforeAll(async () => void (replicas = await start(5)))

    const allAsked = () => replicas.reduce((sum, each) => sum + each.asked, 0)
    const untilWell = () =>
      waitFor('a good answer of it', async () => {
        const { asked } = a
        return (await ask()).status === 200 && a.asked > asked
      })
    /** One server does this and the others answer well, until that one has been asked; how it was, and how many were asked. */
    async function untilAsked(act: Act) {
      await untilWell()
      a.act = act
      return waitFor('it to be asked', async () => {
        const [asked, all] = [a.asked, allAsked()]
        const answer = await ask()
        if (a.asked === asked) return undefined
        a.act = answerWell
        return { ...answer, attempts: allAsked() - all }
      })
    }

    test.each([429, 502, 503])('a request that is turned away with %i, another server answers', async status => {
      const answer = await untilAsked(answers(status, { 'retry-after': '0' }))
      expect(answer).toMatchObject({ status: 200, attempts: 2 })
    })

    test.each<[string, Act]>([
      ['answered 500', answers(500)],
      ['answered 504', answers(504)],
      ['broken off before the head', script => script.reset()],
      [
        'broken off behind the head',
        async script => {
          await script.head()
          script.reset()
        },
      ],
      ['given an answer that is none', answers(200)],
    ])('a request that is %s, nobody repeats', async (_, act) => {
      const answer = await untilAsked(act)
      expect(answer.attempts).toBe(1)
      expect([502, 504]).toContain(answer.status)
    })

    test('a stream that breaks off behind its first event, nobody repeats', async () => {
      const { text, attempts } = await untilAsked(async script => {
        await script.head()
        await script.event(delta('Half an answer. '))
        await script.sleep(50)
        script.reset()
      })
      expect(readStream(text)).toMatchObject({ error: 'upstream_failed', done: false })
      expect(attempts).toBe(1)
    })

    test('a server that says when to come back is left alone until then', async () => {
      await untilAsked(answers(503, { 'retry-after': '2' }))
      const asked = a.asked
      const until = performance.now() + 1500
      while (performance.now() < until) expect((await ask()).status).toBe(200)
      expect(a.asked).toBe(asked)
      await untilWell()
    })

    test('three servers are asked, and not the other two', async () => {
      await untilWell()
      for (const each of replicas) each.act = answers(503, { 'retry-after': '0' })
      const before = allAsked()
      const answer = await ask()
      expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 503, code: 'upstream_unavailable' })
      expect(allAsked() - before).toBe(3)
    })

    test('all of them have the time of one', async () => {
      for (const each of replicas) each.act = answers(503, { 'retry-after': '0' }, 0.6 * FIRST_BYTE_MS)
      await sleep(100)
      const answer = await ask()
      expect([503, 504]).toContain(answer.status)
      expect(answer.ms).toBeLessThan(FIRST_BYTE_MS + 400)
      for (const each of replicas) each.act = answerWell
    })
  })

  test('a server that works for others is spared, as long as it says so', async () => {
    const health = { path: '/health', every: `${HEALTH_MS}ms`, load: true }
    await start(2, [
      { kind: 'vllm', health },
      { kind: 'vllm', health },
    ])
    a.running = 20
    const metrics = () => a.server.requests.filter(({ path }) => path === '/metrics').length
    const before = metrics()
    await waitFor('its metrics to be read', () => metrics() > before + 1)
    expect(await askAll(10)).toEqual(all200(10))
    expect(a.asked).toBe(0)
    a.running = 0
    await waitFor('it to be asked', async () => (await ask()).status === 200 && a.asked > 0)
  })

  describe('weights', () => {
    test('of 0 drain, others share out', async () => {
      const [none, stable, canary] = (await start(3, [{ weight: 0 }, {}, { weight: 0.25 }])) as [
        Replica,
        Replica,
        Replica,
      ]
      expect(await askAll(100)).toEqual(all200(100))
      expect(none.asked).toBe(0)
      // A fifth, and four standard deviations of it either way.
      expect(Math.abs(canary.asked - 20)).toBeLessThanOrEqual(16)
      expect(stable.asked + canary.asked).toBe(100)
    })
  })
})
