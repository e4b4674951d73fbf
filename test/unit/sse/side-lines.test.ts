import { describe, expect, test } from 'vitest'
import { frameData } from '../../../src/sse/frames.ts'
import { maySideLinePass } from '../../../src/sse/side-lines.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const isClear = (text: string) => !text.includes('123-45-6789')
const passes = (line: string) => maySideLinePass(encoder.encode(line), isClear)

describe('a line beside the data', () => {
  test.each([
    ':',
    ': keep-alive',
    ': OPENROUTER PROCESSING',
    ': ping - 2026-01-02 03:04:05.678+00:00',
    'event: response.output_text.delta',
    'event:message',
    'event',
    'id: 17',
    'id:',
    'retry: 3000',
  ])('%j passes', line => {
    expect(passes(line)).toBe(true)
  })

  test.each([
    ': mail bob@example.com',
    ': it is 123-45-6789',
    'event: 123-45-6789',
    'id: 123-45-6789',
    'id: two words',
    'event: bob@example.com',
    'retry: soon',
    'retry: 1234567890123',
    'note: hello',
    `: ${'x'.repeat(300)}`,
  ])('%j does not', line => {
    expect(passes(line)).toBe(false)
  })
})

describe('a frame', () => {
  const mayPass = (line: Uint8Array) => maySideLinePass(line, isClear)
  const rewritten = (frame: string) => {
    const bytes = encoder.encode(frame)
    const found = frameData(bytes, mayPass)
    if (found === null) return null
    if ('rest' in found) return decoder.decode(found.rest)
    expect(decoder.decode(found.bytes.subarray(found.start, found.end))).toBe('{}')
    return decoder.decode(found.bytes)
  }

  test.each([
    [': ping\n\n', ': ping\n\n'],
    ['event: x\r\nid: 1\r\ndata: {}\r\n\r\n', 'event: x\r\nid: 1\r\ndata: {}\r\n\r\n'],
    ['event: x\nnote: 1\ndata: {}\n\n', 'event: x\ndata: {}\n\n'],
    [': it is 123-45-6789\rdata: {}\r\r', 'data: {}\n\n'],
    ['id: 123-45-6789\n\n', null],
    ['retry: 5\n: 123-45-6789\n\n', 'retry: 5\n\n'],
  ])('%j keeps what may pass', (frame, expected) => {
    expect(rewritten(frame)).toBe(expected)
  })
})
