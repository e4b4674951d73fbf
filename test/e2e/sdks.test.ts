import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Llama, type Runtime, startGateway, startLlama } from '../support/index.ts'

/**
 * The real thing: a model that tells personal data, a real model server, and the callers' own libraries with all that they
 * put together. Nothing of the data may be in any byte of an answer, however it is asked for.
 */

const SAID = 'My SSN is 123-45-6789, mail bob@example.com. Card 4111 1111 1111 1111. That is all.'
const LET_OUT = 'My SSN is [US_SSN_REDACTED], mail [EMAIL_REDACTED]. Card [CREDIT_CARD_REDACTED]. That is all.'
const RAW = ['123-45-6789', 'bob@example.com', '4111 1111', '4111111111111111']
const ASK = [{ role: 'user' as const, content: 'Who is it?' }]

const PROPERTIES = { email: { const: 'bob@example.com' }, ssn: { const: '123-45-6789' }, n: { const: 3 } }
const PARAMETERS = {
  type: 'object' as const,
  properties: PROPERTIES,
  required: ['email', 'ssn', 'n'],
  additionalProperties: false,
}
const ARGUMENTS = { email: '[EMAIL_REDACTED]', ssn: '[US_SSN_REDACTED]', n: 3 }
/** Keeps the tiny model from writing white space for ever. */
const TERSE = ['--logit-bias', '2+100', '--logit-bias', '6+80', '--logit-bias', '7+60']
const THINKS = 'root ::= "<think>Ask bob@example.com first</think>His SSN is 123-45-6789"'

interface Logprob {
  readonly token: string
  readonly bytes?: readonly number[] | null
  readonly top_logprobs?: readonly Logprob[]
}

/** Tokens put together, in all the ways that they are written. */
function spelled(entries: readonly Logprob[]): string[] {
  const bytes = entries.flatMap(entry => [...(entry.bytes ?? [])])
  const tops = entries.flatMap(entry => entry.top_logprobs ?? [])
  return [
    entries.map(({ token }) => token).join(''),
    Buffer.from(bytes).toString(),
    tops.map(one => one.token).join(''),
  ]
}

function expectClean(...texts: readonly unknown[]): void {
  for (const text of texts) {
    const json = typeof text === 'string' ? text : JSON.stringify(text)
    for (const raw of RAW) expect(json).not.toContain(raw)
  }
}

