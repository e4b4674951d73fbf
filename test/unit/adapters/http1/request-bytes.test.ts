import { describe, expect, test } from 'vitest'
import { requestBytes } from '../../../../adapters/node/http1/request-bytes.ts'
import type { UpstreamCall } from '../../../../src/ports/upstream.ts'

const TARGET = { host: 'h:1', path: '/v1/x?y=1' }
const call = (change: Partial<UpstreamCall>): UpstreamCall => ({
  method: 'POST',
  url: 'http://h:1/',
  headers: {},
  ...change,
})
const text = (change: Partial<UpstreamCall>) => {
  const bytes = requestBytes(TARGET, call(change))
  return typeof bytes === 'string'
    ? { refused: bytes }
    : Buffer.concat(bytes.map(piece => Buffer.from(piece))).toString('latin1')
}

describe('the bytes of a request', () => {
  test('are the head, what the protocol needs, and the body', () => {
    expect(text({ headers: { A: 'b \xe9' }, body: new Uint8Array([0x7b, 0xff]) })).toBe(
      'POST /v1/x?y=1 HTTP/1.1\r\nhost: h:1\r\nconnection: keep-alive\r\nA: b \xe9\r\ncontent-length: 2\r\n\r\n{\xff',
    )
    expect(text({ method: 'GET', closeAfter: true })).toBe(
      'GET /v1/x?y=1 HTTP/1.1\r\nhost: h:1\r\nconnection: close\r\n\r\n',
    )
    for (const body of [undefined, new Uint8Array()]) {
      expect(text(body ? { body } : {})).toMatch(/\r\ncontent-length: 0\r\n\r\n$/)
    }
  })

  test('have a text as UTF-8, whatever its length and the fields beside it', () => {
    for (const field of ['b', 'b \xe9']) {
      for (const body of ['', '{}', '{"é":"\u{1f600}"}', 'é'.repeat(40_000)]) {
        const bytes = Buffer.from(body)
        expect(text({ headers: { A: field }, body })).toBe(
          `POST /v1/x?y=1 HTTP/1.1\r\nhost: h:1\r\nconnection: keep-alive\r\nA: ${field}\r\n` +
            `content-length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`,
        )
      }
    }
  })

  test('are one piece, and two for a long body, which is not copied', () => {
    expect(requestBytes(TARGET, call({ body: new Uint8Array(1000) }))).toHaveLength(1)
    const body = new Uint8Array(100_000)
    expect(requestBytes(TARGET, call({ body }))[1]).toBe(body)
  })

  test.each([
    { 'a\r\nb': 'c' },
    { 'a b': 'c' },
    { '': 'c' },
    { 'a:': 'c' },
    { a: 'b\r\nc: d' },
    { a: 'b\nc' },
    { a: 'b\rc' },
    { a: 'b\0' },
    { a: 'b\x7f' },
    { a: '\u0100' },
  ])('refuse %j', headers => expect(text({ headers })).toEqual({ refused: 'a header field that cannot be sent' }))

  test.each(['Host', 'Content-Length', 'transfer-encoding', 'Connection', 'keep-alive', 'upgrade', 'Expect', 'te'])(
    'refuse %s, which is not for the caller to set',
    name => expect(text({ headers: { [name]: '1' } })).toEqual({ refused: expect.stringContaining(name) }),
  )
})
