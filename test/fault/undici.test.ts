import { expect, test } from 'vitest'
import { startGateway } from '../support/index.ts'
import { chat, readStream } from './support/caller.ts'
import { delta, endStream, modelServer } from './support/model.ts'

test('the gateway serves with undici in place of its own client', async () => {
  const server = await modelServer()
  try {
    await using gateway = await startGateway({
      config: { models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }] },
      env: { SALLYPORT_UPSTREAM_CLIENT: 'undici' },
    })
    server.on('u-1', async script => {
      await script.head()
      await script.event(delta('All is well.'))
      await endStream(script)
    })
    const token = await gateway.mint()
    const { status, text } = await chat(gateway, { token, id: 'u-1', prompt: 'u-1', stream: true, model: 'm' }).answer
    expect(status).toBe(200)
    expect(readStream(text)).toMatchObject({ content: 'All is well.', finish: 'stop', done: true })
  } finally {
    await server.stop()
  }
})
