import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnswerGuard } from '../../src/guard/answer-guard.ts'
import { byGroup, compileSide } from '../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../src/guard/text-guard.ts'
import type { Shape } from '../../src/json/shape.ts'
import { StreamGuard } from '../../src/pipeline/stream-guard.ts'
import { CHAT_COMPLETIONS } from '../../src/wires/chat-completions.ts'
import { COMPLETIONS } from '../../src/wires/completions.ts'
import { naiveRedact } from '../support/naive-redact.ts'

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
const { side } = compiled

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function streamGuard(shape: Shape): StreamGuard {
  const texts = new TextGuard(side)
  return new StreamGuard({
    answers: new AnswerGuard(shape, texts, { pass: text => text }),
    texts,
    maxFrameBytes: 1 << 20,
    cutFor: () => null,
    dropUsage: true,
    onText: () => {},
    onUsage: () => {},
    usage: () => ({ inputTokens: 0, outputTokens: 0 }),
  })
}

type Wire = {
  readonly shape: Shape
  readonly channels: readonly string[]
  event(channel: string, choice: number, text: string, finish: string | null): unknown
  read(event: Record<string, unknown>): { channel: string; choice: number; text: string }[]
}

type Choice = { index: number; delta?: Record<string, unknown>; text?: string }

const CHAT: Wire = {
  shape: CHAT_COMPLETIONS,
  channels: ['content', 'reasoning_content', 'reasoning', 'refusal'],
  event: (channel, index, text, finish) => ({
    choices: [{ finish_reason: finish, index, delta: finish === null ? { [channel]: text } : {} }],
    created: 1,
    id: 'chatcmpl-x',
    model: 'tiny',
    object: 'chat.completion.chunk',
  }),
  read: event =>
    ((event['choices'] as Choice[] | undefined) ?? []).flatMap(({ index, delta }) =>
      Object.entries(delta ?? {}).flatMap(([channel, text]) =>
        typeof text === 'string' && channel !== 'role' ? [{ channel, choice: index, text }] : [],
      ),
    ),
}

const TEXT: Wire = {
  shape: COMPLETIONS,
  channels: ['text'],
  event: (_, index, text, finish) => ({
    choices: [{ text: finish === null ? text : '', index, logprobs: null, finish_reason: finish }],
    created: 1,
    model: 'tiny',
    object: 'text_completion',
    id: 'chatcmpl-x',
  }),
  read: event =>
    ((event['choices'] as Choice[] | undefined) ?? []).flatMap(({ index, text }) =>
      text === undefined ? [] : [{ channel: 'text', choice: index, text }],
    ),
}

/** Puts together what a client would: text by choice and channel. Lines end with LF, CR or CRLF, as the standard says. */
class Client {
  texts = new Map<string, string>()
  done = false
  error = false
  private readonly wire: Wire
  private bytes = new Uint8Array(0)

  constructor(wire: Wire) {
    this.wire = wire
  }

  read(more: Uint8Array | null): void {
    if (!more) return
    this.bytes = new Uint8Array([...this.bytes, ...more])
    this.texts = new Map()
    const frames = decoder.decode(this.bytes).replaceAll(/\r\n?/g, '\n').split(/\n\n+/)
    for (const frame of frames.slice(0, -1)) {
      const data = /^data: ?(.*)$/m.exec(frame)?.[1]
      if (data === '[DONE]') this.done = true
      else if (data !== undefined) this.take(JSON.parse(data) as Record<string, unknown> | null)
    }
  }

  private take(event: Record<string, unknown> | null): void {
    if (event?.['error']) this.error = true
    for (const { channel, choice, text } of event ? this.wire.read(event) : []) {
      const key = `${choice} ${channel}`
      this.texts.set(key, (this.texts.get(key) ?? '') + text)
    }
  }
}

const samples = BUILT_IN_RULES.flatMap(({ examples, counterExamples }) =>
  [...examples.slice(0, 2), ...counterExamples.slice(0, 1)].map(text => text.replaceAll(/[«»]/g, '')),
).filter(text => text.length < 200)
const prose = fc.constantFrom(
  'The answer is',
  ' and 12',
  ' mail ',
  '🙂',
  '\ud83d',
  'é"\\',
  '\n\n',
  ' ssn ',
  '\u200b',
  '１２３',
)
const text = fc
  .array(fc.oneof(fc.constantFrom(...samples), prose), { minLength: 1, maxLength: 5 })
  .map(parts => parts.join(' '))

