import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adapterFile } from '../setup/cache.ts'
import { type Gateway, type Llama, type Runtime, startGateway, startLlama, startLlamaRouter } from '../support/index.ts'

/** Models and adapters of a real llama-server, managed through the admin API. */
describe.each<Runtime>(['node', 'bun'])('llama-server behind the gateway on %s', runtime => {
  let router: Llama
  let single: Llama
  let gateway: Gateway

  beforeAll(async () => {
    const adapter = adapterFile()
    router = await startLlamaRouter()
    single = await startLlama({ args: ['--lora', adapter] })
    gateway = await startGateway({
      runtime,
      config: {
        models: [
          { id: 'tiny', upstreams: [{ url: `${router.url}/v1`, kind: 'llama.cpp' }] },
          {
            id: 'single',
            upstreams: [{ url: `${single.url}/v1`, kind: 'llama.cpp' }],
            adapters: [
              { name: 'style', path: adapter },
              { name: 'unknown', path: '/adapters/unknown.gguf' },
            ],
          },
          { id: 'nowhere', upstreams: [{ url: `${router.url}/v1`, kind: 'llama.cpp' }] },
        ],
      },
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([router?.stop(), single?.stop()])
  })

  const call = async (method: string, path: string, body?: object) => {
    const token = await gateway.mint({ scope: 'models:admin' })
    const response = await fetch(`${gateway.adminUrl}/admin/models${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }
  const stateOf = async (id: string) => {
    const { json } = await call('GET', `/${id}`)
    return (json['upstreams'] as { state?: string }[])[0]?.state
  }
  const becomes = (id: string, state: string) => expect.poll(() => stateOf(id), { timeout: 15_000 }).toBe(state)
  const complete = async (model: string) => {
    const response = await fetch(`${gateway.url}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await gateway.mint()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, prompt: 'hi', max_tokens: 12, temperature: 0 }),
      signal: AbortSignal.timeout(20_000),
    })
    return { status: response.status, json: (await response.json()) as { choices?: { text: string }[] } }
  }

  test('a router loads a model, answers with it, and lets it go', async () => {
    expect(await stateOf('tiny')).toBe('unloaded')
    expect((await complete('tiny')).status).toBeGreaterThanOrEqual(400)
    for (const time of ['once', 'again']) {
      const loaded = await call('POST', '/tiny/load')
      expect([time, loaded.status, loaded.json['results']]).toMatchObject([time, 200, [{ ok: true }]])
      await becomes('tiny', 'loaded')
    }
    expect((await complete('tiny')).status).toBe(200)
    expect((await call('POST', '/tiny/unload')).status).toBe(200)
    await becomes('tiny', 'unloaded')
    expect((await call('POST', '/tiny/unload')).status).toBe(200)
  })

  test('a router has no other model, and no adapters to change', async () => {
    expect(await stateOf('nowhere')).toBe('absent')
    expect(await call('POST', '/nowhere/load')).toMatchObject({ status: 502, json: { code: 'upstream_failed' } })
    expect(await call('POST', '/tiny/sleep')).toMatchObject({ status: 501, json: { code: 'not_offered' } })
    const { json } = await call('GET', '/tiny/adapters')
    expect(json).toMatchObject({ adapters: [], upstreams: [{ kind: 'llama.cpp' }] })
  })

  test('without a router the adapters change what the model says, and models stay', async () => {
    expect(await stateOf('single')).toBe('loaded')
    expect(await call('GET', '/single/adapters')).toMatchObject({ json: { upstreams: [{ loaded: ['style'] }] } })
    const said = async () => (await complete('single')).json.choices?.[0]?.text
    const styled = await said()
    expect((await call('DELETE', '/single/adapters/style')).status).toBe(200)
    expect(await call('GET', '/single/adapters')).toMatchObject({ json: { upstreams: [{ loaded: [] }] } })
    const plain = await said()
    expect(plain).not.toBe(styled)
    expect((await call('POST', '/single/adapters', { name: 'style' })).status).toBe(200)
    expect(await said()).toBe(styled)
    expect(await call('POST', '/single/adapters', { name: 'unknown' })).toMatchObject({ status: 501 })
    const load = await call('POST', '/single/load')
    expect([load.status, load.json['detail']]).toEqual([501, expect.stringContaining('--models-dir')])
  })
})
