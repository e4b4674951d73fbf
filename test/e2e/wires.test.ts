import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Llama, type Runtime, startGateway, startLlama } from '../support/index.ts'

const SAID = 'My SSN is 123-45-6789, mail bob@example.com. Card 4111 1111 1111 1111. That is all.'
const LET_OUT = 'My SSN is [US_SSN_REDACTED], mail [EMAIL_REDACTED]. Card [CREDIT_CARD_REDACTED]. That is all.'
const RAW = ['123-45-6789', 'bob@example.com', '4111 1111']
const SYSTEM = 'Be kind.'

type Json = Record<string, unknown>

describe.each<Runtime>(['node', 'bun'])('the newer wires of a real model server through the gateway on %s', runtime => {
  let llama: Llama
  let gateway: Gateway
  let token: string
  let client: OpenAI

  beforeAll(async () => {
    llama = await startLlama({ say: SAID })
    gateway = await startGateway({
      runtime,
      config: {
        models: [
          {
            id: 'tiny',
            upstreams: [{ url: `${llama.url}/v1`, kind: 'llama.cpp' }],
            maxOutputTokens: 512,
            systemPrompt: SYSTEM,
          },
        ],
        quotas: [{ name: 'team', per: ['team'], tokens: 100_000, window: '60s' }],
        guard: {
          input: { injection: 'block', pii: 'block', secrets: 'block' },
          output: { pii: 'redact', secrets: 'redact' },
        },
      },
    })
    token = await gateway.mint({ team: runtime })
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0 })
  }, 60_000)

  afterAll(async () => {
    await gateway?.stop()
    await llama?.stop()
  })

  /** As Anthropic's clients send it: the credential stands in `x-api-key`. */
  const messages = (fields: object, path = '/v1/messages', key = token) =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key, 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'Who is it?' }], ...fields }),
      signal: AbortSignal.timeout(15_000),
    })

  test('responses, streamed: the pieces, the copies and the final object are one redacted text', async () => {
    const pieces: string[] = []
    const whole: string[] = []
    let final: unknown
    for await (const event of await client.responses.create({ model: 'tiny', input: 'Who is it?', stream: true })) {
      if (event.type === 'response.output_text.delta') pieces.push(event.delta)
      if (event.type === 'response.output_text.done') whole.push(event.text)
      if (event.type === 'response.completed') final = event.response
    }
    expect(pieces.join('')).toBe(LET_OUT)
    expect(pieces.length).toBeGreaterThan(5)
    expect(whole).toEqual([LET_OUT])
    for (const raw of RAW) expect(JSON.stringify(final)).not.toContain(raw)
    expect(JSON.stringify(final)).toContain(LET_OUT)
  })

  test('responses, whole', async () => {
    const answer = await client.responses.create({ model: 'tiny', input: [{ role: 'user', content: 'Who is it?' }] })
    expect(answer.output_text).toBe(LET_OUT)
    for (const raw of RAW) expect(JSON.stringify(answer)).not.toContain(raw)
  })

  test('messages, streamed: each block is one redacted text, in the order that clients expect', async () => {
    const reply = await messages({ max_tokens: 400, stream: true })
    expect(reply.status).toBe(200)
    const text = await reply.text()
    for (const raw of RAW) expect(text).not.toContain(raw)
    const events = text
      .split('\n\n')
      .flatMap(frame =>
        frame.includes('data: ') ? [JSON.parse(frame.slice(frame.indexOf('data: ') + 6)) as Json] : [],
      )
    const pieces = events.flatMap(({ delta }) => ((delta as Json | undefined)?.['text'] as string | undefined) ?? [])
    expect(pieces.join('')).toBe(LET_OUT)
    expect(events[0]?.['type']).toBe('message_start')
    expect(events.at(-1)).toEqual({ type: 'message_stop' })
  })

  test('messages, whole; what was used is charged and recorded', async () => {
    const reply = await messages({ max_tokens: 400, system: 'Answer.' })
    const answer = (await reply.json()) as { content: { type: string; text: string }[]; usage: Json }
    expect(answer.content.find(({ type }) => type === 'text')?.text).toBe(LET_OUT)
    expect(Number(answer.usage['output_tokens'])).toBeGreaterThan(10)
    expect(Number(reply.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(100_000)
  })

  test('tokens are counted without being charged', async () => {
    const before = await messages({}, '/v1/messages/count_tokens')
    const after = await messages({}, '/v1/messages/count_tokens')
    expect(((await after.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(5)
    const left = (reply: Response) => Number(reply.headers.get('x-ratelimit-remaining-tokens'))
    expect(left(after)).toBeGreaterThanOrEqual(left(before))
  })

  test('refusals have the form of the wire, and name the place in any text that a request can hold', async () => {
    const blocks = [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'bob@example.com' }] }]
    const reply = await messages({ max_tokens: 9, messages: [{ role: 'user', content: blocks }] })
    expect([reply.status, await reply.json()]).toMatchObject([
      400,
      {
        type: 'error',
        error: { type: 'invalid_request_error', code: 'guard_pii', param: 'messages[0].content[0].content[0].text' },
      },
    ])
    const unknown = await messages({ max_tokens: 9 }, '/v1/messages', 'not-a-token')
    expect([unknown.status, await unknown.json()]).toMatchObject([401, { error: { type: 'authentication_error' } }])
    const input = [{ type: 'function_call_output' as const, call_id: 'c', output: 'bob@example.com' }]
    await expect(client.responses.create({ model: 'tiny', input })).rejects.toMatchObject({
      status: 400,
      code: 'guard_pii',
      param: 'input[0].output',
    })
  })
})