/** Cuts at fractions of the length. */
function pieces<T extends { readonly length: number }>(
  whole: T,
  at: readonly number[],
  slice: (from: number, to: number) => T,
): T[] {
  const places = [...new Set(at.map(part => Math.floor(part * whole.length)))].sort((one, other) => one - other)
  return [...places, whole.length].map((place, index) => slice(places[index - 1] ?? 0, place))
}

const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 })
/** How JSON is written: as it is, or with every character escaped, as some servers do. */
const escaping = fc.constantFrom('plain', 'escaped')

function frames(wire: Wire, channel: string, parts: readonly string[], how: string, lineEnd: string): string {
  const escape = (part: string) =>
    Array.from({ length: part.length }, (_, at) => `\\u${part.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
  const write = (part: string) => {
    const event = JSON.stringify(wire.event(channel, 0, how === 'plain' ? part : 'PLACE', null))
    return `data: ${how === 'plain' ? event : event.replace('PLACE', escape(part))}${lineEnd}${lineEnd}`
  }
  return parts.map(write).join('')
}

describe.each([
  ['chat', CHAT],
  ['completions', TEXT],
])('what a client puts together on the %s wire', (_, wire) => {
  test.each(wire.channels)('is the redaction of the whole text of %s, and never runs ahead of it', channel => {
    fc.assert(
      fc.property(
        text,
        fractions,
        fractions,
        escaping,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.constantFrom('finish', 'done', 'death'),
        (whole, cuts, byteCuts, how, lineEnd, ending) => {
          const expected = naiveRedact(whole, BUILT_IN_RULES)
          const parts = pieces(whole, cuts, (from, to) => whole.slice(from, to))
          let body = frames(wire, channel, parts, how, lineEnd)
          if (ending === 'finish')
            body += `data: ${JSON.stringify(wire.event(channel, 0, '', 'stop'))}${lineEnd}${lineEnd}`
          if (ending !== 'death') body += `data: [DONE]${lineEnd}${lineEnd}`
          const bytes = encoder.encode(body)
          const guard = streamGuard(wire.shape)
          const client = new Client(wire)
          for (const chunk of pieces(bytes, byteCuts, (from, to) => bytes.slice(from, to))) {
            client.read(guard.push(chunk))
            const seen = client.texts.get(`0 ${channel}`) ?? ''
            expect(expected.startsWith(seen.replace(/[\ud800-\udbff]$/, ''))).toBe(true)
          }
          if (ending === 'death') guard.fail('upstream_failed', 'test')
          client.read(guard.complete())
          client.read(guard.last())
          expect(client.texts.get(`0 ${channel}`) ?? '').toBe(expected)
          expect(client.done).toBe(ending !== 'death')
          expect(client.error).toBe(ending === 'death')
        },
      ),
      { numRuns: 150 },
    )
  })

  test('is right for choices that come interleaved', () => {
    fc.assert(
      fc.property(text, text, fractions, (one, other, cuts) => {
        const channel = wire.channels[0] ?? ''
        const guard = streamGuard(wire.shape)
        const client = new Client(wire)
        const send = (choice: number, part: string, finish: string | null) =>
          client.read(
            guard.push(encoder.encode(`data: ${JSON.stringify(wire.event(channel, choice, part, finish))}\n\n`)),
          )
        const [first, second] = [one, other].map(whole => pieces(whole, cuts, (from, to) => whole.slice(from, to)))
        for (let at = 0; at < Math.max(first?.length ?? 0, second?.length ?? 0); at++) {
          send(0, first?.[at] ?? '', null)
          send(1, second?.[at] ?? '', null)
        }
        send(1, '', 'stop')
        send(0, '', 'length')
        expect(client.texts.get(`0 ${channel}`)).toBe(naiveRedact(one, BUILT_IN_RULES))
        expect(client.texts.get(`1 ${channel}`)).toBe(naiveRedact(other, BUILT_IN_RULES))
      }),
      { numRuns: 100 },
    )
  })

  test('is the very bytes that came, and at once, where no candidate is open', () => {
    // Behind a full stop and a space nothing is undecided, so every event must pass through untouched.
    const events = ['The end. ', 'It is so. ', '- “Yes!” ', '\n\n', '(see above) '].map(part =>
      encoder.encode(`data: ${JSON.stringify(wire.event(wire.channels[0] ?? '', 0, part, null))}\n\n`),
    )
    const guard = streamGuard(wire.shape)
    for (const event of events) expect(guard.push(event)).toEqual(event)
  })
})
