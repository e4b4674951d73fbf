import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anthropicError } from '../../src/errors/anthropic-error.ts'
import { openAiError } from '../../src/errors/refusal.ts'
import { AnswerGuard } from '../../src/guard/answer-guard.ts'
import { EventGuard } from '../../src/guard/event-guard.ts'
import { byGroup, compileSide } from '../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../src/guard/text-guard.ts'
import type { Shape } from '../../src/json/shape.ts'
import { EventStreamGuard } from '../../src/pipeline/event-stream-guard.ts'
import type { FramedAnswer } from '../../src/pipeline/framed-answer.ts'
import { StreamGuard } from '../../src/pipeline/stream-guard.ts'
import { CHAT_COMPLETIONS } from '../../src/wires/chat-completions.ts'
import { COMPLETIONS } from '../../src/wires/completions.ts'
import type { EventWire } from '../../src/wires/event-wire.ts'
import { MESSAGES } from '../../src/wires/messages.ts'
import { RESPONSES } from '../../src/wires/responses.ts'
import { naiveRedact } from '../support/naive-redact.ts'

/**
 * What docs/guard.md guarantees, on every channel of every wire, for texts that come near a match and for what real servers
 * sent: 1 cuts do not matter; 2 nothing leaves early; 4 what waits is bounded; 6 frames stay frames; 7 every way to end is
 * safe; 8 what cannot be checked does not pass. (3, that nothing waits in vain, and 5, linear time, are properties of the
 * scanner alone: scanner.test.ts; and stream-guard.test.ts for whole events.)
 */

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
const { side } = compiled

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const strict = new TextDecoder('utf-8', { fatal: true })
type Json = Record<string, unknown>

/** The longest match of a built-in rule, in characters. */
const LONGEST = 512

const common = {
  maxFrameBytes: 1 << 20,
  cutFor: () => null,
  onText: () => {},
  onUsage: () => {},
  usage: () => ({ inputTokens: 1, outputTokens: 2 }),
} as const

function choices(shape: Shape): FramedAnswer {
  const texts = new TextGuard(side)
  const answers = new AnswerGuard(shape, texts, { pass: text => text })
  return new StreamGuard({ ...common, texts, answers, dropUsage: false })
}

function events(wire: EventWire): FramedAnswer {
  const texts = new TextGuard(side)
  const guard = new EventGuard(wire, texts, new TextGuard(side), { pass: text => text })
  const errorBody = wire === MESSAGES ? anthropicError : openAiError
  return new EventStreamGuard({ ...common, wire, texts, events: guard, errorBody })
}

/** One growing text of a wire. */
interface Channel {
  readonly name: string
  readonly holds: 'text' | 'json'
  guard(): FramedAnswer
  /** A whole stream whose text comes in these pieces. */
  write(pieces: readonly string[]): Json[]
  /** The piece in an event. */
  read(event: Json): string
}

const chat = (name: string, holds: Channel['holds'], fields: (piece: string) => Json): Channel => ({
  name: `chat: ${name}`,
  holds,
  guard: () => choices(CHAT_COMPLETIONS),
  write: pieces =>
    [...pieces.map(fields), {}].map((delta, at) => ({
      id: 'chatcmpl-x',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'tiny',
      vendor: { a: [true, null, 1.5] },
      choices: [{ index: 0, delta, logprobs: null, finish_reason: at < pieces.length ? null : 'stop' }],
    })),
  read(event) {
    const delta = (event['choices'] as Json[] | undefined)?.[0]?.['delta'] as Json | undefined
    const call = (delta?.['tool_calls'] as { function: Json }[] | undefined)?.[0]?.function
    const older = delta?.['function_call'] as Json | undefined
    return (call?.['arguments'] ?? older?.['arguments'] ?? delta?.[name] ?? '') as string
  },
})

const typed = (
  name: string,
  holds: Channel['holds'],
  wire: EventWire,
  around: (pieces: readonly string[]) => Json[],
  read: Channel['read'],
): Channel => ({ name, holds, guard: () => events(wire), write: around, read })

const response = (type: string, name: string, holds: Channel['holds']): Channel =>
  typed(
    `responses: ${name}`,
    holds,
    RESPONSES,
    pieces => [
      { type: 'response.created', response: { id: 'r', status: 'in_progress' } },
      ...pieces.map(delta => ({ type: `${type}.delta`, item_id: 'i', output_index: 0, content_index: 0, delta })),
      { type: `${type}.done`, item_id: 'i', output_index: 0, content_index: 0 },
      { type: 'response.completed', response: { id: 'r', status: 'completed', output: [] } },
    ],
    event => (event['type'] === `${type}.delta` ? (event['delta'] as string) : ''),
  )

