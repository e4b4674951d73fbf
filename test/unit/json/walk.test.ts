import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isDeeperThan } from '../../../src/json/depth.ts'
import { decodeString } from '../../../src/json/strings.ts'
import { walkJson } from '../../../src/json/walk.ts'
import { CHAT_COMPLETIONS } from '../../../src/wires/chat-completions.ts'

const encoder = new TextEncoder()

function walk(json: string, shape = CHAT_COMPLETIONS) {
  const bytes = encoder.encode(json)
  return { bytes, walked: walkJson(bytes, 0, bytes.length, shape) }
}

/** Every string value of a document, in order. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(strings)
}

describe('a walk', () => {
  test('finds every string of any document that no shape describes', () => {
    fc.assert(
      fc.property(fc.json(), json => {
        const { bytes, walked } = walk(json, {})
        const found = walked?.strings.flatMap(slot => (slot.kind === 'unknown' ? [decodeString(bytes, slot)] : []))
        // Reading by JSON.parse puts number-like keys first: compare as bags.
        expect(found?.toSorted()).toEqual(
          strings(JSON.parse(json, (key, value) => (key === '__proto__' ? undefined : value))).toSorted(),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('names choices and calls by their index, wherever it stands', () => {
    const { walked } = walk(
      '{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{}"},"index":2}]},"index":5,"finish_reason":"stop"}]}',
    )
    expect(walked?.strings).toMatchObject([{ kind: 'arguments', choice: { index: 5 }, call: { index: 2 } }])
    expect(walked?.choices[0]?.finish).not.toBeNull()
  })

  test('tells texts, what is dropped, usage and errors', () => {
    const { walked } = walk(
      '{"choices":[{"index":0,"logprobs":{"content":[{"token":"x"}]},"message":{"content":"hi"}}],"usage":{"a":1},"error":{}}',
    )
    expect(walked?.logprobs).toMatchObject([{ isNull: false, choice: { index: 0 } }])
    expect(walked?.strings).toHaveLength(1)
    expect(walked?.usage).not.toBeNull()
    expect(walked?.error).toBe(true)
    expect(walked?.strings.filter(({ kind }) => kind === 'text')).toMatchObject([{ channel: 'content' }])
  })

  test('finds keys that are no names, and long whole numbers, at places that no shape describes', () => {
    const numbers = '"n":4111111111111111,"e":4.111111111111111e15,"f":3859.3481989708407,"s":17600000000'
    const keys = '"prompt_per_token_ms":1,"a@b.example":1,"123456789":1,"\\u0061":1'
    const { bytes, walked } = walk(`{${numbers},${keys},"created":4111111111111111,"token_ids":[4111111111111111]}`)
    const found = (kind: string) =>
      walked?.strings.filter(slot => slot.kind === kind).map(slot => decodeString(bytes, { ...slot, simple: false }))
    expect(found('key')).toEqual(['a@b.example', '123456789', 'a'])
    expect(walked?.strings.filter(({ kind }) => kind === 'number')).toHaveLength(2)
  })

  test.each([
    ['an unclosed string', '{"a":"x'],
    ['bytes behind the document', '{} x'],
    ['a missing colon', '{"a" 1}'],
    ['a trailing comma', '{"a":1,}'],
    ['a bare control character', '{"a":"\u0001"}'],
    ['nothing', ''],
    ['two texts of one name', '{"choices":[{"delta":{"content":"a","content":"b"}}]}'],
    ['two texts of one name, one with an escaped key', '{"choices":[{"delta":{"content":"a","\\u0063ontent":"b"}}]}'],
    ['a negative index', '{"choices":[{"index":-1,"delta":{}}]}'],
    ['an index without bound', '{"choices":[{"index":99999999,"delta":{}}]}'],
    ['an index in exponents', '{"choices":[{"index":1e3,"delta":{}}]}'],
    ['null in place of an answer', 'null'],
    ['a list in place of an answer', '[]'],
    ['half a word', '{"a":nul}'],
    ['a word in capitals', '{"a":NULL}'],
    ['text without quotes', '{"a":123-45-6789}'],
    ['a number that begins with a zero', '{"a":0123}'],
    ['a number without digits behind its point', '{"a":1.}'],
    ['too deep a nesting', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`],
  ])('does not trust %s', (_, json) => {
    expect(walk(json).walked).toBeNull()
  })
})

test('depth is told without parsing, and brackets inside strings do not count', () => {
  expect(isDeeperThan(encoder.encode('[[[]]]'), 3)).toBe(false)
  expect(isDeeperThan(encoder.encode('[[[[]]]]'), 3)).toBe(true)
  expect(isDeeperThan(encoder.encode('["[[[[\\"[[["]'), 3)).toBe(false)
})
