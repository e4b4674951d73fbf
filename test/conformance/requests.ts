import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { REFUSED_FIELDS } from '../../src/firewall/kinds.ts'
import { delta } from './events.ts'
import { chat, INTERNAL, PROMPT, type Rig, replies, type SendOptions } from './rig.ts'

const utf8 = new TextEncoder()

type Row = readonly [name: string, body: unknown, status: number, code: string, param?: string | null, o?: SendOptions]

const user = (content: unknown) => ({ ...chat(), messages: [{ role: 'user', content }] })
const image = (url: string) => user([{ type: 'image_url', image_url: { url } }])
const completions = { path: '/v1/completions' }
const embeddings = { path: '/v1/embeddings' }
const nested = (depth: number) => `{"model":"m","messages":${'['.repeat(depth)}${']'.repeat(depth)}}`
const type = (value: string) => ({ headers: { 'content-type': value } })

const NOT_JSON: readonly Row[] = [
  ['an empty body', '', 400, 'invalid_json'],
  ['no JSON', `{"model": "m", ${PROMPT}`, 400, 'invalid_json'],
  ['JSON with something behind it', `${JSON.stringify(chat())}x`, 400, 'invalid_json'],
  ['NaN', '{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":NaN}', 400, 'invalid_json'],
  ['an array', [chat()], 400, 'invalid_json'],
  ['a string', JSON.stringify(PROMPT), 400, 'invalid_json'],
  ['null', 'null', 400, 'invalid_json'],
  [
    'invalid UTF-8',
    Buffer.from('{"model":"m","messages":[{"role":"user","content":"\xff"}]}', 'latin1'),
    400,
    'invalid_json',
  ],
  ['deep nesting', nested(70), 400, 'body_too_deep'],
  ['very deep nesting', nested(200_000), 400, 'body_too_deep'],
  ['text/plain', JSON.stringify(chat()), 415, 'unsupported_media_type', null, type('text/plain')],
  ['a form', 'model=m', 415, 'unsupported_media_type', null, type('application/x-www-form-urlencoded')],
  ['JSON of another kind', JSON.stringify(chat()), 415, 'unsupported_media_type', null, type('application/jsonl')],
  [
    'compressed',
    gzipSync(JSON.stringify(chat())),
    415,
    'unsupported_media_type',
    null,
    { headers: { 'content-encoding': 'gzip' } },
  ],
]

