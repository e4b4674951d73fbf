import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anthropicError } from '../../src/errors/anthropic-error.ts'
import { openAiError } from '../../src/errors/refusal.ts'
import { EventGuard } from '../../src/guard/event-guard.ts'
import { byGroup, compileSide } from '../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../src/guard/text-guard.ts'
import { EventStreamGuard } from '../../src/pipeline/event-stream-guard.ts'
import type { EventWire } from '../../src/wires/event-wire.ts'
import { MESSAGES } from '../../src/wires/messages.ts'
import { RESPONSES } from '../../src/wires/responses.ts'
import { naiveRedact } from '../support/naive-redact.ts'

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
const { side } = compiled

const encoder = new TextEncoder()
const decoder = new TextDecoder()
type Json = Record<string, unknown>

function streamGuard(wire: EventWire, maxCharacters = Number.POSITIVE_INFINITY): EventStreamGuard {
  const texts = new TextGuard(side)
  let left = maxCharacters
  let full = false
  return new EventStreamGuard({
    wire,
    texts,
    events: new EventGuard(wire, texts, new TextGuard(side), {
      pass: text => {
        const passed = text.slice(0, left)
        left -= passed.length
        full ||= passed !== text
        return passed
      },
    }),
    maxFrameBytes: 1 << 20,
    cutFor: () => (full ? 'length' : null),
    onText: () => {},
    onUsage: () => {},
    usage: () => ({ inputTokens: 1, outputTokens: 2 }),
    errorBody: wire === MESSAGES ? anthropicError : openAiError,
  })
}

/** What a client puts together: growing texts by what they belong to, and every event in order. */
function read(bytes: Uint8Array): { texts: Map<string, string>; events: Json[] } {
  const events = decoder
    .decode(bytes)
    .replaceAll(/\r\n?/g, '\n')
    .split(/\n\n+/)
    .flatMap(frame => {
      const data = /^data: ?(.*)$/m.exec(frame)?.[1]
      if (data === undefined) return []
      const event = JSON.parse(data) as Json
      const name = /^event: ?(.*)$/m.exec(frame)?.[1]
      if (name !== undefined && name !== 'error') expect(name).toBe(event['type'])
      return [event]
    })
  const texts = new Map<string, string>()
  for (const event of events) {
    const { type, delta, item_id: item, output_index: output, content_index: content, index } = event
    const grow = (what: string, text: unknown) => {
      const key = JSON.stringify([what, item ?? output, content ?? 0, index])
      texts.set(key, (texts.get(key) ?? '') + String(text))
    }
    if (typeof delta === 'string') grow(String(type), delta)
    else
      for (const [field, text] of Object.entries((delta ?? {}) as Json)) {
        if (['text', 'thinking', 'partial_json'].includes(field)) grow(field, text)
      }
  }
  return { texts, events }
}

function run(guard: EventStreamGuard, chunks: readonly Uint8Array[]): Uint8Array {
  const out: Uint8Array[] = []
  for (const chunk of chunks) {
    const released = guard.push(chunk)
    if (released) out.push(released)
  }
  const rest = guard.complete()
  return Buffer.concat([...out, ...(rest ? [rest] : []), guard.last()])
}

const capture = (name: string) => readFileSync(new URL(`../data/captures/${name}.sse`, import.meta.url))

/** The oracle: arguments have every string and number in them redacted, texts are redacted as they are. */
function expected(what: string, text: string): unknown {
  if (!/arguments|partial_json/.test(what)) return naiveRedact(text, BUILT_IN_RULES)
  return inside(JSON.parse(text))
}

function inside(value: unknown): unknown {
  if (typeof value === 'string') return naiveRedact(value, BUILT_IN_RULES)
  if (Array.isArray(value)) return value.map(inside)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inside(inner)]))
}

const CAPTURES: readonly (readonly [string, EventWire])[] = [
  ['responses-stream', RESPONSES],
  ['responses-stream-length', RESPONSES],
  ['responses-stream-reasoning', RESPONSES],
  ['responses-stream-tool', RESPONSES],
  ['transformers-responses-stream', RESPONSES],
  ['messages-stream', MESSAGES],
  ['messages-stream-length', MESSAGES],
  ['messages-stream-stop', MESSAGES],
  ['messages-stream-tool', MESSAGES],
]

