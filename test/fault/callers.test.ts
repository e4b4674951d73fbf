import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Llama,
  type Redis,
  type Runtime,
  type Script,
  sleep,
  startGateway,
  startLlama,
  startRedis,
  waitFor,
  within,
} from '../support/index.ts'
import { chat } from './support/caller.ts'
import { recordOf, verifyLog } from './support/log.ts'
import { delta, endStream, type ModelServer, modelServer, residentMiB } from './support/model.ts'

/** Within this time of a caller's leaving, its model server must be free of it. */
const CANCEL_MS = 100
const ROUNDS = 5
/** What a probe is settled to. */
const PROBE_TOKENS = 10

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const shown = (values: readonly number[]) => values.map(value => value.toFixed(1)).join(' ')

describe.each<Runtime>(['node', 'bun'])('callers that leave the gateway on %s', runtime => {
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
        quotas: [{ name: 'team-hour', per: ['team'], tokens: 1_000_000_000, window: '1h' }],
        guard: { output: { pii: 'redact', secrets: 'redact' } },
      },
    })
    token = await gateway.mint()
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([server?.stop(), redis?.stop()])
  })

  function ask(act: (script: Script) => unknown, { stream = true, deaf = false } = {}) {
    const id = `${runtime}-${++last}`
    server.on(id, act)
    return { id, ...chat(gateway, { token, id, prompt: id, stream, deaf }) }
  }

  /** The tokens left, once a probe has taken its share. */
  async function remaining(): Promise<number> {
    const { status, headers } = await chat(gateway, { token, stream: false }).answer
    expect(status).toBe(200)
    return Number(headers['x-ratelimit-remaining-tokens'])
  }

  /** What was charged while `run` ran. The caller's settlement does not wait, so neither end of the probe may. */
  async function charged(run: () => Promise<unknown>): Promise<number> {
    const before = await remaining()
    await run()
    await sleep(50)
    return before - (await remaining()) - PROBE_TOKENS
  }

  const stages: [string, boolean, (script: Script) => Promise<unknown>][] = [
    ['before the head of a stream', true, script => script.stall()],
    ['before a whole answer', false, script => script.stall()],
    ['between head and first byte', true, script => script.head().then(() => script.stall())],
    [
      'in the middle of a stream',
      true,
      async script => {
        await script.head()
        for (let words = 0; words < 20; words++) await script.event(delta('word '))
        await script.stall()
      },
    ],
    [
      'in the middle of a whole answer',
      false,
      async script => {
        await script.head(200, { 'content-type': 'application/json' })
        await script.chunk('{"id":"1",')
        await script.stall()
      },
    ],
  ]

  test.each(stages)('%s', async (stage, stream, act) => {
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const tokens = await charged(async () => {
        const call = ask(act, { stream })
        await waitFor('the model server has the request', () => server.seen(call.id))
        if (stage.includes('in the middle of a stream')) await waitFor('words', () => call.text().includes('word'))
        else await sleep(30)
        const left = call.leave()
        took.push((await server.left(call.id)) - left)
        expect(await recordOf(gateway, call.id)).toMatchObject({ outcome: 'aborted', status: 499 })
      })
      // The prompt was worked on; the thousands of tokens that were reserved for the answer came back.
      expect(tokens).toBeGreaterThan(0)
      expect(tokens).toBeLessThan(200)
      if (stage.includes('in the middle of a stream')) expect(tokens).toBeGreaterThanOrEqual(20)
    }
    console.log(`${runtime}: ${stage}: the model server saw it after ${shown(took)} ms`)
    expect(median(took)).toBeLessThan(CANCEL_MS)
  })

  test('while its request is on its way: nothing is charged or forwarded', async () => {
    const id = `${runtime}-half`
    const forwarded = server.requests.length
    const tokens = await charged(async () => {
      const socket = connect(gateway.port, '127.0.0.1')
      const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nx-request-id: ${id}`
      socket.write(`${head}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"model":`)
      await sleep(100)
      socket.destroy()
      expect(await recordOf(gateway, id)).toMatchObject({ outcome: 'aborted', status: 499 })
    })
    expect(tokens).toBe(0)
    // The two probes.
    expect(server.requests.length - forwarded).toBe(2)
  })

  test('while the store is waited for: nothing is forwarded', async () => {
    redis.pause()
    const call = ask(script => script.stall())
    await sleep(40)
    call.leave()
    const record = await recordOf(gateway, call.id)
    redis.resume()
    expect(record).toMatchObject({ outcome: 'aborted', status: 499 })
    expect(server.seen(call.id)).toBeUndefined()
    await waitFor('the store works', async () => (await chat(gateway, { token, stream: false }).answer).status === 200)
  })

  test('one that reads nothing holds up the model server, not our memory', async () => {
    const before = residentMiB(gateway.pid)
    const words = 'some words '.repeat(1500)
    let sent = 0
    const call = ask(
      async script => {
        await script.head()
        let isLeft = false
        void script.request.gone.then(() => {
          isLeft = true
        })
        while (!isLeft && sent < 256) {
          await Promise.race([script.event(delta(words)), script.request.gone])
          sent += words.length / 1024 / 1024
          // Writes to a connection that is gone do not wait: its end must be able to come through.
          await script.sleep(0)
        }
      },
      { deaf: true },
    )
    await call.head
    let level = -1
    await waitFor('the model server is held up', async () => {
      const stands = sent === level
      level = sent
      await sleep(300)
      return stands
    })
    const grown = residentMiB(gateway.pid) - before
    console.log(
      `${runtime}: deaf caller: ${sent.toFixed(1)} MiB taken from the model server, ${grown.toFixed(0)} MiB grown`,
    )
    expect(sent).toBeLessThan(64)
    expect(grown).toBeLessThan(64)
    const left = call.leave()
    const gone = await server.left(call.id)
    // One attempt, while the machine is busy with megabytes.
    expect(gone - left).toBeLessThan(5 * CANCEL_MS)
    expect(await recordOf(gateway, call.id)).toMatchObject({ outcome: 'aborted' })
  })

  test('one that reads late gets all of it', async () => {
    const call = ask(
      async script => {
        await script.head()
        for (let event = 0; event < 400; event++) await script.event(delta('some words '.repeat(800)))
        await endStream(script)
      },
      { deaf: true },
    )
    const response = await call.head
    await sleep(400)
    let size = 0
    response.on('data', (chunk: string) => {
      size += chunk.length
    })
    expect(await within('the rest', 10_000, call.answer)).toMatchObject({ complete: true })
    expect(size).toBeGreaterThan(400 * 8800)
    expect(await recordOf(gateway, call.id)).toMatchObject({ outcome: 'served' })
  })

  test('after all that the log is whole', async () => {
    expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
    expect(gateway.output()).not.toMatch(/internal_error|unhandled|uncaught/i)
  })
})

describe.each<Runtime>(['node', 'bun'])('callers of a real llama-server that leave the gateway on %s', runtime => {
  let llama: Llama
  let gateway: Gateway
  let token: string

  beforeAll(async () => {
    // Held to letters: of bytes that are no characters llama-server sends nothing.
    llama = await startLlama({ model: 'slow', args: ['--ignore-eos', '--grammar', 'root ::= [a-z ]+'] })
    gateway = await startGateway({
      runtime,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${llama.url}/v1`, kind: 'llama.cpp' }] }],
        // What the model says is random: it can look like the beginning of anything, and be held back.
        guard: { output: { pii: 'off', secrets: 'off' } },
      },
    })
    token = await gateway.mint()
    await chat(gateway, { token, stream: false, fields: { max_tokens: 2 } }).answer
  })
  afterAll(async () => {
    await gateway?.stop()
    await llama?.stop()
  })

  /** Milliseconds from leaving until the slot was last seen busy. */
  async function freed(prompt: string, isTime: (text: string) => boolean | Promise<boolean>): Promise<number> {
    const id = crypto.randomUUID()
    const call = chat(gateway, { token, id, prompt, fields: { max_tokens: 500 } })
    await waitFor('time to leave', () => isTime(call.text()))
    const left = call.leave()
    let busy = left
    // Longer than it takes a request that was on its way to get its slot.
    for (let quiet = 0; quiet < 10; quiet++) {
      if ((await llama.slots()) > 0) {
        busy = performance.now()
        quiet = 0
      }
      await sleep(5)
    }
    expect(await recordOf(gateway, id)).toMatchObject({ outcome: 'aborted' })
    return busy - left
  }

  // Without a stream, llama-server works on to the end of its answer whoever has left.
  test.each<[string, (text: string) => boolean | Promise<boolean>, number]>([
    ['in the middle of a stream', text => text.length > 600, CANCEL_MS],
    // It hears of it when it has read the prompt: one batch more.
    ['before the first byte of a stream', () => sleep(10).then(() => true), 3 * CANCEL_MS],
  ])('%s', async (stage, isTime, limit) => {
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round++) took.push(await freed(`Hi ${round}`, isTime))
    console.log(`${runtime}: ${stage}: the slot was free after ${shown(took)} ms`)
    expect(median(took)).toBeLessThan(limit)
  })
})
