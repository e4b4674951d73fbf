import { describe, expect, test } from 'vitest'
import { MAX_HEAD_BYTES, ResponseParser } from '../../../../adapters/node/http1/response-parser.ts'
import { parseResponse } from './parse-response.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`
const parse = (text: string, ends = false) => parseResponse(Buffer.from(text, 'latin1'), [], ends)

describe('heads that are refused', () => {
  test.each<[string, string, RegExp]>([
    ['another protocol', 'SSH-2.0-x', /malformed head/],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n', /status line/],
    ['no version', 'HTTP 200 OK\r\n\r\n', /status line/],
    ['two spaces', 'HTTP/1.1  200 OK\r\n\r\n', /status line/],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', /status line/],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', /status line/],
    ['a status that does not exist', 'HTTP/1.1 600 OK\r\n\r\n', /status line/],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n', /switch/],
    ['an empty line in front', '\r\nHTTP/1.1 200 OK\r\n\r\n', /malformed/],
    ['a folded field', `${OK}a: b\r\n c\r\n\r\n`, /header field/],
    ['a space in front of the first field', `${OK} a: b\r\n\r\n`, /header field/],
    ['a space in front of the colon', `${OK}a : b\r\n\r\n`, /header field/],
    ['a field without a colon', `${OK}ab\r\n\r\n`, /header field/],
    ['a field without a name', `${OK}: b\r\n\r\n`, /header field/],
    ['a name that is none', `${OK}a(b: c\r\n\r\n`, /header field/],
    ['a NUL in a value', `${OK}a: b\0c\r\n\r\n`, /header field/],
    ['a bare CR in a value', `${OK}a: b\rc\r\n\r\n`, /header field/],
    ['a bare LF in a value', `${OK}a: b\nc: d\r\n\r\n`, /header field/],
    ['a bare CR, before the head is whole', `${OK}a: b\rc`, /malformed head/],
    ['lines that end with LF alone, before the head is whole', 'HTTP/1.1 200 OK\n\n', /malformed head/],
    ['a NUL, before the head is whole', `${OK}a\0`, /malformed head/],
    ['two lengths', `${OK}content-length: 1\r\nContent-Length: 1\r\n\r\n`, /more than one content-length/],
    ['a list of lengths', `${OK}content-length: 1, 1\r\n\r\n`, /malformed content-length/],
    ['a signed length', `${OK}content-length: +1\r\n\r\n`, /malformed content-length/],
    ['a negative length', `${OK}content-length: -1\r\n\r\n`, /malformed content-length/],
    ['a length in hexadecimal', `${OK}content-length: 0x1\r\n\r\n`, /malformed content-length/],
    ['no length', `${OK}content-length:\r\n\r\n`, /malformed content-length/],
    ['a length beyond exact numbers', `${OK}content-length: 9999999999999999\r\n\r\n`, /malformed content-length/],
    ['a malformed length where there is no body', 'HTTP/1.1 204 x\r\ncontent-length: x\r\n\r\n', /content-length/],
    ['length and chunks', `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`, /both/],
    ['a tab behind an encoding', `${OK}transfer-encoding: chunked\t\r\n\r\n`, /a tab/],
    ['another encoding', `${OK}transfer-encoding: gzip\r\n\r\n`, /other than chunked/],
    ['two encodings', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`, /other than chunked/],
    ['chunks twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`, /more than one/],
    ['an empty encoding', `${OK}transfer-encoding:\r\n\r\n`, /other than chunked/],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', /where none may be/],
    ['chunks where there is no body', 'HTTP/1.1 204 x\r\ntransfer-encoding: chunked\r\n\r\n', /where none may be/],
    ['129 fields', `${OK}${'a: b\r\n'.repeat(129)}\r\n`, /more than 128/],
    ['nine informational answers', 'HTTP/1.1 103 x\r\n\r\n'.repeat(9), /informational/],
    ['an informational answer that closes', 'HTTP/1.1 103 x\r\nconnection: close\r\n\r\n', /informational/],
    ['an informational answer of HTTP/1.0', 'HTTP/1.0 103 x\r\n\r\n', /informational/],
    ['an informational answer that closes', 'HTTP/1.1 103 x\r\nconnection: close\r\n\r\n', /informational/],
    ['an informational answer of HTTP/1.0', 'HTTP/1.0 103 x\r\n\r\n', /informational/],
    ['more than 16 KiB', `${OK}a: ${'b'.repeat(MAX_HEAD_BYTES)}\r\n\r\n`, /too long/],
  ])('%s', (_, text, fault) => {
    expect(parse(text)).toMatchObject({ outcome: 'fault', fault: expect.stringMatching(fault), body: Buffer.alloc(0) })
  })

  test('more than 16 KiB in small reads are not collected', () => {
    const parser = new ResponseParser()
    parser.read(Buffer.from(OK), OK.length)
    for (let sent = 0; sent < MAX_HEAD_BYTES; sent += 7) parser.read(Buffer.from('a: bc\r\n'), 7)
    expect(parser.fault).toMatch(/too long/)
  })

  test('a fault never quotes what was sent', () => {
    for (const text of [
      'secret',
      `${OK}secret`,
      `${OK}se cret: x\r\n\r\n`,
      `${CHUNKED}secret\r\n`,
      `${CHUNKED}1;=secret\r\n`,
    ])
      expect(parse(text).fault ?? '').not.toContain('secret')
  })
})

