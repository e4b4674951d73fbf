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
const document = fc
  .tuple(pieces, fc.constantFrom('null', '"stop"', '"length"'), fc.constantFrom(0, 0, 0, 1, 12))
  .map(([piece, finish, index]) => ({
    chat: `{"id":"x","choices":[{"index":${index},"delta":{"content":"${piece}"},"finish_reason":${finish}}]}`,
    text: `{"id":"x","choices":[{"text":"${piece}","index":${index},"finish_reason":${finish}}],"usage":null}`,
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
