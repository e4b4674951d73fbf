import { describe, expect, test } from 'vitest'
import { AnswerGuard } from '../../../src/guard/answer-guard.ts'
import { OpenEvent } from '../../../src/guard/open-event.ts'
import { byGroup, compileSide } from '../../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { atOnce } from '../../../src/guard/turns.ts'
import { CHAT_COMPLETIONS } from '../../../src/wires/chat-completions.ts'

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'block' }))
if (!compiled.ok) throw new Error('the built-in rules do not compile')
const { side } = compiled

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function guard(limit = Number.POSITIVE_INFINITY) {
  const texts = new TextGuard(side)
  let room = limit
  const answers = new AnswerGuard(CHAT_COMPLETIONS, texts, {
    pass(text) {
      const passed = text.slice(0, room)
      room -= passed.length
      return passed
    },
  })
  const event = (json: string) => {
    const bytes = encoder.encode(json)
    const guarded = answers.event(bytes, 0, bytes.length)
    if (!(guarded?.bytes instanceof OpenEvent)) return guarded && decoder.decode(guarded.bytes)
    answers.strays.end()
    return decoder.decode(guarded.bytes.close())
  }
  const body = (value: unknown) => {
    const guarded = atOnce(answers.body(encoder.encode(JSON.stringify(value))))
    return guarded && (JSON.parse(decoder.decode(guarded.bytes)) as unknown)
  }
  return { texts, answers, event, body }
}

const call = (delta: string, finish = 'null') => `{"choices":[{"index":0,"delta":${delta},"finish_reason":${finish}}]}`

describe('in a stream', () => {
  test('the arguments of calls come redacted while they stream, each with its call', () => {
    const { event } = guard()
    const piece = (index: number, text: string) =>
      call(`{"tool_calls":[{"index":${index},"function":{"arguments":${JSON.stringify(text)}}}]}`)
    expect(event(piece(0, '{"m":'))).toBe(piece(0, '{"m":'))
    expect(event(piece(0, '"bob@exam'))).toBe(piece(0, '"'))
    expect(event(piece(1, '[3'))).toBe(piece(1, '['))
    expect(event(piece(1, ']'))).toBe(piece(1, '3]'))
    expect(event(piece(0, 'ple.com"'))).toBe(piece(0, '[EMAIL_REDACTED]"'))
    expect(event(piece(0, ', "n": "rob@exam'))).toBe(piece(0, ', "n": "'))
    expect(event(call('{}', '"tool_calls"'))).toBe(
      call('{"tool_calls":[{"index":0,"function":{"arguments":"rob@exam"}}]}', '"tool_calls"'),
    )
  })

  test('logprobs are dropped, also where they are never null', () => {
    const { event } = guard()
    expect(
      event(
        '{"choices":[{"index":0,"delta":{"content":". "},"logprobs":{"content":[{"token":"bob@example.com","bytes":[98]}]}}]}',
      ),
    ).toBe('{"choices":[{"index":0,"delta":{"content":". "},"logprobs":null}]}')
  })

  test('a text in a field that no wire describes is checked by itself', () => {
    const { event } = guard()
    expect(event('{"choices":[],"x_debug":{"prompt":"mail bob@example.com!"}}')).toBe(
      '{"choices":[],"x_debug":{"prompt":"mail [EMAIL_REDACTED]!"}}',
    )
  })

  test('the name of a call is the model’s to choose, and is checked', () => {
    const { event } = guard()
    expect(event(call('{"tool_calls":[{"index":0,"function":{"name":"bob@example.com"}}]}'))).toBe(
      call('{"tool_calls":[{"index":0,"function":{"name":"[EMAIL_REDACTED]"}}]}'),
    )
  })

  test('a word is held until it is decided, and what is held comes with the finish', () => {
    const { event } = guard()
    expect(event(call('{"content":"write to bob"}'))).toBe(call('{"content":"write to "}'))
    expect(event(call('{"content":"@example.com"}'))).toBe(call('{"content":""}'))
    expect(event(call('{}', '"stop"'))).toBe(call('{"content":"[EMAIL_REDACTED]"}', '"stop"'))
  })

  test.each([
    ['has no delta', '{"choices":[{"index":0,"finish_reason":"stop"}]}'],
    ['has null for one', '{"choices":[{"index":0,"delta":null,"finish_reason":"stop"}]}'],
    ['has a delta with fields', call('{"content":null,"tool_calls":[]}', '"stop"')],
  ])('what is held goes in front of a finish that %s', (_, json) => {
    const { event, answers } = guard()
    event(call('{"content":"bob"}'))
    const bytes = encoder.encode(json)
    const guarded = answers.event(bytes, 0, bytes.length)
    expect(guarded?.held).toEqual([{ choice: 0, fields: '"content":"bob"', logprobs: '' }])
    expect(guarded?.bytes).toBe(bytes)
  })

  test('a finish tells when its text was cut or blocked', () => {
    const cut = guard(3)
    expect(cut.event(call('{"content":"four. "}', '"stop"'))).toBe(call('{"content":"fou"}', '"length"'))
    const blocked = guard()
    blocked.event(call('{"content":"key ghp_01234567890123456789012345678901234"}'))
    expect(blocked.event(call('{"content":"5"}', '"stop"'))).toBe(call('{"content":""}', '"content_filter"'))
  })

  test('text behind the finish of its choice is not trusted', () => {
    const { event } = guard()
    event(call('{"content":"123-45"}', '"stop"'))
    expect(event(call('{"content":"-6789"}'))).toBeNull()
  })

  test('a blocking match ends the text in front of it', () => {
    const { event, texts } = guard()
    expect(event(call('{"content":"the key is ghp_012345678901234567890123456789012345 ok"}'))).toBe(
      call('{"content":"the key is "}'),
    )
    expect(texts.blocked?.group).toBe('secrets')
    expect(event(call('{"content":"more"}'))).toBe(call('{"content":""}'))
  })
})

describe('in a whole body', () => {
  test('every text is redacted, arguments stay JSON, logprobs go', () => {
    const { body } = guard()
    const message = {
      role: 'assistant',
      content: 'mail bob@example.com',
      reasoning_content: 'it is bob@example.com',
      refusal: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"to":"bob@example.com","n":3}' } }],
    }
    expect(
      body({
        id: 'x',
        choices: [{ index: 0, message, logprobs: { content: [{ token: 'bob', logprob: -1 }] }, finish_reason: 'stop' }],
      }),
    ).toEqual({
      id: 'x',
      choices: [
        {
          index: 0,
          message: {
            ...message,
            content: 'mail [EMAIL_REDACTED]',
            reasoning_content: 'it is [EMAIL_REDACTED]',
            tool_calls: [
              { id: 'a', type: 'function', function: { name: 'f', arguments: '{"to":"[EMAIL_REDACTED]","n":3}' } },
            ],
          },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
    })
  })

  test('a text that is cut says so', () => {
    const { body } = guard(5)
    expect(body({ choices: [{ index: 0, message: { content: 'one two three' }, finish_reason: 'stop' }] })).toEqual({
      choices: [{ index: 0, message: { content: 'one t' }, finish_reason: 'length' }],
    })
  })
})