describe.each<Runtime>(['node', 'bun'])('the libraries of callers, through the gateway on %s', runtime => {
  let says: Llama
  let obeys: Llama
  let gateway: Gateway
  let openai: OpenAI
  let anthropic: Anthropic
  /** Every byte of every answer. */
  let heard: Promise<string>[] = []

  const listen: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    heard.push(
      response
        .clone()
        .text()
        .catch(() => ''),
    )
    return response
  }

  beforeAll(async () => {
    ;[says, obeys] = await Promise.all([startLlama({ say: SAID }), startLlama({ args: TERSE })])
    const at = (llama: Llama) => [{ url: `${llama.url}/v1`, kind: 'llama.cpp' }]
    gateway = await startGateway({
      runtime,
      config: {
        models: [
          { id: 'says', upstreams: at(says), maxOutputTokens: 512 },
          { id: 'obeys', upstreams: at(obeys), maxOutputTokens: 512, limits: { grammarCharacters: '16k' } },
        ],
        guard: {
          input: { injection: 'block', pii: 'flag', secrets: 'block' },
          output: { pii: 'redact', secrets: 'redact' },
          exceptions: [{ match: { team: 'brief' }, output: { maxCharacters: 20 } }],
        },
      },
    })
    const token = await gateway.mint({ team: runtime })
    openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0, fetch: listen })
    anthropic = new Anthropic({ baseURL: gateway.url, apiKey: token, maxRetries: 0, fetch: listen })
  }, 60_000)

  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([says?.stop(), obeys?.stop()])
  })

  /** Runs requests and looks at every byte of their answers. */
  const clean = async <T>(run: () => Promise<T>): Promise<T> => {
    heard = []
    const result = await run()
    const bodies = await Promise.all(heard)
    expect(bodies.length).toBeGreaterThan(0)
    expectClean(...bodies, result)
    return result
  }

  describe('chat', () => {
    test('its accumulator, two choices, with logprobs', async () => {
      const fields = { n: 2, logprobs: true, top_logprobs: 3, stream_options: { include_usage: true } }
      const stream = () => openai.chat.completions.stream({ model: 'says', messages: ASK, ...fields })
      const answer = await clean(() => stream().finalChatCompletion())
      expect(answer.choices.map(({ message }) => message.content)).toEqual([LET_OUT, LET_OUT])
      expect(answer.choices.map(choice => choice.finish_reason)).toEqual(['stop', 'stop'])
      expect(answer.usage?.completion_tokens).toBeGreaterThan(20)
      for (const { logprobs } of answer.choices) {
        const tokens = logprobs?.content ?? []
        expectClean(...spelled(tokens))
        expect(tokens.length).toBeGreaterThan(10)
        for (const { token } of tokens) expect(LET_OUT).toContain(token)
      }
    })

    test('whole, two choices, with logprobs', async () => {
      const fields = { n: 2, logprobs: true, top_logprobs: 3 }
      const answer = await clean(() => openai.chat.completions.create({ model: 'says', messages: ASK, ...fields }))
      for (const { message, logprobs } of answer.choices) {
        expect(message.content).toBe(LET_OUT)
        expectClean(...spelled(logprobs?.content ?? []))
        expect(logprobs?.content?.length).toBeGreaterThan(10)
      }
    })

    test.each([true, false])('a tool call (stream: %s)', async stream => {
      const tools = [
        {
          type: 'function' as const,
          function: { name: 'lookup', description: 'find a person', parameters: PARAMETERS },
        },
      ]
      const body = { model: 'obeys', messages: ASK, tools, tool_choice: 'required' as const, seed: 7 }
      const answer = await clean(() =>
        stream
          ? openai.chat.completions.stream(body).finalChatCompletion()
          : openai.chat.completions.create({ ...body, stream: false }),
      )
      const [call] = answer.choices[0]?.message.tool_calls ?? []
      expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual(ARGUMENTS)
    })

    test('a tool that is run gets what is let out', async () => {
      const got: unknown[] = []
      const lookup = (input: unknown) => {
        got.push(input)
        return 'nothing'
      }
      const tool = {
        type: 'function' as const,
        function: {
          name: 'lookup',
          description: 'find a person',
          parameters: PARAMETERS,
          parse: JSON.parse,
          function: lookup,
        },
      }
      const body = { model: 'obeys', messages: ASK, tools: [tool], tool_choice: 'required' as const, seed: 7 }
      await clean(async () => {
        const runner = openai.chat.completions.runTools({ ...body, stream: true }, { maxChatCompletions: 1 })
        await runner.done().catch(() => undefined)
        return got
      })
      expect(got).toEqual([ARGUMENTS])
    })

    test('reasoning', async () => {
      const body = { model: 'obeys', messages: ASK, grammar: THINKS, seed: 7 }
      const answer = await clean(() => openai.chat.completions.stream(body).finalChatCompletion())
      expect(answer.choices[0]?.message).toMatchObject({ content: 'His SSN is [US_SSN_REDACTED]' })
    })
  })

  describe('completions', () => {
    test.each([true, false])('with logprobs (stream: %s)', async stream => {
      const body = { model: 'says', prompt: 'Who is it?\n', temperature: 0, logprobs: 3 }
      const parts = await clean(async () => {
        if (!stream) return [(await openai.completions.create(body)).choices[0]]
        const events = await openai.completions.create({ ...body, stream: true })
        const all: (OpenAI.CompletionChoice | undefined)[] = []
        for await (const { choices } of events) all.push(choices[0])
        return all
      })
      expect(parts.map(choice => choice?.text ?? '').join('')).toBe(LET_OUT)
      const tokens = parts.flatMap(
        choice => (choice?.logprobs as { content?: Logprob[] | null } | null | undefined)?.content ?? [],
      )
      expectClean(...spelled(tokens))
      expect(tokens.length).toBeGreaterThan(10)
    })
  })

  describe('responses', () => {
    test('its accumulator puts the answer together, although this server leaves numbers out', async () => {
      const events: OpenAI.Responses.ResponseStreamEvent[] = []
      const answer = await clean(async () => {
        const stream = openai.responses.stream({ model: 'says', input: 'Who is it?' })
        for await (const event of stream) events.push(event)
        return stream.finalResponse()
      })
      expect(answer.output_text).toBe(LET_OUT)
      expect(answer.status).toBe('completed')
      expectClean(events)
      expect(events.map(event => event.sequence_number)).toEqual(events.map((_, at) => at))
    })

    test('reasoning and text, each an item of its own', async () => {
      const body = { model: 'obeys', input: 'Who is it?', grammar: THINKS, seed: 7 }
      const answer = await clean(() => openai.responses.stream(body).finalResponse())
      expect(answer.output_text).toBe('His SSN is [US_SSN_REDACTED]')
      const [reasoning] = answer.output
      expect(reasoning).toMatchObject({ type: 'reasoning', content: [{ text: 'Ask [EMAIL_REDACTED] first' }] })
    })

    test('a tool call', async () => {
      const tool = { type: 'function' as const, name: 'lookup', parameters: PARAMETERS, strict: true }
      const body = { model: 'obeys', input: 'Who is it?', tools: [tool], tool_choice: 'required' as const, seed: 7 }
      const answer = await clean(() => openai.responses.stream(body).finalResponse())
      const call = answer.output.find(({ type }) => type === 'function_call')
      expect(call?.type === 'function_call' && JSON.parse(call.arguments)).toEqual(ARGUMENTS)
    })

    test('whole', async () => {
      const answer = await clean(() => openai.responses.create({ model: 'says', input: 'Who is it?' }))
      expect(answer.output_text).toBe(LET_OUT)
    })

    test('one that is cut ends with what was let out', async () => {
      const token = await gateway.mint({ team: 'brief' })
      const brief = openai.withOptions({ apiKey: token })
      const answer = await clean(() => brief.responses.stream({ model: 'says', input: 'Who is it?' }).finalResponse())
      expect(answer.status).toBe('incomplete')
      expect(answer.incomplete_details).toEqual({ reason: 'max_output_tokens' })
      expect(answer.output_text).toBe(LET_OUT.slice(0, 20))
    })
  })

  describe('messages', () => {
    test('its accumulator', async () => {
      const pieces: string[] = []
      const answer = await clean(() => {
        const stream = anthropic.messages.stream({ model: 'says', max_tokens: 400, messages: ASK })
        stream.on('text', piece => pieces.push(piece))
        return stream.finalMessage()
      })
      expect(pieces.join('')).toBe(LET_OUT)
      expect(pieces.length).toBeGreaterThan(5)
      expect(answer.content).toMatchObject([{ type: 'text', text: LET_OUT }])
      expect(answer.stop_reason).toBe('end_turn')
      expect(answer.usage.output_tokens).toBeGreaterThan(20)
    })

    test('whole', async () => {
      const answer = await clean(() => anthropic.messages.create({ model: 'says', max_tokens: 400, messages: ASK }))
      expect(answer.content).toMatchObject([{ type: 'text', text: LET_OUT }])
    })

    test.each([true, false])('a tool call (stream: %s)', async stream => {
      const tools = [{ name: 'lookup', description: 'find a person', input_schema: PARAMETERS }]
      const body = { model: 'obeys', max_tokens: 500, messages: ASK, tools, tool_choice: { type: 'any' as const } }
      const answer = await clean(() =>
        stream ? anthropic.messages.stream(body).finalMessage() : anthropic.messages.create(body),
      )
      const call = answer.content.find(({ type }) => type === 'tool_use')
      expect(call?.type === 'tool_use' && call.input).toEqual(ARGUMENTS)
    })

    test('one that is cut is a whole message still', async () => {
      const token = await gateway.mint({ team: 'brief' })
      const brief = new Anthropic({ baseURL: gateway.url, apiKey: token, maxRetries: 0, fetch: listen })
      const answer = await clean(() =>
        brief.messages.stream({ model: 'says', max_tokens: 400, messages: ASK }).finalMessage(),
      )
      expect(answer.content).toMatchObject([{ type: 'text', text: LET_OUT.slice(0, 20) }])
      expect(answer.stop_reason).toBe('max_tokens')
    })

    test('tokens are counted, and refusals are errors of the library', async () => {
      const counted = await anthropic.messages.countTokens({ model: 'says', messages: ASK })
      expect(counted.input_tokens).toBeGreaterThan(5)
      const bad = new Anthropic({ baseURL: gateway.url, apiKey: 'x.y.z', maxRetries: 0 })
      await expect(bad.messages.create({ model: 'says', max_tokens: 9, messages: ASK })).rejects.toBeInstanceOf(
        Anthropic.AuthenticationError,
      )
    })
  })
})