const message = (type: string, field: string, holds: Channel['holds']): Channel =>
  typed(
    `messages: ${field}`,
    holds,
    MESSAGES,
    pieces => [
      { type: 'message_start', message: { id: 'a', role: 'assistant', content: [], usage: { input_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'x' } },
      ...pieces.map(piece => ({ type: 'content_block_delta', index: 0, delta: { type, [field]: piece } })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ],
    event => ((event['delta'] as Json | undefined)?.[field] ?? '') as string,
  )

const CHANNELS: readonly Channel[] = [
  ...['content', 'reasoning_content', 'reasoning', 'refusal', 'of_no_known_name'].map(name =>
    chat(name, 'text', piece => ({ [name]: piece })),
  ),
  chat('tool_calls', 'json', piece => ({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
  chat('function_call', 'json', piece => ({ function_call: { arguments: piece } })),
  {
    name: 'completions: text',
    holds: 'text',
    guard: () => choices(COMPLETIONS),
    write: pieces =>
      [...pieces, ''].map((text, at) => ({
        object: 'text_completion',
        choices: [{ text, index: 0, logprobs: null, finish_reason: at < pieces.length ? null : 'length' }],
      })),
    read: event => ((event['choices'] as Json[] | undefined)?.[0]?.['text'] ?? '') as string,
  },
  response('response.output_text', 'text', 'text'),
  response('response.reasoning_text', 'reasoning', 'text'),
  response('response.reasoning_summary_text', 'summary', 'text'),
  response('response.refusal', 'refusal', 'text'),
  response('response.function_call_arguments', 'arguments', 'json'),
  message('text_delta', 'text', 'text'),
  message('thinking_delta', 'thinking', 'text'),
  message('input_json_delta', 'partial_json', 'json'),
]

/** Texts that come near a match: examples of rules, whole, cut short, with a sign changed, and close to each other. */
const examples = BUILT_IN_RULES.flatMap(({ examples: of, counterExamples }) =>
  [...of.slice(0, 2), ...counterExamples.slice(0, 2)].map(one => one.replaceAll(/[«»]/g, '')),
).filter(one => one.length < 120)
const near = fc
  .tuple(fc.constantFrom(...examples), fc.nat(), fc.constantFrom('whole', 'short', 'changed', 'twice'))
  .map(([one, place, how]) => {
    const at = place % one.length
    if (how === 'short') return one.slice(0, at)
    if (how === 'changed') return `${one.slice(0, at)}7${one.slice(at + 1)}`
    return how === 'twice' ? one.slice(at) + one : one
  })
const text = fc
  .array(fc.tuple(near, fc.constantFrom('', ' ', '. ', '\n', '-', '@', 'é🙂')), { minLength: 1, maxLength: 4 })
  .map(parts => parts.flat().join(''))
/** What halves of pairs stand next to: matches, each other, and the backslash that escapes are made of. */
const halves = fc
  .array(
    fc.oneof(
      fc.constantFrom('\ud83d', '\ude00', '\ud83d\ude00', '\udbff', '\udc00', '\\', '\\ud83d', ' ', 'é'),
      fc.constantFrom('jane.doe@example.com', '4111 1111 1111 1111', '536-90-4399', 'AKIAIOSFODNN7EXAMPLE'),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map(parts => parts.join(''))
const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 24 })

function cut<T extends { readonly length: number }>(
  whole: T,
  at: readonly number[],
  slice: (from: number, to: number) => T,
): T[] {
  const places = [...new Set(at.map(part => Math.floor(part * whole.length)))].sort((one, other) => one - other)
  return [...places, whole.length].map((place, index) => slice(places[index - 1] ?? 0, place))
}

/** Between characters: pairs that are cut are in a test of their own. */
const pieces = (whole: string, at: readonly number[]) => {
  const characters = [...whole]
  return cut(characters, at, (from, to) => characters.slice(from, to)).map(part => part.join(''))
}

const frames = (all: readonly Json[], end = '\n') => all.map(one => `data: ${JSON.stringify(one)}${end}${end}`).join('')

function heard(out: Uint8Array): Json[] {
  return decoder
    .decode(out)
    .replaceAll(/\r\n?/g, '\n')
    .split(/\n\n+/)
    .flatMap(frame => {
      const data = /^data: ?(.*)$/m.exec(frame)?.[1]
      return data === undefined || data === '[DONE]' ? [] : [JSON.parse(data) as Json]
    })
}

const read = (channel: Channel, out: Uint8Array) =>
  heard(out)
    .map(one => channel.read(one))
    .join('')

/** All that goes out, chunk by chunk. */
function* released(guard: FramedAnswer, chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks) yield guard.push(chunk) ?? new Uint8Array(0)
  yield Buffer.concat([guard.complete() ?? new Uint8Array(0), guard.last()])
}

const run = (guard: FramedAnswer, chunks: readonly Uint8Array[]) => Buffer.concat([...released(guard, chunks)])

function inside(value: unknown): unknown {
  if (typeof value === 'string') return naiveRedact(value, BUILT_IN_RULES)
  if (Array.isArray(value)) return value.map(inside)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [naiveRedact(key, BUILT_IN_RULES), inside(inner)]),
  )
}

/** The text as the channel holds it, and what of it a caller must get. */
function sent(channel: Channel, whole: string): { text: string; check(got: string): void } {
  if (channel.holds === 'text') {
    return { text: whole, check: got => expect(got).toBe(naiveRedact(whole, BUILT_IN_RULES)) }
  }
  const value = { to: whole, list: [whole, 3, null] }
  return { text: JSON.stringify(value), check: got => expect(JSON.parse(got)).toEqual(inside(value)) }
}

/** The event without its text. */
function bare(channel: Channel, event: Json): string {
  const piece = channel.read(event)
  // An id, or a type, may read the same as the piece.
  return JSON.stringify(event, (key, value: unknown) => (value === piece && !/id|type|role/.test(key) ? '' : value))
}

describe.each(CHANNELS.map(channel => [channel.name, channel] as const))('%s', (_, channel) => {
  test('1, 2, 4: is the redaction of its text whatever the cuts, never runs ahead, and is not held for long', () => {
    fc.assert(
      fc.property(text, fractions, fractions, fc.constantFrom('\n', '\r\n', '\r'), (whole, at, byteCuts, end) => {
        const { text: of, check } = sent(channel, whole)
        const all = channel.write(pieces(of, at))
        const bytes = encoder.encode(frames(all, end))
        const final = read(channel, run(channel.guard(), [bytes]))
        check(final)
        let out = new Uint8Array(0)
        for (const more of released(
          channel.guard(),
          cut(bytes, byteCuts, (from, to) => bytes.slice(from, to)),
        )) {
          out = Buffer.concat([out, more])
          expect(final.startsWith(read(channel, out))).toBe(true)
        }
        expect(read(channel, out)).toBe(final)
        // What is held of a text that goes on is shorter than the longest match, invisible characters aside.
        const open = channel.guard()
        const before = encoder.encode(frames(all.slice(0, -3)))
        const shown = read(channel, open.push(before) ?? new Uint8Array(0)).length
        const pushed = heard(before)
          .map(one => channel.read(one))
          .join('').length
        expect(pushed - shown).toBeLessThanOrEqual(2 * LONGEST)
      }),
      { numRuns: 60 },
    )
  })

  test('1: is the same for a cut at every byte', () => {
    const { text: of } = sent(channel, 'SSN 123-45-6789, bob@exämple.com 🙂 4111 1111 1111 1111 sk-1')
    const bytes = encoder.encode(frames(channel.write(pieces(of, [0.1, 0.2, 0.25, 0.4, 0.5, 0.7, 0.9]))))
    const whole = run(channel.guard(), [bytes])
    for (let place = 1; place < bytes.length; place++) {
      const parts = run(channel.guard(), [bytes.subarray(0, place), bytes.subarray(place)])
      if (!parts.equals(whole)) expect(decoder.decode(parts)).toBe(decoder.decode(whole))
    }
  })

  test('6: the frames stay frames: in order, and the same but for the text', () => {
    fc.assert(
      fc.property(text, fractions, (whole, at) => {
        const all = channel.write(pieces(sent(channel, whole).text, at))
        const out = heard(run(channel.guard(), [encoder.encode(frames(all))])).map(one => {
          // Numbers that the gateway adds where there are none.
          const { sequence_number: _number, ...rest } = one
          return bare(channel, rest)
        })
        let place = 0
        for (const [index, event] of all.entries()) {
          const expected = bare(channel, event)
          // What was held comes with the end of a choice, or in an event in front of it.
          const isEnd = channel.name.startsWith('chat') && index === all.length - 1
          while (place < out.length && !(isEnd ? out[place]?.includes('"stop"') : out[place] === expected)) place++
          expect(place, expected).toBeLessThan(out.length)
          place++
        }
      }),
      { numRuns: 40 },
    )
  })

  test('7: a stream that breaks off has let out what is decided, and nothing raw', () => {
    fc.assert(
      fc.property(text, fractions, fc.nat(), (whole, at, place) => {
        const all = channel.write(pieces(sent(channel, whole).text, at))
        const begun = all.slice(0, place % all.length)
        const got = begun.map(one => channel.read(one)).join('')
        const guard = channel.guard()
        const first = guard.push(encoder.encode(frames(begun))) ?? new Uint8Array(0)
        guard.fail('upstream_failed', 'test')
        const out = Buffer.concat([first, guard.take() ?? new Uint8Array(0), guard.last()])
        // Behind the end of a text, all of it has gone out; in the middle, it ends where it breaks off.
        if (channel.holds === 'text') expect(read(channel, out)).toBe(naiveRedact(got, BUILT_IN_RULES))
        expect(JSON.stringify(heard(out).at(-1))).toContain('upstream_failed')
        expect(decoder.decode(out)).not.toContain('[DONE]')
      }),
      { numRuns: 40 },
    )
  })

  test('6: halves of surrogate pairs, alone and cut apart, stay what they are and hide nothing', () => {
    fc.assert(
      fc.property(halves, fractions, fractions, (whole, at, byteCuts) => {
        const { text: of, check } = sent(channel, whole)
        const bytes = encoder.encode(frames(channel.write(cut(of, at, (from, to) => of.slice(from, to)))))
        const out = run(
          channel.guard(),
          cut(bytes, byteCuts, (from, to) => bytes.slice(from, to)),
        )
        // Valid UTF-8, and no half became the mark for what is none.
        expect(strict.decode(out)).not.toContain('\ufffd')
        check(read(channel, out))
      }),
      { numRuns: 60 },
    )
  })

  test('6: halves of surrogate pairs pass to the byte where nothing is replaced', () => {
    const said = ['A \ud83d, ', '\ude00. ', 'x \udc00, ', '\ud83d\ude00. ', '\ud83d\ud83d, ']
    // JSON has them as escapes, written once more as the text of the event.
    const says = channel.holds === 'text' ? said : said.map(one => JSON.stringify(one).slice(1, -1))
    const all = channel.write(channel.holds === 'text' ? says : ['{"a": "', ...says, '"}'])
    const out = decoder.decode(run(channel.guard(), [encoder.encode(frames(all))]))
    for (const event of all.filter(one => says.includes(channel.read(one)))) {
      // Of Responses, an event is given a number in front.
      expect(out).toContain(`${JSON.stringify(event).slice(1)}\n`)
    }
  })

  test('8: an event that cannot be read for sure ends it, and does not pass', () => {
    const all = channel.write(['One. ', 'Two. '])
    const place = all.findLastIndex(one => channel.read(one) !== '')
    const good = JSON.stringify(all[place])
    for (const bad of [
      good.slice(0, -1),
      `${good}x`,
      good.replace('{', '{,'),
      good.replace(/"(\w+)"/, '"\\x"'),
      '[]',
    ]) {
      const guard = channel.guard()
      const out = run(guard, [
        encoder.encode(`${frames(all.slice(0, place))}data: ${bad}\n\n${frames(all.slice(place))}`),
      ])
      expect(guard.end).toMatchObject({ kind: 'failed', code: 'upstream_invalid' })
      expect(decoder.decode(out)).not.toContain('Two. ')
    }
  })
})

const CAPTURES: readonly (readonly [string, () => FramedAnswer])[] = [
  ['chat-stream-logprobs', () => choices(CHAT_COMPLETIONS)],
  ['chat-stream-n2', () => choices(CHAT_COMPLETIONS)],
  ['chat-stream-reasoning', () => choices(CHAT_COMPLETIONS)],
  ['chat-stream-tool-parallel', () => choices(CHAT_COMPLETIONS)],
  ['chat-stream-usage', () => choices(CHAT_COMPLETIONS)],
  ['chat-stream-utf8', () => choices(CHAT_COMPLETIONS)],
  ['transformers-chat-stream', () => choices(CHAT_COMPLETIONS)],
  ['midstream-error-chat', () => choices(CHAT_COMPLETIONS)],
  ['completions-stream-logprobs', () => choices(COMPLETIONS)],
  ['completions-stream-multi-prompt', () => choices(COMPLETIONS)],
  ['completions-stream-usage', () => choices(COMPLETIONS)],
  ['transformers-completions-stream', () => choices(COMPLETIONS)],
]

describe.each(CAPTURES)('what a real server sent: %s', (name, guard) => {
  const bytes = readFileSync(new URL(`../data/captures/${name}.sse`, import.meta.url))

  test('1, 2: is the same for a cut at every byte, and holds nothing that is redacted', () => {
    const whole = run(guard(), [bytes])
    expect(decoder.decode(whole)).not.toMatch(/123-45-6789|bob@example|4111 ?1111|555 010 9999|jürgen@/)
    for (let place = 1; place < bytes.length; place++) {
      const parts = run(guard(), [bytes.subarray(0, place), bytes.subarray(place)])
      if (!parts.equals(whole)) expect(decoder.decode(parts)).toBe(decoder.decode(whole))
    }
  })
})
