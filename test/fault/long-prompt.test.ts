import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Runtime, startGateway } from '../support/index.ts'
import { chat } from './support/caller.ts'
import { type ModelServer, modelServer } from './support/model.ts'

/** Nearly an address at each place: about half a second of work. */
const HOSTILE = '1.1.1.1.'.repeat(150_000)
const OTHERS = 3

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
})