const WRONG_FIELDS: readonly Row[] = [
  ['no model', { messages: chat().messages }, 400, 'missing_field', 'model'],
  ['no messages', { model: 'm' }, 400, 'missing_field', 'messages'],
  ['null for messages', { model: 'm', messages: null }, 400, 'missing_field', 'messages'],
  ['no messages in the array', { model: 'm', messages: [] }, 400, 'invalid_value', 'messages'],
  ['messages as text', { model: 'm', messages: PROMPT }, 400, 'invalid_value', 'messages'],
  ['no role', { model: 'm', messages: [{ content: PROMPT }] }, 400, 'missing_field', 'messages[0].role'],
  ['a strange role', { model: 'm', messages: [{ role: PROMPT }] }, 400, 'invalid_value', 'messages[0].role'],
  ['content as a number', user(7), 400, 'invalid_value', 'messages[0].content'],
  ['an unknown part', user([{ type: PROMPT }]), 400, 'invalid_value', 'messages[0].content[0].type'],
  [
    'a field too many in a message',
    { model: 'm', messages: [{ role: 'user', content_blocks: [PROMPT] }] },
    400,
    'unknown_field',
    'messages[0].content_blocks',
  ],
  [
    'a name that every object has',
    { model: 'm', messages: [{ role: 'user', content: 'x', constructor: PROMPT }] },
    400,
    'unknown_field',
    'messages[0].constructor',
  ],
  ['temperature as text', { ...chat(), temperature: '1' }, 400, 'invalid_value', 'temperature'],
  [
    'a huge temperature',
    JSON.stringify(chat()).replace('{', '{"temperature":1e999,'),
    400,
    'invalid_value',
    'temperature',
  ],
  ['max_tokens 0', { ...chat(), max_tokens: 0 }, 400, 'invalid_value', 'max_tokens'],
  ['max_tokens -1', { ...chat(), max_tokens: -1 }, 400, 'invalid_value', 'max_tokens'],
  ['max_tokens 1.5', { ...chat(), max_tokens: 1.5 }, 400, 'invalid_value', 'max_tokens'],
  ['max_tokens 1e15', { ...chat(), max_tokens: 1e15 }, 400, 'invalid_value', 'max_tokens'],
  [
    'max_completion_tokens as text',
    { ...chat(), max_completion_tokens: '9' },
    400,
    'invalid_value',
    'max_completion_tokens',
  ],
  ['n 16384', { ...chat(), n: 16_384 }, 400, 'invalid_value', 'n'],
  ['stream as text', { ...chat(), stream: 'true' }, 400, 'invalid_value', 'stream'],
  ['too many stops', { ...chat(), stop: Array.from({ length: 99 }, () => 'x') }, 400, 'invalid_value', 'stop'],
  ['a long grammar', { ...chat(), model: 'llama', grammar: 'x'.repeat(20_000) }, 400, 'invalid_value', 'grammar'],
  ['an unknown field', { ...chat(), frobnicate: PROMPT }, 400, 'unknown_field', 'frobnicate'],
  [
    'an unknown stream option',
    { ...chat(), stream_options: { continuous_usage_stats: true } },
    400,
    'unknown_field',
    'stream_options.continuous_usage_stats',
  ],
  ['__proto__', `{"__proto__":{"x":1},${JSON.stringify(chat()).slice(1)}`, 400, 'unknown_field', '__proto__'],
  [
    'a remote image',
    image('https://169.254.169.254/latest'),
    400,
    'field_forbidden',
    'messages[0].content[0].image_url.url',
  ],
  ['a local image', image('file:///etc/passwd'), 400, 'field_forbidden', 'messages[0].content[0].image_url.url'],
  ['a prompt of token numbers', { model: 'm', prompt: [1, 2, 3] }, 400, 'invalid_value', 'prompt', completions],
  ['prompts of token numbers', { model: 'm', prompt: [[1, 2]] }, 400, 'invalid_value', 'prompt', completions],
  ['an input of token numbers', { model: 'm', input: [1, 2] }, 400, 'invalid_value', 'input', embeddings],
  ['messages for a completion', { ...chat(), prompt: 'x' }, 400, 'unknown_field', 'messages', completions],
  ['a stream of vectors', { model: 'm', input: 'x', stream: true }, 400, 'unknown_field', 'stream', embeddings],
  ['an unknown model', { ...chat(), model: 'none' }, 404, 'model_not_found', 'model'],
  ['a forbidden model', { ...chat(), model: 'guided' }, 403, 'model_forbidden', 'model', { claims: { models: ['m'] } }],
  [
    'an unknown model, to a bound token',
    { ...chat(), model: 'none' },
    403,
    'model_forbidden',
    'model',
    { claims: { models: ['m'] } },
  ],
  ['a prompt too long', { ...chat('x'.repeat(101)), model: 'small' }, 400, 'prompt_too_long'],
  [
    'prompts too long together',
    { model: 'small', prompt: ['x'.repeat(60), 'y'.repeat(60)] },
    400,
    'prompt_too_long',
    null,
    completions,
  ],
  ['another scope', chat(), 403, 'scope_missing', null, { claims: { scope: 'usage:read models:admin' } }],
]

