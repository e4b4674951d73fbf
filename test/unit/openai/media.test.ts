import { describe, expect, test } from 'vitest'
import { ENDPOINTS } from '../../../src/openai/endpoints.ts'
import { readRequestBody } from '../../../src/openai/read-body.ts'

const HOSTS = ['images.example', 'images.example:8443', '[fd00::7]']
const PIXEL = 'data:image/png;base64,AA=='

/** Where each wire has the address of an image. */
const WIRES: Readonly<Record<string, readonly [path: string, place: string, body: (url: string) => object]>> = {
  chat: [
    '/v1/chat/completions',
    'messages[0].content[0].image_url.url',
    url => ({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }),
  ],
  responses: [
    '/v1/responses',
    'input[0].content[0].image_url',
    url => ({ input: [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }] }),
  ],
  messages: [
    '/v1/messages',
    'messages[0].content[0].source.url',
    url => ({
      max_tokens: 1,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url } }] }],
    }),
  ],
  'a tool result of messages': [
    '/v1/messages',
    'messages[0].content[0].content[0].source.url',
    url => ({
      max_tokens: 1,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source: { type: 'url', url } }] },
          ],
        },
      ],
    }),
  ],
}

function read(wire: string, url: string, mediaHosts: readonly string[]) {
  const [path, place, body] = WIRES[wire] as (typeof WIRES)[string]
  const endpoint = ENDPOINTS.find(({ path: known }) => known === path)
  if (!endpoint) throw new Error(path)
  const bytes = new TextEncoder().encode(JSON.stringify({ model: 'm', ...body(url) }))
  const result = readRequestBody(bytes, endpoint, { maxDepth: 16, unknownFields: 'refuse', mediaHosts })
  return { place, result }
}

describe.each(Object.keys(WIRES))('an image of %s', wire => {
  test.each([
    PIXEL,
    'https://images.example/a.png?size=2',
    'http://images.example:8443/a.png',
    'https://[fd00::7]/a.png',
  ])('passes: %s', url => {
    const { result } = read(wire, url, HOSTS)
    expect(result.ok && JSON.stringify(result.body.fields)).toContain(JSON.stringify(url))
  })

  test('passes written as every reader understands it', () => {
    const { result } = read(wire, 'HTTPS://IMAGES.example:443\\a/../b', HOSTS)
    expect(result.ok && JSON.stringify(result.body.fields)).toContain('"https://images.example/b"')
  })

  test.each([
    'https://other.example/a.png',
    'https://images.example.other.example/a.png',
    'https://images.example:9000/a.png',
    'https://images.example@other.example/',
    'https://user:pass@images.example/',
    'https://other.example\\@images.example/',
    'https://169.254.169.254/latest',
    'https://',
    'file:///etc/passwd',
    'ftp://images.example/a.png',
    ' data:image/png;base64,AA==',
    '//images.example/a.png',
  ])('is refused by its place: %s', url => {
    const { place, result } = read(wire, url, HOSTS)
    expect(!result.ok && result.refusal).toMatchObject({ code: 'field_forbidden', param: place })
    expect(JSON.stringify(result)).not.toContain('example')
  })

  test('is refused where no host is allowed', () => {
    expect(read(wire, 'https://images.example/a.png', []).result.ok).toBe(false)
    expect(read(wire, PIXEL, []).result.ok).toBe(true)
  })
})
