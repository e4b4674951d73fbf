import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Llama, type Runtime, startGateway, startLlama } from '../support/index.ts'

const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather of a city',
      parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Rome', 'Oslo'] } } },
    },
  },
]
const CHAT = [{ role: 'user', content: 'How is it in Rome? 人工知能 42,17!' }]

describe.each<Runtime>(['node', 'bun'])(
  'prompts counted by a real llama-server, through the gateway on %s',
  runtime => {
    let llama: Llama
    let embedder: Llama
    let gateway: Gateway
    let token: string

    beforeAll(async () => {
      ;[llama, embedder] = await Promise.all([
        startLlama(),
        startLlama({ args: ['--embeddings', '--pooling', 'mean'] }),
      ])
      const model = (id: string, { url }: Llama, more: object = {}) => ({
        id,
        upstreams: [{ url: `${url}/v1`, kind: 'llama.cpp' }],
        countTokens: 'always',
        ...more,
      })
      gateway = await startGateway({
        runtime,
        config: {
          models: [
            model('tiny', llama),
            model('kind', llama, { systemPrompt: 'Be kind to everybody.' }),
            model('embed', embedder),
            model('auto', llama, { countTokens: 'auto' }),
          ],
          // A busy machine is not what this is about.
          timeouts: { count: '10s' },
          guard: { input: { injection: 'off', pii: 'redact', secrets: 'block' } },
          quotas: [
            { name: 'wide', per: ['team'], inputTokens: 100_000, window: '1h' },
            { name: 'narrow', match: { model: 'auto' }, per: ['team'], inputTokens: 50, window: '1h' },
          ],
        },
      })
      token = await gateway.mint({ team: runtime })
    }, 60_000)

    afterAll(async () => {
      await gateway?.stop()
      await llama?.stop()
      await embedder?.stop()
    })

    const ask = (path: string, body: object) =>
      fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ model: 'tiny', ...body }),
        signal: AbortSignal.timeout(20_000),
      })

    /** A series of `/metrics`. */
    async function metric(name: string, labels: string): Promise<number> {
      const response = await fetch(`${gateway.adminUrl}/metrics`)
      const text = await response.text()
      return Number(
        text
          .split('\n')
          .find(line => line.startsWith(`${name}{${labels}}`))
          ?.split(' ')
          .at(-1) ?? 0,
      )
    }
    const errors = (model: string, le: string) =>
      metric('sallyport_reservation_error_tokens_bucket', `le="${le}",model="${model}",source="exact"`)

    test.each<[name: string, model: string, path: string, body: object]>([
      ['a chat', 'tiny', '/v1/chat/completions', { messages: CHAT, max_tokens: 2 }],
      ['a chat with tools', 'tiny', '/v1/chat/completions', { messages: CHAT, tools: TOOLS, max_tokens: 2 }],
      ['a streamed chat', 'tiny', '/v1/chat/completions', { messages: CHAT, max_tokens: 2, stream: true }],
      ['behind a system prompt', 'kind', '/v1/chat/completions', { messages: CHAT, max_tokens: 2 }],
      [
        'as the guard has left it',
        'tiny',
        '/v1/chat/completions',
        { messages: [{ role: 'user', content: 'My SSN is 123-45-6789, mail bob@example.com' }], max_tokens: 2 },
      ],
      ['a completion', 'tiny', '/v1/completions', { prompt: 'Once upon a time, 12345', max_tokens: 2 }],
      ['responses', 'tiny', '/v1/responses', { input: 'Hello there', instructions: 'Be kind', max_output_tokens: 2 }],
      ['messages', 'tiny', '/v1/messages', { system: 'Be kind', messages: CHAT, max_tokens: 2 }],
      ['an embedding', 'embed', '/v1/embeddings', { input: 'Hello world, this is 12345.' }],
    ])('%s: exactly what the answer then says', async (_, model, path, body) => {
      const [below, upTo] = [await errors(model, '-1'), await errors(model, '0')]
      const response = await ask(path, { model, ...body })
      expect(response.status, await response.text()).toBe(200)
      await expect.poll(() => errors(model, '0'), { timeout: 10_000 }).toBe(upTo + 1)
      expect(await errors(model, '-1')).toBe(below)
    })

    test('a request that its estimate would have refused is let in by its count, and the next one refused', async () => {
      const body = { model: 'auto', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 2 }
      const usage = async () => {
        const response = await ask('/v1/chat/completions', body)
        const answer = (await response.json()) as { usage?: { prompt_tokens: number } }
        return { status: response.status, tokens: answer.usage?.prompt_tokens ?? 0 }
      }
      const first = await usage()
      expect(first.status).toBe(200)
      // Two of them fit exactly; by their estimate, no second one would.
      expect(first.tokens * 2).toBeLessThanOrEqual(50)
      expect(first.tokens * 3).toBeGreaterThan(50)
      await expect
        .poll(async () => metric('sallyport_reservation_error_tokens_count', 'model="auto",source="default"'), {
          timeout: 10_000,
        })
        .toBe(1)
      expect(await usage()).toEqual(first)
      expect(await metric('sallyport_input_counts_total', 'model="auto",outcome="counted"')).toBe(1)
      expect((await usage()).status).toBe(429)
    })
  },
)
