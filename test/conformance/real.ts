import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gateway, type Llama, startGateway, startLlama } from '../support/index.ts'
import { hear } from './events.ts'
import type { Rig } from './rig.ts'

/** What a scripted model server cannot prove: how a real one takes what the gateway sends. */
export function real(rig: Rig): void {
  let llama: Llama
  let gateway: Gateway
  const said = 'Hi bob@example.com'
  const hold = { grammar: `root ::= "${said}"`, seed: 7, temperature: 1 }

  beforeAll(async () => {
    llama = await startLlama()
    const upstreams = [{ url: `${llama.url}/v1`, kind: 'llama.cpp' }]
    gateway = await startGateway({
      runtime: rig.runtime,
      config: {
        models: [{ id: 'tiny', upstreams, maxOutputTokens: 256 }],
        request: { limits: { grammarCharacters: '16k' } },
        quotas: [{ name: 'team', per: ['team'], tokens: 100_000, window: '60s' }],
      },
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await llama?.stop()
  })

  const ask = (fields: object, path = '/v1/chat/completions', headers: Record<string, string> = {}) => {
    const prompt = path.includes('chat') ? { messages: [{ role: 'user', content: 'Who is it?' }] } : {}
    return rig.send({ model: 'tiny', ...prompt, ...fields }, { gateway, path, headers })
  }

  test.each([true, false])('two choices are charged as two (stream: %s)', async stream => {
    const reply = await ask({ ...hold, n: 2, stream })
    expect(reply.status).toBe(200)
    expect(reply.text).not.toContain('bob@')
    if (stream) for (const index of [0, 1]) expect(hear(reply.text).text('content', index)).toBe('Hi [EMAIL_REDACTED]')
    // Each takes 10 to 12 tokens, from the grammar and the tokenizer.
    expect((await rig.record(reply, gateway))['outputTokens']).toBeGreaterThanOrEqual(18)
  })

  test('several prompts, streamed', async () => {
    const reply = await ask({ ...hold, prompt: ['one', 'two'], stream: true }, '/v1/completions')
    const heard = hear(reply.text)
    for (const index of [0, 1]) expect(heard.text('text', index)).toBe('Hi [EMAIL_REDACTED]')
    expect([heard.finish, heard.done]).toEqual([['stop', 'stop'], true])
    expect(reply.text).not.toContain('data: null')
  })

  test('a tool call is JSON for its schema still', async () => {
    const properties = { email: { const: 'bob@example.com' }, n: { const: 3 } }
    const parameters = { type: 'object', properties, required: ['email', 'n'], additionalProperties: false }
    const tools = [{ type: 'function', function: { name: 'lookup', description: 'find', parameters } }]
    const bias = { logit_bias: { 2: 100, 6: 80, 7: 60 } }
    const reply = await ask({ tools, tool_choice: 'required', seed: 7, ...bias, stream: true })
    const heard = hear(reply.text)
    expect(reply.text).not.toContain('bob@')
    expect(JSON.parse(heard.call(0))).toEqual({ email: '[EMAIL_REDACTED]', n: 3 })
    expect([heard.finish, heard.done]).toEqual([['tool_calls'], true])
  })

  test('a prompt longer than the context is told as such, before anything is streamed', async () => {
    const reply = await ask({ prompt: 'word '.repeat(4000), stream: true }, '/v1/completions')
    expect([reply.status, reply.json()['error'].code]).toEqual([400, 'prompt_too_long'])
  })

  test('no conversation can be left behind to be listed or replayed', async () => {
    await ask({ ...hold, stream: true }, '/v1/chat/completions', { 'x-conversation-id': 'left-behind' })
    const streams = await fetch(`${llama.url}/v1/streams`)
    expect(await streams.text()).not.toContain('left-behind')
    expect((await fetch(`${llama.url}/v1/stream/left-behind`)).ok).toBe(false)
  })
}
