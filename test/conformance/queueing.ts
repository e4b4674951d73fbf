import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chat as call } from '../fault/support/caller.ts'
import {
  freePort,
  type Gateway,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  sleep,
  startGateway,
  waitFor,
  within,
} from '../support/index.ts'
import { type Json, message, says } from './events.ts'
import { chat, type Reply, type Rig, type SendOptions, type Values } from './rig.ts'

const LIMIT = 1_000_000

/** Requests that wait for a model server that takes one or two at a time, and answers when it is told to. */
export function queueing(rig: Rig): void {
  let server: ScriptedUpstream
  let gateway: Gateway
  let hasty: Gateway
  /** Requests at the model server, in the order in which they came; each goes on when it is taken out. */
  const held: Script[] = []

  const start = (admission: Values, nowhere: string) => {
    const at = (maxInFlight: number, url = `${server.url}/v1`) => ({ url, kind: 'vllm', maxInFlight })
    return startGateway({
      runtime: rig.runtime,
      config: {
        models: [
          { id: 'm', upstreams: [at(1)] },
          { id: 'two', upstreams: [at(2)] },
          { id: 'pair', upstreams: [at(1, nowhere), at(1)] },
        ],
        quotas: [{ name: 'all', per: ['team'], tokens: LIMIT, window: '1h' }],
        admission,
      },
    })
  }

  beforeAll(async () => {
    server = await scriptedUpstream(script => {
      if (script.request.method === 'GET') return script.reply(404, {})
      held.push(script)
      return script.stall()
    })
    const nowhere = `http://127.0.0.1:${await freePort()}/v1`
    ;[gateway, hasty] = await Promise.all([
      start(
        {
          maxWait: '30s',
          queue: { perTeam: 3, total: 5 },
          priorities: ['now', 'normal', 'later'],
          defaultPriority: 'normal',
        },
        nowhere,
      ),
      start({ maxWait: '300ms' }, nowhere),
    ])
  })
  afterAll(() => Promise.all([gateway?.stop(), hasty?.stop(), server?.stop()]))
  afterEach(() => {
    expect(held).toEqual([])
  })

  const as = async (claims: Values, where = gateway): Promise<SendOptions> => ({
    gateway: where,
    token: await rig.token(claims, {}, where),
  })
  const textOf = (script: Script) => (script.json() as { messages: { content: string }[] }).messages[0]?.content
  const ask = (text: string, who: SendOptions, fields: Values = {}) =>
    rig.send({ ...chat(text), max_tokens: 10, ...fields }, who)
  const metrics = async (where = gateway) => (await fetch(`${where.adminUrl}/metrics`)).text()
  /** Until so many requests for the model wait. */
  const untilInLine = (count: number, where = gateway) =>
    waitFor(`${count} in line`, async () =>
      (await metrics(where)).includes(`sallyport_model_queue_depth{model="m"} ${count}\n`),
    )
  /** Sends requests, each when the one before is in line. Nobody else is. */
  const line = async (...asked: [text: string, who: SendOptions][]): Promise<Promise<Reply>[]> => {
    const replies: Promise<Reply>[] = []
    for (const [text, who] of asked) {
      replies.push(ask(text, who))
      await untilInLine(replies.length)
    }
    return replies
  }
  /** What the model server works on next, once it is there; it answers. */
  const answerNext = async () => {
    const script = await waitFor('a request at the model server', () => held[0])
    const text = textOf(script)
    held.shift()
    if (script.json()['stream'] !== true) await script.reply(200, message({ content: 'done' }))
    else {
      await script.head()
      for (const piece of says('done')) await script.chunk(piece)
      await script.finish()
    }
    return text
  }
  const answerAll = async (count: number) => {
    const order: (string | undefined)[] = []
    for (let each = 0; each < count; each++) order.push(await answerNext())
    return order
  }
  const record = (reply: Pick<Reply, 'headers'>, where = gateway): Promise<Json> => rig.record(reply, where)

  test('within a team in order; another team’s one request goes before what a team has waiting', async () => {
    const [red, blue] = [await as({ team: 'red' }), await as({ team: 'blue' })]
    const first = ask('red 1', red)
    await waitFor('the place is taken', () => held.length === 1)
    const replies = [first, ...(await line(['red 2', red], ['red 3', red], ['blue 1', blue]))]
    expect(held.map(textOf)).toEqual(['red 1'])
    expect(await answerAll(4)).toEqual(['red 1', 'blue 1', 'red 2', 'red 3'])
    const all = await Promise.all(replies)
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const records = await Promise.all(all.map(reply => record(reply)))
    expect(records[0]).not.toHaveProperty('queueMs')
    for (const { queueMs, latencyMs, firstByteMs } of records.slice(1)) {
      expect(queueMs).toBeGreaterThan(0)
      expect(queueMs).toBeLessThan(firstByteMs)
      expect(queueMs).toBeLessThan(latencyMs)
    }
  })

  test('no server gets more than it takes, and none idles while somebody waits', async () => {
    const teams = await Promise.all(['red', 'blue', 'green'].map(team => as({ team })))
    const replies = Array.from({ length: 7 }, (_, index) =>
      ask(`n ${index}`, teams[index % 3] as SendOptions, { model: 'two' }),
    )
    for (let left = 7; left > 0; left--) {
      await waitFor('all places are taken', () => held.length === Math.min(2, left))
      await sleep(20)
      expect(held).toHaveLength(Math.min(2, left))
      await answerNext()
    }
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual(Array(7).fill(200))
  })

  test('a stream waits in silence, and then comes whole', async () => {
    const red = await as({ team: 'red' })
    const first = ask('first', red)
    await waitFor('the first is at work', () => held.length === 1)
    let headAt = 0
    const second = rig.fetch({ ...chat('second'), stream: true }, red).then(response => {
      headAt = performance.now()
      return response.text()
    })
    await sleep(300)
    expect(headAt).toBe(0)
    await answerAll(2)
    expect((await first).status).toBe(200)
    expect(await second).toMatch(/done[\s\S]*data: \[DONE\]\n\n$/)
  })

  test('priority classes go in their order; a class that is not known counts as the default', async () => {
    const of = (priority?: string, team = 'red') => as({ team, ...(priority && { priority }) })
    const busy = ask('busy', await as({ team: 'blue' }))
    await waitFor('the place is taken', () => held.length === 1)
    const replies = await line(
      ['later', await of('later')],
      ['plain', await of()],
      ['unknown', await of('unheard-of')],
      ['now', await of('now', 'green')],
    )
    expect(await answerAll(5)).toEqual(['busy', 'now', 'plain', 'unknown', 'later'])
    await Promise.all([busy, ...replies])
  })

  test('a caller who leaves the line is out of it at once, and used nothing', async () => {
    const red = await as({ team: 'leavers' })
    const token = red.token as string
    const first = ask('first', red)
    await waitFor('the first is at work', () => held.length === 1)
    const leaver = call(gateway, { token, prompt: 'leaver', id: `leaver-${rig.runtime}` })
    await untilInLine(1)
    const third = ask('third', red)
    await untilInLine(2)
    leaver.leave()
    await untilInLine(1)
    const gone = await record({ headers: new Headers({ 'x-request-id': `leaver-${rig.runtime}` }) })
    expect(gone).toMatchObject({ outcome: 'aborted', status: 499 })
    expect(gone.queueMs).toBeGreaterThan(0)
    expect(gone).not.toHaveProperty('upstream')
    expect(await answerAll(2)).toEqual(['first', 'third'])
    await Promise.all([first, third])
    expect(server.requests.some(({ body }) => body.includes('leaver'))).toBe(false)
    const { inputTokens, outputTokens } = await record(await first)
    const last = ask('last', red)
    await answerAll(1)
    const remaining = Number((await last).headers.get('x-ratelimit-remaining-tokens'))
    // Two answers were paid for, and the last is reserved: the leaver’s own reservation is given back.
    expect(LIMIT - remaining - 2 * (inputTokens + outputTokens)).toBeLessThan(200)
  })

  test('who waits too long is told so, and when to come back', async () => {
    const red = await as({ team: 'red' }, hasty)
    const first = ask('first', red)
    await waitFor('the first is at work', () => held.length === 1)
    const reply = await ask('overdue', red)
    expect(reply.status).toBe(503)
    expect(reply.json().error).toMatchObject({ code: 'queue_timeout', type: 'upstream_error' })
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(Number(reply.headers.get('retry-after-ms'))).toBeGreaterThanOrEqual(1000)
    expect(reply.headers.get('x-should-retry')).toBeNull()
    const late = await record(reply, hasty)
    expect(late).toMatchObject({ outcome: 'failed', errorCode: 'queue_timeout' })
    expect(late.queueMs).toBeGreaterThanOrEqual(299)
    await answerAll(1)
    expect((await first).status).toBe(200)
    expect(server.requests.some(({ body }) => body.includes('overdue'))).toBe(false)
    const next = ask('next', red)
    await answerAll(1)
    expect(LIMIT - Number((await next).headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(300)
  })

  test('a team’s line is full: 429; everybody’s: 503', async () => {
    const [red, blue, green] = [await as({ team: 'red' }), await as({ team: 'blue' }), await as({ team: 'green' })]
    const waiting = [ask('busy', red)]
    await waitFor('the place is taken', () => held.length === 1)
    for (const who of [red, red, red]) waiting.push(ask('waits', who))
    await untilInLine(3)
    const ofTeam = await ask('too many', red)
    expect([ofTeam.status, ofTeam.json().error.code]).toEqual([429, 'team_queue_full'])
    expect(ofTeam.json().error.type).toBe('rate_limit_error')
    for (const who of [blue, blue]) waiting.push(ask('waits', who))
    await untilInLine(5)
    expect(await metrics()).toContain('# TYPE sallyport_queue_depth gauge\nsallyport_queue_depth{team="')
    expect(await metrics()).toContain('sallyport_queue_depth{team="red"} 3\n')
    const ofAll = await ask('too many', green)
    expect([ofAll.status, ofAll.json().error.code]).toEqual([503, 'queue_full'])
    for (const reply of [ofTeam, ofAll]) {
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(Number(reply.headers.get('retry-after-ms'))).toBeGreaterThanOrEqual(1000)
    }
    expect(await record(ofTeam)).toMatchObject({ outcome: 'refused', errorCode: 'team_queue_full' })
    await answerAll(6)
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(6).fill(200))
  })

  test('while one server of a model is away, requests wait for the other', async () => {
    const red = await as({ team: 'red' })
    const replies = [1, 2, 3].map(each => ask(`n ${each}`, red, { model: 'pair' }))
    for (let each = 0; each < 3; each++) {
      await waitFor('one at the server', () => held.length === 1)
      await sleep(20)
      expect(held).toHaveLength(1)
      await answerNext()
    }
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([200, 200, 200])
  })

  describe('told to stop', () => {
    test('those who wait still have their turn', async () => {
      const stopping = await start({}, `http://127.0.0.1:${await freePort()}/v1`)
      const token = await rig.token({ team: 'red' }, {}, stopping)
      const [first, second] = [1, 2].map(each => call(stopping, { token, prompt: `n ${each}`, stream: false }))
      await waitFor('the first is at work', () => held.length === 1)
      await untilInLine(1, stopping)
      stopping.signal('SIGTERM')
      await sleep(100)
      await answerAll(2)
      const answers = await within('both answers', 5000, Promise.all([first?.answer, second?.answer]))
      expect(answers.map(answer => answer?.status)).toEqual([200, 200])
      expect(await within('the exit', 5000, stopping.exited)).toEqual({ code: 0, signal: null })
    })
  })
}
