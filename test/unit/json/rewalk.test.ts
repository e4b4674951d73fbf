import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rewalker } from '../../../src/json/rewalk.ts'
import { walkJson } from '../../../src/json/walk.ts'
import { CHAT_COMPLETIONS } from '../../../src/wires/chat-completions.ts'
import { COMPLETIONS } from '../../../src/wires/completions.ts'

const encoder = new TextEncoder()

const pieces = fc.oneof(
  fc.constantFrom('', 'a', ' word', '\\u0041', '\\"', '\\', '"', 'é', '\u0001', '"}', '","content":"x', '\\\\'),
  fc.string({ maxLength: 6 }),
)
const ids = fc.constantFrom('abc', 'abd', 'a-9', 'a"c', 'a\\n', '\\n1', 'é', 'a\u0001c', '', '{"}')
const times = fc.constantFrom('17', '18', '07', '1a', '1.5', '-1', '1', '123456789012', '223456789012', '"x"', 'null')
const document = fc
  .tuple(pieces, fc.constantFrom('null', '"stop"', '"length"'), fc.constantFrom(0, 0, 0, 1, 12), ids, times)
  .map(([piece, finish, index, id, time]) => ({
    chat: `{"id":"${id}","choices":[{"index":${index},"delta":{"content":"${piece}"},"finish_reason":${finish}}],"created":${time}}`,
    text: `{"id":"${id}","created":${time},"choices":[{"text":"${piece}","index":${index},"finish_reason":${finish}}],"usage":null}`,
  }))

test.each([
  ['chat', CHAT_COMPLETIONS],
  ['text', COMPLETIONS],
] as const)('a walk that starts from the last document finds the same: %s', (wire, shape) => {
  fc.assert(
    fc.property(fc.array(document, { maxLength: 8 }), fc.constantFrom(0, 6), (documents, start) => {
      const walker = new Rewalker(shape)
      for (const { [wire]: json } of documents) {
        const bytes = encoder.encode(' '.repeat(start) + json)
        expect(walker.walk(bytes, start, bytes.length)).toEqual(walkJson(bytes, start, bytes.length, shape))
      }
    }),
    { numRuns: 3000 },
  )
})

test('an event whose text grows by a second one of the same name is refused although the first was not', () => {
  const walker = new Rewalker(CHAT_COMPLETIONS)
  const walk = (inner: string) => {
    const bytes = encoder.encode(`{"choices":[{"index":0,"delta":{"content":"${inner}"}}]}`)
    return walker.walk(bytes, 0, bytes.length)
  }
  expect(walk('one')).not.toBeNull()
  expect(walk('two","content":"three')).toBeNull()
})

test.each([
  ['an id that changes', '{"id":"a1","created":170,', '{"id":"b2","created":170,', true],
  ['a clock that goes on', '{"id":"a1","created":170,', '{"id":"a1","created":171,', true],
  ['an escape in an id', '{"id":"a1","created":170,', '{"id":"\\n","created":170,', false],
  ['a number that is none', '{"id":"a1","created":170,', '{"id":"a1","created":070,', false],
  ['another name', '{"id":"a1","created":170,', '{"ie":"a1","created":170,', false],
])('what may differ between two events: %s', (_, one, other, isSame) => {
  const walker = new Rewalker(CHAT_COMPLETIONS)
  const walk = (head: string) => {
    const bytes = encoder.encode(`${head}"choices":[{"index":0,"delta":{"content":"word"}}]}`)
    return walker.walk(bytes, 0, bytes.length)
  }
  const walked = walk(one)
  expect(walked).not.toBeNull()
  expect(walk(other) === walked).toBe(isSame)
})
