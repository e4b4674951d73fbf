import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, FrameSplitter, frameData } from '../../../src/sse/frames.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function split(chunks: readonly Uint8Array[], limit = 1000) {
  const frames: Uint8Array[] = []
  let overflow = 0
  const splitter = new FrameSplitter(limit, { frame: bytes => frames.push(bytes), tooLong: () => overflow++ })
  for (const chunk of chunks) splitter.push(chunk)
  return { frames, overflow, pending: splitter.pending }
}

const data = (frame: Uint8Array) => {
  const found = frameData(frame, () => true)
  return found && 'bytes' in found ? decoder.decode(found.bytes.subarray(found.start, found.end)) : null
}

const BODIES = [
  'data: a\n\ndata: b\n\n',
  'data: a\r\n\r\ndata:b\r\n\r\n',
  'data: a\r\rdata: b\r\r',
  ': hi\n\nevent: x\ndata: a\n\ndata: b\n\n\n\n',
]

describe('frames', () => {
  test.each(BODIES)('of %j are the same whatever the cuts, and no byte is lost', body => {
    const bytes = encoder.encode(body)
    const whole = split([bytes])
    expect(whole.frames.map(data).filter(text => text !== null)).toEqual(['a', 'b'])
    for (let at = 0; at <= bytes.length; at++) {
      for (let next = at; next <= bytes.length; next++) {
        const cut = split([bytes.subarray(0, at), bytes.subarray(at, next), bytes.subarray(next)])
        expect(cut.frames.map(data)).toEqual(whole.frames.map(data))
        expect(decoder.decode(concat([...cut.frames, cut.pending]))).toBe(body)
      }
    }
  })

  test('of random bytes: nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), chunks => {
        const { frames, pending } = split(chunks)
        expect([...concat([...frames, pending])]).toEqual([...concat(chunks)])
      }),
    )
  })

  test('longer than the limit end it, whether they close or not', () => {
    expect(split([encoder.encode(`data: ${'x'.repeat(50)}\n\n`)], 20)).toMatchObject({ overflow: 1, frames: [] })
    expect(split([encoder.encode('data: x'), encoder.encode('x'.repeat(20))], 20).overflow).toBe(1)
  })
})

describe('the data of a frame', () => {
  test.each([
    ['data: a\n\n', 'a'],
    ['data:a\n\n', 'a'],
    ['data:  a\n\n', ' a'],
    ['data\n\n', ''],
    ['\ufeffdata: a\n\n', 'a'],
    ['id: 1\nevent: x\ndata: a\nretry: 5\n\n', 'a'],
    ['data: {"a":\ndata: 1}\n\n', '{"a": 1}'],
    [': comment\n\n', null],
    ['database: x\n\n', null],
  ])('%j', (frame, expected) => {
    expect(data(encoder.encode(frame))).toBe(expected)
  })
})
