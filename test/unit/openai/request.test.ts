import { describe, expect, test } from 'vitest'
import { ENDPOINTS } from '../../../src/openai/endpoints.ts'
import { readRequestBody } from '../../../src/openai/read-body.ts'
import { visitTexts } from '../../../src/openai/request-texts.ts'

const [chat, completions, , , , embeddings] = ENDPOINTS
const encoder = new TextEncoder()

function read(value: unknown, endpoint = chat, unknownFields: 'refuse' | 'drop' = 'refuse', mediaHosts: string[] = []) {
  if (!endpoint) throw new Error('no endpoint')
  const bytes = typeof value === 'string' ? encoder.encode(value) : encoder.encode(JSON.stringify(value))
  return readRequestBody(bytes, endpoint, { maxDepth: 16, unknownFields, mediaHosts })
}

const MESSAGES = [{ role: 'user', content: 'hi' }]
const say = (more: object) => ({ model: 'm', messages: MESSAGES, ...more })

describe('a request body', () => {
  test.each([
    ['not JSON', '{', 'invalid_json', undefined],
    ['not an object', '[]', 'invalid_json', undefined],
    [
      'too deep',
      say({ metadata: JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`) as unknown }),
      'body_too_deep',
      undefined,
    ],
    ['without a model', { messages: MESSAGES }, 'missing_field', 'model'],
    ['without messages', { model: 'm' }, 'missing_field', 'messages'],
    ['without any message', { model: 'm', messages: [] }, 'invalid_value', 'messages'],
    [
      'with a wrong role',
      { model: 'm', messages: [{ role: 'root', content: 'x' }] },
      'invalid_value',
      'messages[0].role',
    ],
    ['with an unknown field', say({ frobnicate: 1 }), 'unknown_field', 'frobnicate'],
    [
      'with an unknown field in a message',
      { model: 'm', messages: [{ role: 'user', content: 'x', secret: 'y' }] },
      'unknown_field',
      'messages[0].secret',
    ],
    ['with a forbidden field', say({ id_slot: 1 }), 'field_forbidden', 'id_slot'],
    [
      'with a prototype as field',
      '{"model":"m","messages":[{"role":"user","content":"x"}],"__proto__":{"a":1}}',
      'unknown_field',
      '__proto__',
    ],
    ['with a temperature in words', say({ temperature: 'hot' }), 'invalid_value', 'temperature'],
    ['with a list of biases', say({ logit_bias: [5] }), 'invalid_value', 'logit_bias'],
    ['with a list of metadata', say({ metadata: ['a'] }), 'invalid_value', 'metadata'],
    [
      'with a list in place of a schema',
      say({ tools: [{ type: 'function', function: { name: 'f', parameters: [{}] } }] }),
      'invalid_value',
      'tools[0].function.parameters',
    ],
    ['with no answers', say({ n: 0 }), 'invalid_value', 'n'],
    ['with negative tokens', say({ max_tokens: -1 }), 'invalid_value', 'max_tokens'],
    [
      'with a remote image',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://x/y' } }] }] },
      'field_forbidden',
      'messages[0].content[0].image_url.url',
    ],
    [
      'with a part of unknown type',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'video_url', video_url: 'x' }] }] },
      'invalid_value',
      'messages[0].content[0].type',
    ],
  ])('%s is refused, and the field is named', (_, body, code, param) => {
    const result = read(body)
    expect(result.ok).toBe(false)
    if (!result.ok) expect({ code: result.refusal.code, param: result.refusal.param }).toEqual({ code, param })
  })

  test('never repeats a value in its refusals', () => {
    const result = read(say({ temperature: 'my-secret-value', stop: { a: 'my-secret-value' } }))
    expect(JSON.stringify(result)).not.toContain('my-secret-value')
  })

  test('token numbers are refused, since they cannot be checked', () => {
    expect(read({ model: 'm', prompt: [1, 2, 3] }, completions)).toMatchObject({
      ok: false,
      refusal: { param: 'prompt' },
    })
    expect(read({ model: 'm', input: [[1, 2]] }, embeddings)).toMatchObject({ ok: false, refusal: { param: 'input' } })
  })

  test('null says the same as leaving a field out, and unknown fields can be dropped by policy', () => {
    const result = read(say({ temperature: null, frobnicate: 'x' }), chat, 'drop')
    expect(result).toEqual({
      ok: true,
      body: { bytes: expect.any(Number), model: 'm', stream: false, fields: { model: 'm', messages: MESSAGES } },
    })
  })
})

test('what the SDKs add to answers is taken out when it comes back, and refused where no SDK puts it', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}', parsed_arguments: { a: 1 } } }
  const content = [{ type: 'text', text: 'x', parsed: 1 }]
  const added = { parsed: null, annotations: null, audio: null }
  const answer = { role: 'assistant', content, ...added, tool_calls: [call] }
  for (const policy of ['refuse', 'drop'] as const) {
    const result = read(say({ messages: Array.from({ length: 40 }, () => answer) }), chat, policy)
    expect(result.ok && JSON.stringify(result.body.fields)).not.toMatch(/parsed|annotations|audio/)
    expect(result).toMatchObject({ ok: true, body: { fields: { messages: { 39: { tool_calls: [{ id: 'c' }] } } } } })
  }
  const item = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', parsed_arguments: null }
  const responses = ENDPOINTS.find(({ path }) => path === '/v1/responses')
  expect(read({ model: 'm', input: [item] }, responses)).toMatchObject({ ok: true, body: { fields: { input: [{}] } } })

  const tools = [{ type: 'function', function: { name: 'f', parsed: 1 } }]
  const stored = { messages: [{ role: 'assistant', content: 'x', audio: { id: 'a' } }] }
  const faults = { 'tools[0].function.parsed': { tools }, parsed: { parsed: 1 }, 'messages[0].audio': stored }
  for (const [param, fields] of Object.entries(faults))
    expect(read(say(fields))).toMatchObject({ ok: false, refusal: { code: 'unknown_field', param } })
})

test('unknown fields inside a message are dropped by the same policy', () => {
  const messages = [{ role: 'user', content: 'hi', a: 1, b: 2 }]
  expect(read({ model: 'm', messages }, chat, 'drop')).toMatchObject({
    ok: true,
    body: { fields: { messages: MESSAGES } },
  })
  expect(messages).toHaveLength(1)
})

test('every text of a request is visited, with its place', () => {
  const fields = {
    model: 'm',
    messages: [
      { role: 'system', content: 'a' },
      {
        role: 'user',
        name: 'n',
        content: [
          { type: 'text', text: 'b' },
          { type: 'image_url', image_url: { url: 'data:x', detail: 'low' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'i', type: 'function', function: { name: 'f', arguments: '{"k":"c"}' } }],
      },
      { role: 'tool', tool_call_id: 't', content: 'd' },
    ],
    tools: [
      {
        type: 'function',
        function: { name: 'f', description: 'e', parameters: { type: 'my SSN is', properties: { g: { const: 'h' } } } },
      },
    ],
    stop: ['s'],
  }
  const seen = new Map<string, string>()
  visitTexts(fields, (text, place) => {
    seen.set(place, text)
    return text.toUpperCase()
  })
  expect(Object.fromEntries(seen)).toMatchObject({
    'messages[0].content': 'a',
    'messages[1].name': 'n',
    'messages[1].content[0].text': 'b',
    'messages[2].tool_calls[0].function.arguments': 'c',
    'messages[3].content': 'd',
    'tools[0].function.description': 'e',
    // In a schema the keys are the caller's too: visited, and named as they are passed on.
    'tools[0].function.parameters.TYPE': 'my SSN is',
    'tools[0].function.parameters.PROPERTIES.G.CONST': 'h',
    'stop[0]': 's',
  })
  expect([...seen.values()]).not.toContain('data:x')
  expect(fields.messages[2]?.tool_calls?.[0]?.function.arguments).toBe('{"K":"C"}')
  expect(fields.messages[0]).toEqual({ role: 'system', content: 'A' })
})
