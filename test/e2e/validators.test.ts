import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort, type Gateway, type Llama, type Runtime, startGateway, startLlama } from '../support/index.ts'

const ANSWER = 'The garden is lovely in June, and nobody minds the rain. '.repeat(6).trim()
const SIDECAR_WORD = 'zucchini'

let model: Llama
let lenient: Llama
let strict: Llama
let sidecar: { url: string; close(): Promise<void> }

beforeAll(async () => {
  ;[model, lenient, strict, sidecar] = await Promise.all([
    startLlama({ say: ANSWER }),
    // Judges of one mind, behind a real server's chat template and tokenizer.
    startLlama({ say: 'safe', args: ['--no-prefill-assistant'] }),
    startLlama({ say: 'unsafe\nS1,S10', args: ['--no-prefill-assistant'] }),
    startSidecar(),
  ])
})
afterAll(() => Promise.all([model?.stop(), lenient?.stop(), strict?.stop(), sidecar?.close()]))

/** A service of the company's own, as docs/guard.md describes it. */
async function startSidecar() {
  const app = new Hono()
  app.post('/validate', async c => {
    const { text, stage } = await c.req.json<{ text: string; stage: string }>()
    if (c.req.header('authorization') !== 'Bearer sidecar-key') return c.json({ error: 'who are you?' }, 401)
    return c.json({ pass: !(stage === 'input' && text.includes(SIDECAR_WORD)), label: 'vegetable' })
  })
  const port = await freePort()
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port })
  const close = () => new Promise<void>(resolve => server.close(() => resolve()))
  return { url: `http://127.0.0.1:${port}/validate`, close }
}

describe.each<Runtime>(['node', 'bun'])('behind the gateway on %s', runtime => {
  let gateway: Gateway
  const clients = new Map<string, OpenAI>()

  beforeAll(async () => {
    const chat = { kind: 'chat', timeout: '10s', cache: { entries: 0 } }
    const validators = [
      { ...chat, name: 'lenient', url: lenient.url, model: 'tiny', on: ['input', 'output'] },
      { ...chat, name: 'strict', url: strict.url, model: 'tiny' },
      {
        ...chat,
        name: 'strict-output',
        url: `${strict.url}/v1`,
        model: 'tiny',
        on: ['output'],
        output: { window: 100 },
      },
      { ...chat, name: 'sure', url: lenient.url, model: 'tiny', threshold: 0.5, prompt: 'Judge this: {text}' },
      { ...chat, name: 'sure-strict', url: strict.url, model: 'tiny', threshold: 0.5 },
      // It answers with prose, which is neither verdict.
      { ...chat, name: 'chatterbox', url: model.url, model: 'tiny' },
      {
        name: 'sidecar',
        kind: 'http',
        url: sidecar.url,
        apiKey: 'sidecar-key',
        on: ['input', 'output'],
        timeout: '5s',
      },
      { name: 'locked-out', kind: 'http', url: sidecar.url, timeout: '5s' },
    ]
    gateway = await startGateway({
      runtime,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${model.url}/v1`, kind: 'llama.cpp' }] }],
        guard: {
          validators,
          exceptions: validators.map(({ name }) => ({ match: { team: name }, validators: [name] })),
        },
      },
    })
    for (const { name } of validators) {
      const apiKey = await gateway.mint({ team: name })
      clients.set(name, new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0, timeout: 20_000 }))
    }
  })
  afterAll(() => gateway?.stop())

  /** What a caller of the team gets to its question: the text, how it ended, or the code of the refusal. */
  async function ask(team: string, content = 'How is the garden?', stream = true) {
    const body = { model: 'm', messages: [{ role: 'user' as const, content }], max_tokens: 300 }
    const completions = clients.get(team)?.chat.completions
    if (!completions) throw new Error(team)
    try {
      if (!stream) {
        const { choices } = await completions.create(body)
        return { text: choices[0]?.message.content ?? '', finish: choices[0]?.finish_reason }
      }
      let text = ''
      let finish: string | null | undefined
      for await (const { choices } of await completions.create({ ...body, stream })) {
        text += choices[0]?.delta.content ?? ''
        finish = choices[0]?.finish_reason ?? finish
      }
      return { text, finish }
    } catch (error) {
      if (error instanceof OpenAI.APIError) return { status: error.status, code: error.code }
      throw error
    }
  }

  const served = { text: ANSWER, finish: 'stop' }

  test.each([true, false])('a chat model that says safe lets prompt and answer through (stream: %s)', async stream => {
    expect(await ask('lenient', undefined, stream)).toEqual(served)
  })

  test('one that says unsafe refuses the prompt', async () => {
    expect(await ask('strict')).toEqual({ status: 400, code: 'guard_validator' })
  })

  test('one that says unsafe of an answer cuts it, or withholds it', async () => {
    expect(await ask('strict-output')).toEqual({ text: '', finish: 'content_filter' })
    expect(await ask('strict-output', undefined, false)).toEqual({ status: 400, code: 'guard_output_blocked' })
  })

  test('how sure it is counts where there is a threshold', async () => {
    expect(await ask('sure')).toEqual(served)
    expect(await ask('sure-strict')).toEqual({ status: 400, code: 'guard_validator' })
  })

  test('one that says anything else has not said that the text is safe', async () => {
    expect(await ask('chatterbox')).toEqual({ status: 503, code: 'guard_unavailable' })
  })

  test('a service of the company’s own decides by its own rules', async () => {
    expect(await ask('sidecar')).toEqual(served)
    expect(await ask('sidecar', `How is the ${SIDECAR_WORD}?`)).toEqual({ status: 400, code: 'guard_validator' })
  })

  test('one that does not know the gateway has failed', async () => {
    expect(await ask('locked-out')).toEqual({ status: 503, code: 'guard_unavailable' })
  })
})
