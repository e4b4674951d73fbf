import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Llama, type Runtime, startGateway, startLlama } from '../support/index.ts'

const JANE = 'jane.doe@corp.example'
const JOE = 'joe@corp.example'
const ASKED = `Write to ${JANE}, copy ${JOE}.`
const SAID = 'To [EMAIL_1], cc [EMAIL_2] and bob@example.com, not [EMAIL_7]: done.'
const READ = `To ${JANE}, cc ${JOE} and [EMAIL_REDACTED], not [EMAIL_7]: done.`

type Json = Record<string, unknown>

describe.each<Runtime>(['node', 'bun'])('pseudonyms with a real model server, through the gateway on %s', runtime => {
  let says: Llama
  let calls: Llama
  let gateway: Gateway
  let client: OpenAI
  let token: string

  beforeAll(async () => {
    ;[says, calls] = await Promise.all([startLlama({ say: SAID }), startLlama()])
    const model = (id: string, llama: Llama) => ({
      id,
      upstreams: [{ url: `${llama.url}/v1`, kind: 'llama.cpp' }],
      maxOutputTokens: 512,
    })
    gateway = await startGateway({
      runtime,
      config: {
        models: [model('says', says), model('calls', calls)],
        guard: { input: { pii: 'pseudonymise', secrets: 'pseudonymise' }, output: { pii: 'redact' } },
      },
    })
    token = await gateway.mint()
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0, timeout: 15_000 })
  }, 60_000)

  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([says?.stop(), calls?.stop()])
  })

  const messages = [{ role: 'user' as const, content: ASKED }]

  test('a chat, streamed in the pieces of the model', async () => {
    const pieces: string[] = []
    for await (const chunk of await client.chat.completions.create({ model: 'says', messages, stream: true })) {
      pieces.push(chunk.choices[0]?.delta.content ?? '')
    }
    expect(pieces.join('')).toBe(READ)
    expect(pieces.filter(piece => piece !== '').length).toBeGreaterThan(10)
  })

  test('a chat, whole; the record has stand-ins only', async () => {
    const answer = await client.chat.completions.create({ model: 'says', messages })
    expect(answer.choices[0]?.message.content).toBe(READ)
    const log = readFileSync(join(gateway.dir, 'audit/audit.jsonl'), 'utf8')
    expect(log).toContain('To [EMAIL_1], cc [EMAIL_2] and [EMAIL_REDACTED]')
    expect(log).toContain('{"action":"pseudonymise","count":2,"rule":"EMAIL","stage":"input"}')
    for (const value of [JANE, JOE]) expect(log).not.toContain(value)
  })

  test('a completion, streamed', async () => {
    let text = ''
    // This model begins what it says behind a line end.
    const prompt = `${ASKED}\n`
    const stream = await client.completions.create({ model: 'says', prompt, stream: true })
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? ''
    expect(text).toBe(READ)
  })

  test('responses: the pieces, the copies and the final object', async () => {
    const pieces: string[] = []
    const whole: string[] = []
    let final: unknown
    for await (const event of await client.responses.create({ model: 'says', input: ASKED, stream: true })) {
      if (event.type === 'response.output_text.delta') pieces.push(event.delta)
      if (event.type === 'response.output_text.done') whole.push(event.text)
      if (event.type === 'response.completed') final = event.response
    }
    expect(pieces.join('')).toBe(READ)
    expect(whole).toEqual([READ])
    expect(JSON.stringify(final)).toContain(READ)
    expect((await client.responses.create({ model: 'says', input: ASKED })).output_text).toBe(READ)
  })

  test('messages, streamed', async () => {
    const reply = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': token },
      body: JSON.stringify({ model: 'says', messages, max_tokens: 400, stream: true }),
      signal: AbortSignal.timeout(15_000),
    })
    const events = (await reply.text())
      .split('\n\n')
      .flatMap(frame =>
        frame.includes('data: ') ? [JSON.parse(frame.slice(frame.indexOf('data: ') + 6)) as Json] : [],
      )
    const pieces = events.flatMap(({ delta }) => ((delta as Json | undefined)?.['text'] as string | undefined) ?? [])
    expect(pieces.join('')).toBe(READ)
  })

  test('a call of a tool whose schema names a value: the model fills in its stand-in, the caller reads the value', async () => {
    const properties = { email: { const: JANE }, key: { const: 'ghp_012345678901234567890123456789012345' } }
    const parameters = { type: 'object', properties, required: ['email', 'key'], additionalProperties: false }
    const stream = await client.chat.completions.create({
      model: 'calls',
      messages,
      tools: [{ type: 'function', function: { name: 'lookup', description: 'find', parameters } }],
      tool_choice: 'required',
      seed: 7,
      logit_bias: { 2: 100, 6: 80, 7: 60 },
      stream: true,
    })
    const args: string[] = []
    for await (const chunk of stream) {
      args.push(chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '')
    }
    expect(args.length).toBeGreaterThan(5)
    expect(JSON.parse(args.join(''))).toEqual({
      email: JANE,
      key: 'ghp_012345678901234567890123456789012345',
    })
  })
})
