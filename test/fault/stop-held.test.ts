import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Runtime,
  type ScriptedUpstream,
  scriptedUpstream,
  startGateway,
  waitFor,
} from '../support/index.ts'
import { chat } from './support/caller.ts'
import { delta, endStream, type ModelServer, modelServer } from './support/model.ts'

describe.each<Runtime>(['node', 'bun'])('the gateway on %s is told to stop', runtime => {
  const verdict = Promise.withResolvers<void>()
  let server: ModelServer
  let judge: ScriptedUpstream
  let gateway: Gateway

  beforeAll(async () => {
    server = await modelServer()
    judge = await scriptedUpstream(async script => {
      await verdict.promise
      await script.reply(200, { pass: true })
    })
    gateway = await startGateway({
      runtime,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
        guard: { validators: [{ name: 'slow', kind: 'http', url: judge.url, on: ['output'], timeout: '10s' }] },
      },
    })
  })
  afterAll(async () => {
    verdict.resolve()
    await gateway?.stop()
    await Promise.all([server?.stop(), judge?.stop()])
  })

  test('while a validator holds an answer: it gets its verdict, and goes out whole', async () => {
    server.on('held', async script => {
      await script.head(200, { 'content-type': 'text/event-stream' })
      await script.event(delta('Held until then. '))
      await endStream(script)
    })
    const { answer } = chat(gateway, { token: await gateway.mint(), id: 'held', prompt: 'held' })
    await waitFor('the validator has the text', () => judge.requests.some(({ method }) => method === 'POST'))
    const stopped = gateway.stop()
    verdict.resolve()
    const { complete, text } = await answer
    expect(text).toContain('Held until then. ')
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(complete).toBe(true)
    await stopped
  })
})