describe('chunks that are refused', () => {
  test.each<[string, string, RegExp]>([
    ['no size', '\r\n', /chunk size/],
    ['no digits', 'zz\r\n', /chunk size/],
    ['a prefix', '0x3\r\nabc', /chunk size/],
    ['a sign', '+3\r\nabc', /chunk size/],
    ['a space in front', ' 3\r\nabc', /chunk size/],
    ['a space behind', '3 \r\nabc', /chunk size/],
    ['a bare LF behind the size', '3\nabc', /chunk size/],
    ['a bare CR behind the size', '3\rabc', /chunk size/],
    ['a size beyond exact numbers', '10000000000000\r\n', /too long/],
    ['many zeros', `${'0'.repeat(14)}\r\n`, /too long/],
    ['more bytes than the size', '3\r\nabcd\r\n', /longer than its size/],
    ['a bare LF behind a chunk', '3\r\nabc\n', /longer than its size/],
    ['a bare CR behind a chunk', '3\r\nabc\r3\r\n', /longer than its size/],
    ['an empty extension', '3;\r\nabc', /extension/],
    ['an extension that is none', '3;a b\r\nabc', /extension/],
    ['a bare LF in an extension', '3;a\nb\r\nabc', /extension/],
    ['an extension without an end', `3;${'a'.repeat(300)}`, /too long/],
    ['a trailer that is none', '0\r\na b\r\n', /trailer/],
    ['a folded trailer', '0\r\na: b\r\n c\r\n\r\n', /trailer/],
    ['a bare LF in a trailer', '0\r\na: b\n\r\n', /trailer/],
    ['a bare CR in a trailer', '0\r\na: b\rc\r\n\r\n', /trailer/],
    ['a length in the trailers', '0\r\nContent-Length: 3\r\n\r\n', /framing/],
    ['trailers without an end', `0\r\n${'a: b\r\n'.repeat(1000)}`, /trailers/],
  ])('%s', (_, text, fault) => {
    const parsed = parse(CHUNKED + text)
    expect(parsed).toMatchObject({ outcome: 'fault', status: 200, fault: expect.stringMatching(fault) })
    expect('abc'.startsWith(parsed.body.toString())).toBe(true)
  })
})

