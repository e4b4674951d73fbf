import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Runtime, startGateway, waitFor } from '../support/index.ts'
import { chat } from './support/caller.ts'
import { recordOf } from './support/log.ts'
import { completion, type ModelServer, modelServer } from './support/model.ts'

/** Nearly an address at each place: about half a second of work. */
const HOSTILE = '1.1.1.1.'.repeat(150_000)
const OTHERS = 3

const call = (args: string) => ({
  ...completion(''),
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: args } }],
      },
      finish_reason: 'tool_calls',
    },
  ],
})

describe.each<Runtime>(['node', 'bun'])('the gateway on %s', runtime => {
  let server: ModelServer
  let gateway: Gateway

  beforeAll(async () => {
    server = await modelServer()
    gateway = await startGateway({
      runtime,
      config: { models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }] },
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await server?.stop()
  })

  test('serves others while it looks through a long prompt that nearly matches everywhere', async () => {
    const token = await gateway.mint()
    let isOver = false
    const long = chat(gateway, { token, stream: false, prompt: HOSTILE }).answer.finally(() => {
      isOver = true
    })
    // Once it has been sent, it is being looked through.
    await new Promise(resolve => setTimeout(resolve, 100))
    for (let other = 0; other < OTHERS; other++) {
      expect((await chat(gateway, { token, stream: false }).answer).status).toBe(200)
      expect(isOver).toBe(false)
    }
    expect((await long).status).toBe(200)
  })

  test.each([
    ['text', (content: string) => completion(content)],
    ['arguments', (content: string) => call(JSON.stringify({ content }))],
  ])('and through such an answer: %s', async (name, whole) => {
    const token = await gateway.mint()
    server.on(name, script => script.reply(200, whole(HOSTILE)))
    let isOver = false
    const long = chat(gateway, { token, stream: false, prompt: name }).answer.finally(() => {
      isOver = true
    })
    await waitFor('the answer', () => server.seen(name) !== undefined)
    await new Promise(resolve => setTimeout(resolve, 100))
    for (let other = 0; other < OTHERS; other++) {
      expect((await chat(gateway, { token, stream: false }).answer).status).toBe(200)
      expect(isOver).toBe(false)
    }
    expect((await long).status).toBe(200)
  })

  test('stops looking when the caller has left', async () => {
    const token = await gateway.mint()
    const id = randomUUID()
    const long = chat(gateway, { token, id, stream: false, prompt: HOSTILE.repeat(3) })
    await new Promise(resolve => setTimeout(resolve, 300))
    const left = long.leave()
    expect(await recordOf(gateway, id)).toMatchObject({ outcome: 'aborted' })
    expect(performance.now() - left).toBeLessThan(500)
  })
})
