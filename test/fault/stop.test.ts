import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, isListening, type Runtime, sleep, startGateway, waitFor, within } from '../support/index.ts'
import { chat, readStream } from './support/caller.ts'
import { recordsOf, verifyLog } from './support/log.ts'
import { answerWell, type ModelServer, modelServer } from './support/model.ts'

describe.each<Runtime>(['node', 'bun'])('the gateway on %s is told to stop', runtime => {
  let server: ModelServer
  beforeAll(async () => {
    server = await modelServer()
    server.on('long', script => answerWell(script, Array<string>(15).fill('word '), 100))
    server.on('endless', script => answerWell(script, Array<string>(200).fill('word '), 100))
  })
  afterAll(() => server?.stop())

  const start = () =>
    startGateway({
      runtime,
      config: { models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }] },
    })

  async function streams(gateway: Gateway, prompt: string, count: number) {
    const token = await gateway.mint()
    const calls = Array.from({ length: count }, () => chat(gateway, { token, prompt }))
    await waitFor('all streams run', () => calls.every(call => call.text().includes('word')))
    return { token, calls }
  }

  test('while streams run: they finish, nobody new comes in, and the log is whole', async () => {
    const gateway = await start()
    const { token, calls } = await streams(gateway, 'long', 8)
    const whole = chat(gateway, { token, prompt: 'long', stream: false })
    await sleep(50)
    const told = performance.now()
    gateway.signal('SIGTERM')
    await waitFor('the door is shut', async () => !(await isListening(gateway.port)), 1000)
    const shut = performance.now() - told
    const answers = await within('the answers', 8000, Promise.all(calls.map(call => call.answer)))
    for (const { text, complete } of answers) {
      expect(readStream(text)).toMatchObject({ content: 'word '.repeat(15), finish: 'stop', done: true })
      expect(complete).toBe(true)
    }
    expect((await whole.answer).status).toBe(200)
    expect(await within('the exit', 3000, gateway.exited)).toEqual({ code: 0, signal: null })
    console.log(`${runtime}: shut after ${shut.toFixed(0)} ms, gone after ${(performance.now() - told).toFixed(0)} ms`)
    expect(recordsOf(gateway).filter(({ outcome }) => outcome === 'served')).toHaveLength(9)
    expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
    expect(gateway.output()).not.toMatch(/internal_error|unhandled|uncaught/i)
  })

  test('with nothing to do: it is gone at once, though clients keep connections open', async () => {
    const gateway = await start()
    await (await fetch(`${gateway.url}/healthz`)).text()
    gateway.signal('SIGTERM')
    expect(await within('the exit', 1500, gateway.exited)).toEqual({ code: 0, signal: null })
  })

  test('by the terminal it was started from (SIGHUP): it is not', async () => {
    const gateway = await start()
    gateway.signal('SIGHUP')
    await waitFor('a word of it', () => gateway.output().includes('config_reloaded'), 5000)
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
    gateway.signal('SIGTERM')
    expect(await within('the exit', 1500, gateway.exited)).toEqual({ code: 0, signal: null })
  })

  test('twice: it does not wait', async () => {
    const gateway = await start()
    const { calls } = await streams(gateway, 'endless', 2)
    gateway.signal('SIGTERM')
    await sleep(200)
    gateway.signal('SIGTERM')
    expect(await within('the exit', 1000, gateway.exited)).toEqual({ code: 1, signal: null })
    for (const { text } of await Promise.all(calls.map(call => call.answer))) expect(text).not.toContain('[DONE]')
    expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
  })
})