export function requests(rig: Rig): void {
  const forbidden = [...REFUSED_FIELDS.keys()].map(
    (name): Row => [name, { ...chat(), [name]: PROMPT }, 400, 'field_forbidden', name],
  )

  describe.each([
    ['what is not a JSON object', NOT_JSON],
    ['a wrong field', WRONG_FIELDS],
    ['a forbidden field', forbidden],
  ])('%s is refused by name', (_, rows) => {
    const cases = rows.map(([name, body, status, code, param, options]) => ({
      name,
      body,
      status,
      code,
      param,
      options,
    }))
    test.each(cases)('$name', async ({ body, status, code, param = null, options }) => {
      rig.answers(replies({ leaked: true }))
      const seen = await rig.seen(async () => {
        const reply = await rig.send(body, options)
        expect(reply.json()['error']).toEqual({ code, param, message: expect.any(String), type: expect.any(String) })
        expect(reply.status).toBe(status)
        expect(reply.headers.get('content-type')).toMatch(/^application\/json/)
        expect(reply.headers.get('x-should-retry')).toBe('false')
        expect(reply.headers.get('x-request-id')).toMatch(/^req_/)
        expect(reply.text).not.toContain(PROMPT)
        expect(reply.text).not.toMatch(/\bat \S+ \(|\.ts:\d|\.mjs:\d|node:/)
        expect(await rig.record(reply)).toMatchObject({ outcome: 'refused', errorCode: code, status })
      })
      expect(seen).toBe(0)
    })
  })

  test('a body over the limit is refused, announced or not', async () => {
    const big = JSON.stringify(chat('x'.repeat(5000)))
    const announced = await rig.send(big, { gateway: rig.other })
    expect([announced.status, announced.json()['error'].code]).toEqual([413, 'body_too_large'])
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < big.length; at += 500) controller.enqueue(utf8.encode(big.slice(at, at + 500)))
        controller.close()
      },
    })
    const chunked = await rig.send(pieces, { gateway: rig.other, headers: { 'content-type': 'application/json' } })
    expect([chunked.status, chunked.json()['error'].code]).toEqual([413, 'body_too_large'])
    expect(await rig.record(chunked, rig.other)).toMatchObject({ outcome: 'refused', errorCode: 'body_too_large' })
  })

  test('unknown fields are dropped where policy says so; forbidden ones are refused all the same', async () => {
    const gateway = rig.other
    const dropped = await rig.send({ ...chat(), frobnicate: 1 }, { gateway })
    expect(dropped.json()['error'].code).toBe('upstream_unavailable')
    const refused = await rig.send({ ...chat(), id_slot: 1 }, { gateway })
    expect(refused.json()['error']).toMatchObject({ code: 'field_forbidden', param: 'id_slot' })
  })

  test('of two equal keys the model server gets one: the one that was checked', async () => {
    const body = `{"model":"m","messages":[{"role":"user","content":"first","content":"second"}],"n":1,"n":2}`
    rig.answers(replies({ choices: [] }))
    await rig.send(body)
    expect(rig.last().body).not.toContain('first')
    expect(rig.lastBody()).toMatchObject({ messages: [{ role: 'user', content: 'second' }], n: 2 })
    expect(rig.last().body.match(/"n":/g)).toHaveLength(1)
  })

  test('null says the same as leaving a field out; a charset is no reason to refuse', async () => {
    const options = { headers: { 'content-type': 'application/json; charset=utf-8' } }
    const reply = await rig.chat(replies({ choices: [] }), { tools: null, max_tokens: null }, options)
    expect(reply.status).toBe(200)
    expect(rig.lastBody()).not.toHaveProperty('tools')
  })

  test('a sane request id is kept, any other is replaced, on every kind of answer', async () => {
    for (const id of ['order-4711_a', 'x'.repeat(129), 'a b', 'a"}\\u0000', PROMPT.replace('-', '/')]) {
      const sane = /^[\w-]{1,128}$/.test(id)
      for (const [path, body, method] of [
        ['/v1/chat/completions', { ...chat(), stream: true }, 'POST'],
        ['/v1/chat/completions', {}, 'POST'],
        ['/nowhere', undefined, 'GET'],
        ['/healthz', undefined, 'GET'],
      ] as const) {
        rig.answers(async script => {
          await script.head()
          await script.chunk(delta({ content: 'x' }, 'stop'))
          await script.finish()
        })
        const reply = await rig.send(body, { path, method, headers: { 'x-request-id': id } })
        if (sane) expect(reply.headers.get('x-request-id')).toBe(id)
        else expect(reply.headers.get('x-request-id')).toMatch(/^req_[\w-]+$/)
      }
    }
  })

  describe('what the model server refuses', () => {
    const refusal = { error: { message: `${INTERNAL}: ${PROMPT}`, type: 'x', code: 'y' } }
    const tooLong = { error: { code: 400, type: 'exceed_context_size_error', message: INTERNAL, n_ctx: 4096 } }
    test.each([
      [400, refusal, 400, 'upstream_refused', 'false'],
      [400, tooLong, 400, 'prompt_too_long', 'false'],
      [422, { detail: refusal }, 400, 'upstream_refused', 'false'],
      [401, refusal, 502, 'upstream_failed', null],
      [403, refusal, 502, 'upstream_failed', null],
      [404, refusal, 502, 'upstream_failed', null],
      [302, refusal, 502, 'upstream_failed', null],
      [429, refusal, 503, 'upstream_busy', null],
      [500, refusal, 502, 'upstream_failed', null],
      [503, refusal, 503, 'upstream_unavailable', null],
    ])('%i: %j', async (status, body, expected, code, retry) => {
      for (const stream of [false, true]) {
        const more = { location: `${rig.upstream.url}/slots`, 'x-internal': INTERNAL, 'retry-after': '3' }
        const reply = await rig.chat(replies(body, status, more), { stream })
        expect([reply.status, reply.json()['error'].code]).toEqual([expected, code])
        expect(reply.headers.get('x-should-retry')).toBe(retry)
        expect(reply.text).not.toMatch(/marzipan/)
        expect(JSON.stringify([...reply.headers])).not.toMatch(/marzipan/)
        const outcome = expected >= 500 ? 'failed' : 'refused'
        expect(await rig.record(reply)).toMatchObject({ outcome, errorCode: code, upstream: `${rig.upstream.url}/v1` })
      }
    })

    test('a server that is not there', async () => {
      const reply = await rig.send({ ...chat(), model: 'gone' })
      expect([reply.status, reply.json()['error'].code]).toEqual([503, 'upstream_unavailable'])
      expect(reply.text).not.toMatch(/127\.0\.0\.1|ECONN/)
      expect(await rig.record(reply)).toMatchObject({ outcome: 'failed', errorCode: 'upstream_unavailable' })
    })
  })
}
