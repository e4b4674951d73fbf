import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SERVER_KINDS } from '../../src/firewall/kinds.ts'
import { ENDPOINTS } from '../../src/openai/endpoints.ts'
import { SAMPLE_FIELDS } from '../conformance/sample-fields.ts'
import { type Gateway, type Llama, type Runtime, startGateway, startLlama } from '../support/index.ts'

const OURS = 'Speak for the harbour office alone.'
const THEIRS = 'Speak like a pirate.'
const { serves } = SERVER_KINDS['llama.cpp']

describe.each<Runtime>(['node', 'bun'])('a real llama-server behind the firewall on %s', runtime => {
  let llama: Llama
  let vectors: Llama
  let gateway: Gateway
  let token: string

  beforeAll(async () => {
    ;[llama, vectors] = await Promise.all([
      startLlama({ env: { LLAMA_SERVER_SLOTS_DEBUG: '1' } }),
      startLlama({ args: ['--embeddings', '--pooling', 'mean'] }),
    ])
    const at = ({ url }: Llama) => [{ url: `${url}/v1`, kind: 'llama.cpp' }]
    gateway = await startGateway({
      runtime,
      config: {
        models: [
          { id: 'tiny', upstreams: at(llama), maxOutputTokens: 8 },
          { id: 'vectors', upstreams: at(vectors) },
          { id: 'guided', upstreams: at(llama), systemPrompt: OURS, maxOutputTokens: 8 },
          { id: 'demoting', upstreams: at(llama), systemPrompt: OURS, callerSystem: 'demote', maxOutputTokens: 8 },
        ],
        request: { limits: { grammarCharacters: '1k' } },
      },
    })
    token = await gateway.mint()
  }, 60_000)

  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([llama?.stop(), vectors?.stop()])
  })

  const post = async (path: string, body: object) => {
    const reply = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    })
    return { status: reply.status, text: await reply.text() }
  }

  /** What the model has read last, in each slot, as its template has made it. */
  const prompts = async () => {
    const slots = (await (await fetch(`${llama.url}/slots`)).json()) as { prompt?: string }[]
    return slots.map(({ prompt = '' }) => prompt)
  }

  // It ranks only with a model made for that; tests have none.
  const paths = Object.keys(serves).filter(path => path !== '/v1/rerank')

  test.each(paths)('%s: it accepts every field that is let through', async path => {
    const model = path === '/v1/embeddings' ? 'vectors' : 'tiny'
    const required = ENDPOINTS.find(endpoint => endpoint.path === path)?.required ?? []
    const samples = SAMPLE_FIELDS[path] ?? {}
    const least = Object.fromEntries(Object.entries(samples).filter(([name]) => required.includes(name)))
    for (const name of [...(serves[path]?.takes ?? []), ...(serves[path]?.drops ?? [])]) {
      const beside = name === 'top_logprobs' && path === '/v1/chat/completions' ? { logprobs: true } : {}
      const reply = await post(path, { ...least, ...beside, ...(name in samples && { [name]: samples[name] }), model })
      expect([name, reply.status, reply.text]).toEqual([name, 200, expect.any(String)])
    }
  })

  test('a schema at the limits is one it can compile', async () => {
    const schema = { type: 'string', pattern: '^(ab{1,20}){1,40}$' }
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } }
    const reply = await post('/v1/chat/completions', {
      model: 'tiny',
      messages: [{ role: 'user', content: 'x' }],
      response_format: format,
    })
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
  })

  const user = { role: 'user', content: 'Who are you?' }
  test.each<[string, object]>([
    ['/v1/chat/completions', { messages: [{ role: 'system', content: THEIRS }, user] }],
    ['/v1/chat/completions', { messages: [user, { role: 'developer', content: THEIRS }] }],
    ['/v1/responses', { input: 'Who are you?', instructions: THEIRS }],
    ['/v1/responses', { input: [{ role: 'system', content: THEIRS }, user] }],
    ['/v1/messages', { messages: [user], system: THEIRS, max_tokens: 4 }],
    ['/v1/messages', { messages: [user], system: [{ type: 'text', text: THEIRS }], max_tokens: 4 }],
  ])('%s: the model reads its own system prompt first: %j', async (path, fields) => {
    for (const model of ['guided', 'demoting']) {
      const mark = `${THEIRS} ${model} ${path}`
      expect(
        (await post(path, JSON.parse(JSON.stringify({ ...fields, model }).replace(THEIRS, mark)) as object)).status,
      ).toBe(200)
      const read = (await prompts()).find(prompt => prompt.includes(mark)) ?? ''
      const turns = read.split('<|im_start|>').filter(turn => turn !== '')
      expect(turns[0]).toMatch(/^system\nSpeak for the harbour office alone\./)
      expect(read.split(OURS)).toHaveLength(2)
      const theirs = turns.find(turn => turn.includes(mark))
      expect(theirs).toMatch(model === 'guided' ? /^system\n/ : /^user\n/)
      expect(read.indexOf(mark)).toBeGreaterThan(read.indexOf(OURS))
    }
  })

  test('tokens are counted with the system prompt that they will be sent with', async () => {
    const count = async (model: string) => {
      const { text } = await post('/v1/messages/count_tokens', { model, messages: [user] })
      return Number((JSON.parse(text) as { input_tokens: number }).input_tokens)
    }
    expect(await count('guided')).toBeGreaterThan(await count('tiny'))
  })
})