describe.each(CAPTURES)('what a real server sent: %s', (name, wire) => {
  const bytes = capture(name)

  test('is redacted in every growing text, whatever the cut of the bytes', () => {
    const before = read(bytes)
    const whole = run(streamGuard(wire), [bytes])
    const after = read(whole)
    expect([...after.texts.keys()].sort()).toEqual([...before.texts.keys()].sort())
    for (const [what, text] of before.texts) {
      const got = after.texts.get(what) ?? ''
      expect(/arguments|partial_json/.test(what) ? JSON.parse(got) : got).toEqual(expected(what, text))
    }
    expect(after.events.length).toBeGreaterThanOrEqual(before.events.length)
    for (let cut = 1; cut < bytes.length; cut++) {
      const parts = run(streamGuard(wire), [bytes.subarray(0, cut), bytes.subarray(cut)])
      if (!Buffer.from(parts).equals(whole)) expect(decoder.decode(parts)).toBe(decoder.decode(whole))
    }
  })

  test('holds nothing of what was redacted anywhere, copies and final objects included', () => {
    const out = decoder.decode(run(streamGuard(wire), [bytes]))
    for (const secret of ['123-45-6789', 'bob@example.com', '4111 1111 1111 1111', '4111111111111111']) {
      expect(out).not.toContain(secret)
    }
  })

  test('keeps numbers in order where events have them', () => {
    const numbers = read(run(streamGuard(wire), [bytes])).events.flatMap(({ sequence_number: number }) =>
      number === undefined ? [] : [number],
    )
    expect(numbers).toEqual(numbers.map((_, at) => Number(numbers[0]) + at))
  })

  test('that breaks off ends with an error, and what was held is let out redacted', () => {
    const cut = Math.floor(bytes.length / 2)
    const guard = streamGuard(wire)
    const out = guard.push(bytes.subarray(0, cut)) ?? new Uint8Array(0)
    guard.fail('upstream_failed', 'test')
    const { texts, events } = read(Buffer.concat([out, guard.take() ?? new Uint8Array(0), guard.last()]))
    expect(JSON.stringify(events.at(-1))).toContain('upstream_failed')
    for (const text of texts.values()) expect(text).not.toMatch(/123-45-6789|bob@example\.com/)
  })
})

describe.each([
  ['responses', RESPONSES],
  ['messages', MESSAGES],
])('an error of the model server in mid-stream on %s', (name, wire) => {
  test('ends the answer with ours', () => {
    const guard = streamGuard(wire)
    const { events } = read(run(guard, [capture(`midstream-error-${name}`)]))
    expect(guard.end).toMatchObject({ kind: 'failed', code: 'upstream_failed' })
    expect(JSON.stringify(events)).not.toContain('Context size')
  })
})

const samples = BUILT_IN_RULES.flatMap(({ examples }) => examples.slice(0, 1).map(text => text.replaceAll(/[«»]/g, '')))
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(...samples.filter(sample => sample.length < 200)),
      fc.constantFrom('It is', '🙂', 'é"\\', '\n'),
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map(parts => parts.join(' '))
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

function pieces(whole: string, at: readonly number[]): string[] {
  const places = [...new Set(at.map(part => Math.floor(part * whole.length)))].sort((one, other) => one - other)
  return [...places, whole.length].map((place, index) => whole.slice(places[index - 1] ?? 0, place))
}