describe('answers', () => {
  test.each<[string, string, object]>([
    ['a counted body', `${OK}content-length: 3\r\n\r\nabc`, { body: 'abc', keepAlive: true }],
    ['a length with zeros', `${OK}content-length: 003\r\n\r\nabc`, { body: 'abc' }],
    ['an empty body', `${OK}content-length: 0\r\n\r\n`, { body: '', keepAlive: true }],
    ['chunks', `${CHUNKED}3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n`, { body: 'abc0123456789', keepAlive: true }],
    ['an encoding in capitals', `${OK}Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`, { body: 'a' }],
    ['extensions', `${CHUNKED}1;a=b;c="d; e"\r\na\r\n0;x\r\n\r\n`, { body: 'a' }],
    [
      'trailers',
      `${CHUNKED}1\r\na\r\n0\r\nx-a: b\r\nx-c:\r\n\r\n`,
      { body: 'a', headers: { 'transfer-encoding': 'chunked' } },
    ],
    ['no reason', 'HTTP/1.1 200 \r\ncontent-length: 1\r\n\r\na', { status: 200, body: 'a' }],
    [
      'informational ones first',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\na: b\r\n\r\n${OK}content-length: 1\r\n\r\na`,
      { status: 200, body: 'a' },
    ],
    ['204 with a length', 'HTTP/1.1 204 x\r\ncontent-length: 5\r\n\r\n', { status: 204, body: '', keepAlive: true }],
    ['304 with a length', 'HTTP/1.1 304 x\r\ncontent-length: 5\r\n\r\n', { status: 304, body: '' }],
    ['connection: close', `${OK}connection: x, Close\r\ncontent-length: 1\r\n\r\na`, { keepAlive: false }],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', { keepAlive: false }],
    ['HTTP/1.0, kept', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na', { keepAlive: true }],
    [
      'values as they are',
      `${OK}A:\t b c \r\nb:\r\na: \xa0\r\ncontent-length: 0\r\n\r\n`,
      { headers: { a: 'b c, \xa0', b: '', 'content-length': '0' } },
    ],
    ['names of JavaScript', `${OK}__proto__: a\r\nconstructor: b\r\ncontent-length: 0\r\n\r\n`, { status: 200 }],
  ])('%s', (_, text, { body, ...expected }: { body?: string }) => {
    const parsed = parse(text)
    expect(parsed).toMatchObject({ outcome: 'complete', excess: false, ...expected })
    if (body !== undefined) expect(parsed.body.toString()).toBe(body)
  })

  test('ends with the connection when nothing else says where', () => {
    for (const head of [`${OK}\r\n`, 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\n']) {
      expect(parse(`${head}abc`)).toMatchObject({ outcome: 'open', body: Buffer.from('abc'), keepAlive: false })
      expect(parse(`${head}abc`, true)).toMatchObject({ outcome: 'complete', body: Buffer.from('abc') })
    }
  })

  test.each([
    `${OK}content-length: 3\r\n\r\nab`,
    `${CHUNKED}3\r\nabc\r\n`,
    `${CHUNKED}0\r\n`,
    OK,
    'HTTP/1.1 103 x\r\n\r\n',
  ])('cut short is not complete: %j', text => expect(parse(text, true).outcome).toBe('open'))

  test('bytes behind the end are told', () => {
    for (const text of [`${OK}content-length: 1\r\n\r\nab`, `${CHUNKED}0\r\n\r\nH`, 'HTTP/1.1 204 x\r\n\r\nx'])
      expect(parse(text)).toMatchObject({ outcome: 'complete', excess: true })
  })

  test('the chunks of one read are one part', () => {
    const bytes = Buffer.from(`${CHUNKED}${'3\r\nabc\r\n'.repeat(100)}0\r\n\r\n`)
    expect(parseResponse(bytes)).toMatchObject({ parts: [300], body: Buffer.from('abc'.repeat(100)) })
    expect(parseResponse(bytes, [CHUNKED.length + 4]).parts).toEqual([1, 299])
  })

  test('what is not taken is kept', () => {
    const parser = new ResponseParser()
    for (const part of [CHUNKED, '3\r\nabc\r\n', '3\r\ndef\r\n0\r\n\r\n']) parser.read(Buffer.from(part), part.length)
    expect(parser).toMatchObject({ head: { status: 200 }, body: Buffer.from('abcdef'), complete: true })
  })

  test('one behind another on the same connection', () => {
    const parser = new ResponseParser()
    for (const text of [
      `${CHUNKED}3\r\nabc\r\n0\r\nx: y\r\n\r\n`,
      `${OK}content-length: 3\r\n\r\nabc`,
      `${CHUNKED}3\r\nabc\r\n0\r\n\r\n`,
    ]) {
      parser.read(Buffer.from(text), text.length)
      expect(parser).toMatchObject({ complete: true, excess: false, body: Buffer.from('abc') })
      parser.reset()
      expect(parser).toMatchObject({ complete: false, head: undefined, body: undefined })
    }
  })
})
