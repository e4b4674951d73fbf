import { describe, expect, test } from 'vitest'
import { SERVER_KINDS } from '../../src/firewall/kinds.ts'
import { REQUEST_HEADERS } from '../../src/firewall/server-kind.ts'
import { ENDPOINTS } from '../../src/openai/endpoints.ts'
import type { Json } from './events.ts'
import { chat, PROMPT, type Rig, replies, type SendOptions, type Values } from './rig.ts'
import { SAMPLE_FIELDS } from './sample-fields.ts'

/** By kind, the model of the rig that is served by it. */
const MODELS = { 'llama.cpp': 'llama', vllm: 'm', ollama: 'ollama', openai: 'openai' } as const

/** Where the gateway adds to what the caller says, or says it in another field. */
const CHANGED = new Set(['stream_options', 'store'])

const required = (path: string) => {
  const names = ENDPOINTS.find(endpoint => endpoint.path === path)?.required ?? []
  return Object.fromEntries(Object.entries(SAMPLE_FIELDS[path] ?? {}).filter(([name]) => names.includes(name)))
}

const answer = replies({ object: 'x' })

export function firewall(rig: Rig): void {
  /** Sends a request; what the model server got of it, or undefined. */
  const arrived = async (path: string, fields: Values, options: SendOptions = {}) => {
    rig.answers(answer)
    const before = rig.upstream.requests.length
    const reply = await rig.send({ ...required(path), ...fields }, { path, ...options })
    rig.check()
    const sent = rig.upstream.requests.slice(before)
    expect(sent.length).toBeLessThanOrEqual(1)
    return { reply, sent: sent[0], body: sent[0] && (JSON.parse(sent[0].body) as Json) }
  }
  const refusal = async (path: string, fields: Values, options: SendOptions = {}) => {
    const { reply, sent } = await arrived(path, fields, options)
    expect(sent).toBeUndefined()
    expect(reply.headers.get('x-should-retry')).toBe('false')
    return { status: reply.status, ...(reply.json()['error'] as Json) } as Json
  }

  describe.each(Object.values(SERVER_KINDS))('in front of $kind', ({ kind, serves }) => {
    const model = MODELS[kind]

    test.each(ENDPOINTS.map(({ path }) => path))(
      '%s: each field is sent, left out or refused as its kind says',
      async path => {
        const served = serves[path]
        if (!served) {
          expect(await refusal(path, { model })).toMatchObject({
            status: 400,
            code: 'endpoint_unsupported',
            param: 'model',
          })
          return
        }
        const { takes, drops = [] } = served
        for (const [name, value] of Object.entries(SAMPLE_FIELDS[path] ?? {})) {
          const { reply, sent, body } = await arrived(path, { model, [name]: value })
          if (takes.includes(name)) {
            expect([name, reply.status, sent?.path]).toEqual([name, 200, `/v1${served.upstreamPath}`])
            if (!CHANGED.has(name)) expect({ [name]: body?.[name] }).toEqual({ [name]: value })
          } else if (drops.includes(name)) {
            expect([name, reply.status, sent?.method]).toEqual([name, 200, 'POST'])
            if (!CHANGED.has(name)) expect(body).not.toHaveProperty(name)
          } else {
            const error = reply.json()['error'] as Json
            expect([reply.status, error['code'], error['param'], sent]).toEqual([
              400,
              'field_unsupported',
              name,
              undefined,
            ])
          }
        }
      },
    )

    test('only the headers of the list are sent', async () => {
      const { sent } = await arrived(
        '/v1/chat/completions',
        { model },
        { headers: { traceparent: '00-1-2-3', te: 'x' } },
      )
      // What HTTP itself needs, and what Bun's client always says of itself.
      const protocol = ['host', 'connection', 'content-length', 'transfer-encoding']
      const own = rig.lacks('plainUpstreamHeads') ? ['user-agent', 'accept-encoding'] : []
      const names = Object.keys(sent?.headers ?? {}).filter(name => ![...protocol, ...own].includes(name))
      expect(names.sort()).toEqual(Object.keys(REQUEST_HEADERS).sort())
    })
  })

  describe('what steers one kind of server does not reach it, whatever the data say', () => {
    test.each([
      ['llama', '/v1/chat/completions', 'repetition_penalty', 1.1],
      ['m', '/v1/chat/completions', 'grammar', 'root ::= "x"'],
      ['m', '/v1/chat/completions', 'repeat_penalty', 1.1],
      ['ollama', '/v1/chat/completions', 'n', 4],
      ['ollama', '/v1/chat/completions', 'top_k', 5],
      ['ollama', '/v1/chat/completions', 'logit_bias', { 5: 1 }],
      ['openai', '/v1/chat/completions', 'min_p', 0.1],
      ['openai', '/v1/chat/completions', 'grammar', 'root ::= "x"'],
      ['m', '/v1/completions', 'suffix', 'x'],
      ['m', '/v1/completions', 'best_of', 2],
      ['llama', '/v1/embeddings', 'dimensions', 8],
      // Served by both llama.cpp and vLLM: only what both take.
      ['mixed', '/v1/chat/completions', 'repetition_penalty', 1.1],
      ['mixed', '/v1/chat/completions', 'repeat_penalty', 1.1],
      ['mixed', '/v1/chat/completions', 'grammar', 'root ::= "x"'],
    ])('%s at %s: %s', async (model, path, name, value) => {
      const error = await refusal(path, { model, [name]: value })
      expect(error).toMatchObject({ status: 400, code: 'field_unsupported', param: name })
    })

    test('values that ask for nothing are left out, since clients send them unasked', async () => {
      const asked = { n: 1, logit_bias: {}, top_k: -1, repeat_penalty: 1, min_p: 0 }
      const { reply, body } = await arrived('/v1/chat/completions', { model: 'ollama', ...asked })
      expect(reply.status).toBe(200)
      for (const name of Object.keys(asked)) expect(body).not.toHaveProperty(name)
    })

    test('a template is given one switch and nothing else', async () => {
      const given = { enable_thinking: false, thinking: true }
      const { body } = await arrived('/v1/chat/completions', { chat_template_kwargs: given, model: 'm' })
      expect(body?.['chat_template_kwargs']).toEqual(given)
      for (const wrong of [{ chat_template: PROMPT }, { enable_thinking: PROMPT }, { tokenize: true }, PROMPT]) {
        const error = await refusal('/v1/chat/completions', { model: 'm', chat_template_kwargs: wrong })
        expect(error['param']).toMatch(/^chat_template_kwargs/)
      }
    })

    test('a model of two kinds goes to the server that has room, as that kind takes it', async () => {
      const { reply, body } = await arrived('/v1/chat/completions', { model: 'mixed', user: 'u', metadata: { a: 'b' } })
      // The first server is not there.
      expect([reply.status, body?.['user'], body?.['metadata']]).toEqual([200, 'u', undefined])
      expect(body?.['cache_salt']).toMatch(/^[0-9a-f]{64}$/)
    })
  })

  describe('bounds that the server would not know', () => {
    test.each([
      [{}, 500],
      [{ max_completion_tokens: 7 }, 7],
      [{ max_tokens: 30, max_completion_tokens: 7 }, 7],
      [{ max_tokens: 9000 }, 500],
    ])('Ollama obeys max_tokens alone: %j', async (asked, expected) => {
      const { body } = await arrived('/v1/chat/completions', { model: 'ollama', ...asked })
      expect(body?.['max_tokens']).toBe(expected)
      expect(body).not.toHaveProperty('max_completion_tokens')
    })

    test('servers that would keep a Responses answer are told not to', async () => {
      for (const model of ['m', 'openai']) {
        for (const store of [undefined, false]) {
          expect((await arrived('/v1/responses', { model, store })).body?.['store']).toBe(false)
        }
        expect(await refusal('/v1/responses', { model, store: true })).toMatchObject({ param: 'store' })
      }
    })
  })

  describe('the cache of vLLM', () => {
    const salt = async (path: string, model: string, team: string) =>
      (await arrived(path, { model }, { claims: { team } })).body?.['cache_salt']

    test('is kept apart by team, the same every time, and callers cannot say how', async () => {
      const salts = new Set<unknown>()
      for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/responses']) {
        for (const team of ['blue', 'red']) salts.add(await salt(path, 'm', team))
      }
      expect([...salts]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)])
      const error = await refusal('/v1/chat/completions', { model: 'm', cache_salt: [...salts][0] })
      expect(error).toMatchObject({ code: 'field_forbidden', param: 'cache_salt' })
      for (const known of salts) {
        expect(rig.auditText()).not.toContain(String(known))
        expect(rig.gateway.output()).not.toContain(String(known))
      }
    })

    test('is not salted where it is switched off, or on servers that do not know it', async () => {
      for (const model of ['unsalted', 'llama', 'ollama', 'openai']) {
        expect(await salt('/v1/chat/completions', model, 'blue')).toBeUndefined()
      }
      for (const path of ['/v1/messages', '/v1/embeddings', '/v1/rerank']) {
        expect(await salt(path, 'm', 'blue')).toBeUndefined()
      }
    })
  })

  describe('limits', () => {
    const many = (count: number, value: unknown = 'x') => Array.from({ length: count }, () => value)
    const schema = (inner: Json) => ({ type: 'json_schema', json_schema: { name: 'x', schema: inner } })
    const tool = (parameters: unknown) => [{ type: 'function', function: { name: 'f', parameters } }]
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }
    const nested = (depth: number): Json => (depth === 0 ? {} : { not: nested(depth - 1) })
    const IN_FORMAT = 'response_format.json_schema.schema'
    const IN_TOOL = 'tools[0].function.parameters'
    const CHAT = '/v1/chat/completions'

    test.each<[Values, string, number | string, number, string?]>([
      [{ n: 17 }, 'n', 17, 16],
      [{ max_tokens: 2_000_000 }, 'max_tokens', 2_000_000, 1_048_576],
      [{ max_completion_tokens: 2_000_000 }, 'max_completion_tokens', 2_000_000, 1_048_576],
      [{ max_output_tokens: 2_000_000 }, 'max_output_tokens', 2_000_000, 1_048_576, '/v1/responses'],
      [
        { thinking: { type: 'enabled', budget_tokens: 2_000_000 } },
        'thinking.budget_tokens',
        2_000_000,
        1_048_576,
        '/v1/messages',
      ],
      [{ top_logprobs: 21 }, 'top_logprobs', 21, 20],
      [{ logprobs: 21 }, 'logprobs', 21, 20, '/v1/completions'],
      [{ stop: many(17) }, 'stop', '17 items', 16],
      [{ stop: ['x', 'y'.repeat(257)] }, 'stop[1]', '257 characters', 256],
      [{ stop: 'y'.repeat(257) }, 'stop', '257 characters', 256],
      [{ stop_sequences: many(17) }, 'stop_sequences', '17 items', 16, '/v1/messages'],
      [{ messages: many(2049, { role: 'user', content: 'x' }) }, 'messages', '2049 items', 2048],
      [{ input: many(2049, { role: 'user', content: 'x' }) }, 'input', '2049 items', 2048, '/v1/responses'],
      [{ prompt: many(2049) }, 'prompt', '2049 items', 2048, '/v1/completions'],
      [{ input: many(2049) }, 'input', '2049 items', 2048, '/v1/embeddings'],
      [{ documents: many(2049) }, 'documents', '2049 items', 2048, '/v1/rerank'],
      [{ top_n: 2049 }, 'top_n', 2049, 2048, '/v1/rerank'],
      [{ tools: many(129, tool({})[0]) }, 'tools', '129 items', 128],
      [{ tools: tool({ description: 'x'.repeat(66_000) }) }, IN_TOOL, '66019 characters', 65_536],
      [{ tools: tool(nested(33)) }, IN_TOOL, '33 levels', 32],
      [{ tools: tool({ maxItems: 10_001 }) }, IN_TOOL, '10001 as maxItems', 10_000],
      [{ response_format: schema({ maxLength: 1e6 }) }, IN_FORMAT, '1000000 as maxLength', 10_000],
      [
        { response_format: schema({ pattern: '((a{50}){50}){50}' }) },
        IN_FORMAT,
        '125000 positions in a pattern',
        10_000,
      ],
      [
        { response_format: schema({ patternProperties: { '^a{20000}$': {} } }) },
        IN_FORMAT,
        '20002 positions in a pattern',
        10_000,
      ],
      [
        { text: { format: { type: 'json_schema', name: 'x', schema: nested(33) } } },
        'text.format.schema',
        '33 levels',
        32,
        '/v1/responses',
      ],
      [{ tools: [{ name: 'f', input_schema: nested(33) }] }, 'tools[0].input_schema', '33 levels', 32, '/v1/messages'],
      [
        { logit_bias: Object.fromEntries(Array.from({ length: 1025 }, (_, token) => [token, 1])) },
        'logit_bias',
        '1025 entries',
        1024,
      ],
      [
        { messages: [{ role: 'user', content: many(33, image) }] },
        'messages[0].content[32].image_url.url',
        '33 images and sounds up to it',
        32,
      ],
      [{ model: 'mixed', n: 3 }, 'n', 3, 2],
      [{ model: 'mixed', tools: many(2, tool({})[0]) }, 'tools', '2 items', 1],
      [{ model: 'llama', grammar: 'x'.repeat(16_001) }, 'grammar', '16001 characters', 16_000],
    ])('%#: %s', async (fields, param, has, limit, path = CHAT) => {
      const error = await refusal(path, { model: 'm', ...fields })
      const is = typeof has === 'number' ? `is ${has}` : `has ${has}`
      const message = `The field "${param}" ${is}; the limit is ${limit}.`
      expect(error).toMatchObject({ status: 400, code: 'invalid_value', param, message })
    })

    test('at its limit, a request passes', async () => {
      const fields = {
        n: 16,
        stop: many(16, 'y'.repeat(256)),
        top_logprobs: 20,
        logprobs: true,
        tools: tool(nested(31)),
      }
      expect((await arrived(CHAT, { model: 'm', ...fields })).reply.status).toBe(200)
      expect((await arrived(CHAT, { model: 'mixed', n: 2 })).reply.status).toBe(200)
    })

    test('a schema points nowhere else', async () => {
      const ref = (to: string) => ({ model: 'm', response_format: schema({ $ref: to }) })
      const error = await refusal(CHAT, ref('https://169.254.169.254/x'))
      expect(error).toMatchObject({ status: 400, code: 'field_forbidden', param: IN_FORMAT })
      expect((await arrived(CHAT, ref('#/$defs/a'))).reply.status).toBe(200)
    })

    test('grammars are off unless somebody switches them on', async () => {
      const gateway = rig.other
      const grammar = { grammar: 'root ::= "x"' }
      const refused = await refusal(CHAT, { model: 'llama', ...grammar }, { gateway })
      expect(refused).toMatchObject({ code: 'field_forbidden', param: 'grammar' })
      expect((await arrived(CHAT, { model: 'llama', ...grammar })).body?.['grammar']).toBe(grammar.grammar)
    })
  })

  test('unknown fields that no server of the model takes are dropped where policy says so', async () => {
    const reply = await rig.send({ ...chat(), model: 'm', repeat_penalty: 1.2 }, { gateway: rig.other })
    expect(reply.json()['error'].code).toBe('upstream_unavailable')
  })
}