const WRITERS: readonly (readonly [string, EventWire, (parts: readonly string[], whole: string) => unknown[]])[] = [
  [
    'responses',
    RESPONSES,
    (parts, whole) => [
      {
        type: 'response.created',
        sequence_number: 0,
        response: { id: 'r', object: 'response', status: 'in_progress' },
      },
      ...parts.map((delta, at) => ({
        type: 'response.output_text.delta',
        sequence_number: at + 1,
        item_id: 'm',
        output_index: 0,
        content_index: 0,
        delta,
        logprobs: [{ token: delta, bytes: [1] }],
      })),
      {
        sequence_number: parts.length + 1,
        item_id: 'm',
        output_index: 0,
        content_index: 0,
        text: whole,
        type: 'response.output_text.done',
      },
      {
        type: 'response.completed',
        sequence_number: parts.length + 2,
        response: { id: 'r', output: [{ type: 'message', content: [{ type: 'output_text', text: whole }] }] },
      },
    ],
  ],
  [
    'messages',
    MESSAGES,
    parts => [
      {
        type: 'message_start',
        message: { id: 'm', type: 'message', content: [], usage: { input_tokens: 3, output_tokens: 0 } },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: parts[0] } },
      ...parts
        .slice(1)
        .map(piece => ({ delta: { text: piece, type: 'text_delta' }, index: 0, type: 'content_block_delta' })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ],
  ],
]

describe.each(WRITERS)('any text on the %s wire', (name, wire, write) => {
  test('reaches the client as its redaction, in pieces and in copies', () => {
    fc.assert(
      fc.property(text, cuts, cuts, (whole, at, byteCuts) => {
        const body = write(pieces(whole, at), whole)
          .map(event => `event: ${(event as Json)['type'] as string}\ndata: ${JSON.stringify(event)}\n\n`)
          .join('')
        const bytes = encoder.encode(body)
        const places = [...new Set(byteCuts.map(part => Math.floor(part * bytes.length)))].sort(
          (one, other) => one - other,
        )
        const chunks = [...places, bytes.length].map((place, index) => bytes.slice(places[index - 1] ?? 0, place))
        const out = run(streamGuard(wire), chunks)
        const { texts, events } = read(out)
        const begun = events.flatMap(event => ((event['content_block'] as Json | undefined)?.['text'] as string) ?? [])
        const redacted = naiveRedact(whole, BUILT_IN_RULES)
        expect(begun.join('') + [...texts.values()].join('')).toBe(redacted)
        if (name === 'responses') {
          expect(events.at(-2)?.['text']).toBe(redacted)
          expect(JSON.stringify(events.at(-1))).toContain(JSON.stringify(redacted))
        }
      }),
      { numRuns: 200 },
    )
  })

  test('that is too long is cut, with the normal ending', () => {
    const events = write(['one ', 'two ', 'three '], 'one two three ')
    const body = events.map(event => `data: ${JSON.stringify(event)}\n\n`).join('')
    const guard = streamGuard(wire, 6)
    const seen = read(run(guard, [encoder.encode(body)]))
    expect(guard.end).toEqual({ kind: 'cut', finish: 'length' })
    expect(JSON.stringify(seen.events)).not.toContain('three')
    expect(seen.events.at(-1)?.['type']).toBe(name === 'responses' ? 'response.incomplete' : 'message_stop')
  })
})

test('a text is one, in whatever order its events give their keys', () => {
  const one = { type: 'response.output_text.delta', item_id: 'm', output_index: 0, delta: 'SSN 123-' }
  const other = { delta: '45-6789. ', output_index: 0, type: 'response.output_text.delta', item_id: 'm' }
  const guard = streamGuard(RESPONSES)
  const out = run(guard, [encoder.encode([one, other].map(event => `data: ${JSON.stringify(event)}\n\n`).join(''))])
  expect([...read(out).texts.values()]).toEqual(['SSN [US_SSN_REDACTED]. '])
})

describe('a text that grows behind its end', () => {
  test('is not let out', () => {
    const guard = streamGuard(RESPONSES)
    const delta = { type: 'response.output_text.delta', item_id: 'm', delta: 'a ' }
    const events = [delta, { type: 'response.output_text.done', item_id: 'm', text: 'a ' }, delta]
    run(guard, [encoder.encode(events.map(event => `data: ${JSON.stringify(event)}\n\n`).join(''))])
    expect(guard.end).toMatchObject({ kind: 'failed', code: 'upstream_invalid' })
  })
})
