import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { OnBlock } from '../../src/config/config.ts'
import { MAX_CHECKS_OPEN, WINDOW_WAIT_MS } from '../../src/config/limits.ts'
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
import { StreamValidation } from '../../src/pipeline/validate-stream.ts'
import type { Outcome } from '../../src/validators/validator.ts'
import type { ValidatorConfig } from '../../src/validators/validator-config.ts'
import { overlapOf } from '../../src/validators/windows.ts'
import { CHAT_COMPLETIONS } from '../../src/wires/chat-completions.ts'
import { COMPLETIONS } from '../../src/wires/completions.ts'
import type { EventWire } from '../../src/wires/event-wire.ts'
import { MESSAGES } from '../../src/wires/messages.ts'
import { RESPONSES } from '../../src/wires/responses.ts'
import { validatorConfig } from '../support/validators.ts'

type Json = Record<string, unknown>
type Wire = Shape | EventWire

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
const { side } = compiled
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const pass = (text: string) => text

function guardOf(wire: Wire, onBlock?: OnBlock): FramedAnswer {
  const texts = new TextGuard(side)
  const common = {
    texts,
    ...(onBlock === undefined ? {} : { onBlock }),
    maxFrameBytes: 1 << 20,
    cutFor: () => null,
    onText: () => {},
    onUsage: () => {},
    usage: () => ({ inputTokens: 1, outputTokens: 2 }),
  }
  if ('event' in wire) {
    const events = new EventGuard(wire, texts, new TextGuard(side), { pass })
    return new EventStreamGuard({
      ...common,
      wire,
      events,
      errorBody: wire === MESSAGES ? anthropicError : openAiError,
    })
  }
  return new StreamGuard({ ...common, answers: new AnswerGuard(wire, texts, { pass }), dropUsage: true })
}

/** A check that waits for its verdict. */
interface Asked {
  readonly windows: readonly string[]
  readonly validator: string
  answer(outcome: Outcome): void
}

/** A stream under validation, with validators that answer when and what the test tells them. */
class Rig {
  readonly asked: Asked[] = []
  readonly validation: StreamValidation
  readonly stream: FramedAnswer
  readonly out: Uint8Array[] = []
  drained = 0
  over = false

  constructor(wire: Wire, settings: readonly Partial<ValidatorConfig>[], onBlock?: OnBlock) {
    this.stream = guardOf(wire, onBlock)
    this.validation = new StreamValidation({
      validators: settings.map((some, index) => {
        const config = validatorConfig({ name: `v${index}`, ...some })
        return {
          config,
          check: windows =>
            new Promise<Outcome>(resolve => this.asked.push({ windows, validator: config.name, answer: resolve })),
        }
      }),
      subject: { stage: 'output', requestId: 'r', team: 't', app: 'a', env: 'e', model: 'm' },
      answer: wire,
      stream: this.stream,
      send: bytes => {
        expect(this.over).toBe(false)
        this.out.push(bytes)
      },
      drained: () => {
        this.drained++
      },
      stopped: () => this.finish(),
      fault: error => {
        throw error
      },
    })
  }

  push(chunk: Uint8Array): void {
    this.forward(this.stream.push(chunk))
  }

  complete(): void {
    this.forward(this.stream.complete())
  }

  /** Gives a check its verdict, and lets it take effect. */
  async answer(index: number, outcome: Outcome): Promise<void> {
    const [asked] = this.asked.splice(index, 1)
    asked?.answer(outcome)
    await Promise.resolve()
    await Promise.resolve()
  }

  async answerAll(verdict: (asked: Asked) => Outcome): Promise<void> {
    for (let asked = this.asked[0]; asked; asked = this.asked[0]) await this.answer(0, verdict(asked))
  }

  get bytes(): Buffer {
    return Buffer.concat(this.out)
  }

  get events(): Json[] {
    return eventsOf(this.bytes)
  }

  private forward(bytes: Uint8Array | null): void {
    if (bytes) this.validation.add(bytes)
    if (this.stream.end) this.validation.end(() => this.finish())
  }

  private finish(): void {
    expect(this.over).toBe(false)
    this.out.push(this.stream.last())
    this.over = true
  }
}

const PASS: Outcome = { kind: 'pass' }
const BAD: Outcome = { kind: 'bad' }
const FAILED: Outcome = { kind: 'failed', reason: 'test' }

function eventsOf(bytes: Uint8Array): Json[] {
  return decoder
    .decode(bytes)
    .split(/\n\n+/)
    .flatMap(frame => {
      const data = /^data: ?(.*)$/m.exec(frame)?.[1]
      return data === undefined ? [] : data === '[DONE]' ? [{ done: true }] : [JSON.parse(data) as Json]
    })
}

const BLOCK_TEXTS = ['text', 'thinking', 'partial_json']

/** Every growing text of what a client has got, put together. */
function textsOf(events: readonly Json[]): Map<string, string> {
  const texts = new Map<string, string>()
  const grow = (key: unknown[], text: unknown) => {
    if (typeof text !== 'string') return
    const name = JSON.stringify(key)
    texts.set(name, (texts.get(name) ?? '') + text)
  }
  for (const event of events) {
    const { type, delta, item_id: item, output_index: output, content_index: content, index } = event
    if (typeof delta === 'string') grow([type, item ?? output, content], delta)
    else
      for (const [field, text] of Object.entries((delta ?? {}) as Json))
        if (BLOCK_TEXTS.includes(field)) grow([field, index], text)
    for (const choice of (event['choices'] ?? []) as Json[]) {
      grow(['text', choice['index']], choice['text'])
      for (const [field, text] of Object.entries((choice['delta'] ?? {}) as Json)) {
        if (field !== 'role') grow([field, choice['index']], text)
        for (const call of Array.isArray(text) ? (text as Json[]) : []) {
          grow(['call', choice['index'], call['index']], (call['function'] as Json | undefined)?.['arguments'])
        }
      }
    }
  }
  return texts
}

const CAPTURES: readonly (readonly [string, Wire])[] = [
  ['chat-stream-usage', CHAT_COMPLETIONS],
  ['chat-stream-n2', CHAT_COMPLETIONS],
  ['chat-stream-tool-parallel', CHAT_COMPLETIONS],
  ['chat-stream-logprobs', CHAT_COMPLETIONS],
  ['chat-stream-reasoning', CHAT_COMPLETIONS],
  ['chat-stream-utf8', CHAT_COMPLETIONS],
  ['completions-stream-multi-prompt', COMPLETIONS],
  ['transformers-chat-stream', CHAT_COMPLETIONS],
  ['responses-stream', RESPONSES],
  ['responses-stream-reasoning', RESPONSES],
  ['responses-stream-tool', RESPONSES],
  ['transformers-responses-stream', RESPONSES],
  ['messages-stream', MESSAGES],
  ['messages-stream-length', MESSAGES],
  ['messages-stream-tool', MESSAGES],
]

const capture = (name: string) => readFileSync(new URL(`../data/captures/${name}.sse`, import.meta.url))

function guarded(wire: Wire, bytes: Uint8Array): Buffer {
  const guard = guardOf(wire)
  const parts = [guard.push(bytes), guard.complete(), guard.last()]
  return Buffer.concat(parts.map(part => part ?? new Uint8Array(0)))
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 20 })
const windowSize = fc.integer({ min: 8, max: 120 })
const mode = fc.constantFrom('hold' as const, 'alongside' as const)
/** In which order and how soon verdicts come: how many behind each chunk, and which. */
const schedule = fc.array(fc.tuple(fc.nat(3), fc.nat(100)), { minLength: 1, maxLength: 20 })

function chunksOf(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [...new Set(at.map(part => Math.floor(part * bytes.length)))].sort((one, other) => one - other)
  return [...places, bytes.length].map((place, index) => bytes.subarray(places[index - 1] ?? 0, place))
}

/** Plays a stream, verdicts coming in between as scheduled; `look` is called whenever something may have gone out. */
async function play(
  rig: Rig,
  chunks: readonly Uint8Array[],
  when: readonly (readonly [number, number])[],
  verdict: (asked: Asked) => Outcome,
  look: () => void = () => {},
): Promise<void> {
  for (const [index, chunk] of chunks.entries()) {
    if (rig.over) break
    rig.push(chunk)
    look()
    const [count = 0, which = 0] = when[index % when.length] ?? []
    for (let time = 0; time < count && rig.asked.length > 0; time++) {
      const at = which % rig.asked.length
      await rig.answer(at, verdict(rig.asked[at] as Asked))
      look()
    }
  }
  if (!rig.over) rig.complete()
  look()
  for (let round = 0; rig.asked.length > 0 && !rig.over; round++) {
    const at = (when[round % when.length]?.[1] ?? 0) % rig.asked.length
    await rig.answer(at, verdict(rig.asked[at] as Asked))
    look()
  }
  expect(rig.over).toBe(true)
}

describe.each(CAPTURES)('what a real server sent: %s', (name, wire) => {
  const bytes = capture(name)
  const whole = guarded(wire, bytes)

  test('goes out whole and unchanged where all passes, in order, and not ahead of the verdicts', async () => {
    await fc.assert(
      fc.asyncProperty(cuts, windowSize, mode, windowSize, schedule, async (at, size, other, otherSize, when) => {
        const rig = new Rig(wire, [
          { output: { mode: 'hold', window: size } },
          { output: { mode: other, window: otherSize } },
        ])
        const passed: string[] = []
        const verdict = ({ validator, windows }: Asked) => {
          if (validator === 'v0') passed.push(...windows)
          return PASS
        }
        await play(rig, chunksOf(bytes, at), when, verdict, () => {
          expect(whole.subarray(0, rig.bytes.length).equals(rig.bytes)).toBe(true)
          const seen = passed.join('\0')
          for (const text of textsOf(rig.events).values()) {
            for (let from = 0; from < text.length; from += overlapOf(size)) {
              const part = text.slice(from, from + overlapOf(size))
              if (part.isWellFormed()) expect(seen).toContain(part)
            }
          }
        })
        expect(decoder.decode(rig.bytes)).toBe(decoder.decode(whole))
      }),
      { numRuns: 15 },
    )
  })

  test('shows the validators every text that goes out, wherever it stands', async () => {
    const rig = new Rig(wire, [{ output: { mode: 'hold', window: 1000 } }])
    const seen: string[] = []
    await play(rig, [bytes], [[1, 0]], ({ windows }) => {
      seen.push(...windows)
      return PASS
    })
    for (const text of textsOf(rig.events).values())
      if (text !== '') expect(seen.join('')).toContain(text.slice(0, 100))
  })

  test('that is cut has an ending that is whole, wherever the cut is', async () => {
    for (let stop = 0; ; stop++) {
      const rig = new Rig(wire, [{ output: { mode: 'hold', window: 12 } }])
      let checks = 0
      await play(rig, chunksOf(bytes, [0.3, 0.6]), [[2, 0]], () => (checks++ === stop ? BAD : PASS))
      if (checks <= stop) {
        expect(stop).toBeGreaterThan(0)
        break
      }
      expect(rig.stream.end).toEqual({ kind: 'cut', finish: 'content_filter' })
      expectWholeEnding(wire, rig.events)
    }
  })

  test('that is bad ends with an error where policy wants no ending that looks whole', async () => {
    const rig = new Rig(wire, [{ output: { mode: 'hold', window: 12 } }], 'error')
    let checks = 0
    await play(rig, chunksOf(bytes, [0.3, 0.6]), [[2, 0]], () => (checks++ === 0 ? BAD : PASS))
    expect(rig.stream.end).toMatchObject({ kind: 'failed', code: 'guard_output_blocked' })
    expect(JSON.stringify(rig.events.at(-1))).toContain('guard_output_blocked')
    expect(rig.bytes.toString()).not.toMatch(/"content_filter"|"refusal",|\[DONE\]|response\.incomplete|message_stop/)
  })

  test('that could not be checked ends with an error', async () => {
    const rig = new Rig(wire, [{ output: { mode: 'hold', window: 12 } }])
    let checks = 0
    await play(rig, [bytes], [[2, 0]], () => (checks++ === 0 ? FAILED : PASS))
    expect(rig.stream.end).toMatchObject({ kind: 'failed', code: 'guard_unavailable', reason: 'v0: test' })
    expect(JSON.stringify(rig.events.at(-1))).toContain('guard_unavailable')
    expect(rig.bytes.includes('[DONE]')).toBe(false)
  })
})

/** Every choice, block and answer that a client has seen begin, ends; nothing comes behind the end. */
function expectWholeEnding(wire: Wire, events: readonly Json[]): void {
  if (!('event' in wire)) {
    const begun = new Set<unknown>()
    const ended = new Map<unknown, unknown>()
    for (const event of events) {
      for (const { index, finish_reason: finish } of (event['choices'] ?? []) as Json[]) {
        expect(ended.has(index)).toBe(false)
        begun.add(index)
        if (finish !== null && finish !== undefined) ended.set(index, finish)
      }
    }
    expect(new Set(ended.keys())).toEqual(begun)
    expect([...ended.values()]).toContain('content_filter')
    expect(events.at(-1)).toEqual({ done: true })
    expect(events.filter(({ done }) => done)).toHaveLength(1)
    return
  }
  const types = events.map(({ type }) => type)
  if (wire === MESSAGES) {
    expect(types[0]).toBe('message_start')
    expect(types.slice(-2)).toEqual(['message_delta', 'message_stop'])
    expect(events.at(-2)?.['delta']).toMatchObject({ stop_reason: 'refusal' })
    const blocks = (type: string) => new Set(events.filter(event => event['type'] === type).map(({ index }) => index))
    expect(blocks('content_block_stop')).toEqual(blocks('content_block_start'))
  } else {
    expect(types.at(-1)).toBe('response.incomplete')
    const numbers = events.flatMap(({ sequence_number: number }) => (number === undefined ? [] : [Number(number)]))
    expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at))
  }
}

describe('a chat of characters that occur once', () => {
  const FIRST = 0x4e00
  const fields = ['content', 'reasoning', 'call'] as const
  const piece = fc.record({
    choice: fc.nat(1),
    field: fc.constantFrom(...fields),
    length: fc.integer({ min: 1, max: 30 }),
  })

  /** The stream, and all its characters by text. */
  function streamOf(parts: readonly { choice: number; field: string; length: number }[]) {
    let next = FIRST
    const texts = new Map<string, string>()
    const events = parts.map(({ choice, field, length }) => {
      const text = String.fromCharCode(...Array.from({ length }, () => next++))
      texts.set(`${choice} ${field}`, (texts.get(`${choice} ${field}`) ?? '') + text)
      const delta = field === 'call' ? { tool_calls: [{ index: 0, function: { arguments: text } }] } : { [field]: text }
      return { id: 'x', choices: [{ index: choice, delta, finish_reason: null }] }
    })
    const ends = [0, 1].map(index => ({ id: 'x', choices: [{ index, delta: {}, finish_reason: 'stop' }] }))
    const frames = [...events, ...ends].map(event => `data: ${JSON.stringify(event)}\n\n`)
    return { bytes: encoder.encode(`${frames.join('')}data: [DONE]\n\n`), texts, length: next - FIRST }
  }

  const charactersOf = (bytes: Uint8Array) => new Set(decoder.decode(bytes).match(/[\u4e00-\u9fff]/g) ?? [])

  test('lets out no character that no validator has passed, and nothing from a bad one on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 30 }),
        cuts,
        windowSize,
        schedule,
        fc.option(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })),
        async (parts, at, size, when, where) => {
          const { bytes, texts, length } = streamOf(parts)
          const bad = where === null ? null : String.fromCharCode(FIRST + Math.floor(where * length))
          const rig = new Rig(CHAT_COMPLETIONS, [{ output: { mode: 'hold', window: size } }])
          const passed = new Set<string>()
          const verdict = ({ windows }: Asked) => {
            const text = windows.join('')
            for (const window of windows) expect(window.length).toBeLessThanOrEqual(size)
            if (bad !== null && text.includes(bad)) return BAD
            for (const character of text) passed.add(character)
            return PASS
          }
          await play(rig, chunksOf(bytes, at), when, verdict, () => {
            for (const character of charactersOf(rig.bytes)) expect(passed.has(character)).toBe(true)
          })
          if (bad === null) {
            expect(charactersOf(rig.bytes).size).toBe(length)
            expect(rig.stream.end).toEqual({ kind: 'complete' })
          } else {
            for (const [name, text] of textsOf(rig.events)) {
              const [field, choice] = JSON.parse(name) as [string, number]
              expect(texts.get(`${choice} ${field}`)?.split(bad)[0]).toMatch(new RegExp(`^${text}`))
            }
            expectWholeEnding(CHAT_COMPLETIONS, rig.events)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('beside validators that let text go first, is cut as soon as one is bad, and never ends before their verdicts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 30 }),
        cuts,
        windowSize,
        schedule,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        async (parts, at, size, when, where) => {
          const { bytes, length } = streamOf(parts)
          const bad = String.fromCharCode(FIRST + Math.floor(where * length))
          const rig = new Rig(CHAT_COMPLETIONS, [{ output: { mode: 'alongside', window: size } }])
          await play(rig, chunksOf(bytes, at), when, ({ windows }) => (windows.join('').includes(bad) ? BAD : PASS))
          expect(rig.stream.end).toEqual({ kind: 'cut', finish: 'content_filter' })
          expectWholeEnding(CHAT_COMPLETIONS, rig.events)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('holds back no more than a window of what the guard lets out, as long as verdicts keep up', async () => {
    const { bytes } = streamOf(
      Array.from({ length: 200 }, (_, at) => ({ choice: at % 2, field: fields[at % 3] ?? '', length: 3 })),
    )
    const rig = new Rig(CHAT_COMPLETIONS, [{ output: { mode: 'hold', window: 40 } }])
    const alone = guardOf(CHAT_COMPLETIONS)
    let sent = 0
    for (const frame of decoder.decode(bytes).split(/(?<=\n\n)/)) {
      rig.push(encoder.encode(frame))
      sent += charactersOf(alone.push(encoder.encode(frame)) ?? new Uint8Array(0)).size
      await rig.answerAll(() => PASS)
      expect(sent - charactersOf(rig.bytes).size).toBeLessThan(40)
    }
  })
})

describe('a policy', () => {
  const [name, wire] = ['chat-stream-usage', CHAT_COMPLETIONS] as const
  const bytes = capture(name)
  const whole = guarded(wire, bytes)

  test.each<[string, Partial<ValidatorConfig>, Outcome, unknown]>([
    ['that only flags', { action: 'flag' }, BAD, { rule: 'v0', action: 'flag' }],
    ['that lets failures through', { onFailure: 'allow' }, FAILED, { rule: 'v0', action: 'failed' }],
    ['that only flags, with a validator in trouble', { action: 'flag' }, FAILED, { rule: 'v0', action: 'failed' }],
  ])('%s changes nothing and keeps count', async (_, settings, outcome, finding) => {
    const rig = new Rig(wire, [{ ...settings, output: { mode: 'hold', window: 12 } }])
    let checks = 0
    await play(rig, [bytes], [[1, 0]], () => {
      checks++
      return outcome
    })
    expect(rig.bytes.equals(whole)).toBe(true)
    expect(rig.validation.findings).toEqual([{ stage: 'output', count: checks, ...(finding as object) }])
  })

  test('without holding lets text go at once, but for the end', () => {
    const rig = new Rig(wire, [{ output: { mode: 'alongside', window: 12 } }])
    rig.push(bytes)
    // What the guard holds itself comes with the last event.
    expect([...textsOf(rig.events).values()]).toEqual(['My SSN is [US_SSN_REDACTED] and mail '])
    expect(rig.events.some(event => JSON.stringify(event).includes('"finish_reason":"'))).toBe(false)
    expect(rig.over).toBe(false)
  })
})

describe('a stream', () => {
  afterEach(() => void vi.useRealTimers())
  const event = (content: string) =>
    encoder.encode(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`)

  test('that pauses is checked as far as it has come', async () => {
    vi.useFakeTimers()
    const rig = new Rig(CHAT_COMPLETIONS, [{}])
    rig.push(event('A few words. '))
    vi.advanceTimersByTime(WINDOW_WAIT_MS - 1)
    expect(rig.asked).toEqual([])
    vi.advanceTimersByTime(1)
    expect(rig.asked.map(({ windows }) => windows)).toEqual([['A few words. ']])
    await rig.answer(0, PASS)
    expect(textsOf(rig.events).get('["content",0]')).toBe('A few words. ')
  })

  test('whose verdicts are behind asks for a pause, and goes on when they come', async () => {
    const rig = new Rig(CHAT_COMPLETIONS, [{ output: { mode: 'hold', window: 12 } }])
    for (let sent = 0; sent <= MAX_CHECKS_OPEN; sent++) rig.push(event('Twelve chars. '))
    expect(rig.validation.full).toBe(true)
    await rig.answer(0, PASS)
    expect(rig.drained).toBe(0)
    await rig.answer(0, PASS)
    expect([rig.validation.full, rig.drained]).toEqual([false, 1])
  })

  test('with an event that waits for the next one is cut behind what has passed, and in order', async () => {
    const rig = new Rig(CHAT_COMPLETIONS, [{ output: { mode: 'hold', window: 12 } }])
    const odd = {
      choices: [{ index: 0, delta: { content: 'First words. ' }, finish_reason: null }],
      vendor: 'jane.doe@',
    }
    rig.push(encoder.encode(`data: ${JSON.stringify(odd)}\n\n`))
    // It may be the beginning of an address: the event waits, and nobody is asked about what does not go out.
    expect(rig.asked).toEqual([])
    rig.push(event('Second words. '))
    expect(rig.asked[0]?.windows).toContain('jane.doe@\n')
    await rig.answerAll(() => PASS)
    const passed = [...rig.events]
    expect(passed[0]).toEqual(odd)
    rig.push(Buffer.concat([event('Third words. '), encoder.encode(`data: ${JSON.stringify(odd)}\n\n`)]))
    expect(rig.asked.length).toBeGreaterThan(0)
    await rig.answerAll(() => BAD)
    expect(rig.events.slice(0, passed.length)).toEqual(passed)
    expect(textsOf(rig.events)).toEqual(textsOf(passed))
    expectWholeEnding(CHAT_COMPLETIONS, rig.events)
  })

  test('that comes faster than its verdicts is checked by a few checks at a time, and arrives whole', async () => {
    const rig = new Rig(CHAT_COMPLETIONS, [{ output: { mode: 'hold', window: 12 } }])
    const events = Array.from({ length: 100 }, (_, at) => event(`Event number ${at}. `))
    rig.push(Buffer.concat(events))
    expect(rig.asked).toHaveLength(MAX_CHECKS_OPEN)
    await rig.answerAll(() => {
      expect(rig.asked.length).toBeLessThanOrEqual(MAX_CHECKS_OPEN)
      return PASS
    })
    expect(decoder.decode(rig.bytes)).toBe(
      decoder.decode(guardOf(CHAT_COMPLETIONS).push(Buffer.concat(events)) ?? undefined),
    )
  })

  test('of large events that say nothing does not pile up unseen', () => {
    const rig = new Rig(CHAT_COMPLETIONS, [{}])
    rig.push(event('x. '))
    for (let sent = 0; sent < 300; sent++) rig.push(encoder.encode(`data: {"choices":[]${' '.repeat(1000)}}\n\n`))
    expect(rig.validation.full).toBe(true)
    rig.validation.cancel()
  })

  test('that its caller has left asks nothing more and sends nothing more', async () => {
    const rig = new Rig(CHAT_COMPLETIONS, [{ output: { mode: 'hold', window: 12 } }])
    rig.push(event('Twelve chars. '))
    rig.validation.cancel()
    await rig.answer(0, PASS)
    rig.push(event('Twelve chars. '))
    expect([rig.asked.length, rig.out.length]).toEqual([0, 0])
  })
})

describe('a text that comes only as a whole', () => {
  test.each<[string, Wire, Json]>([
    [
      'the name of a tool',
      CHAT_COMPLETIONS,
      { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: 'unheard' } }] } }] },
    ],
    ['a field of the server’s own', CHAT_COMPLETIONS, { choices: [{ index: 0, delta: {}, note: 'unheard' }] }],
    [
      'a copy without pieces',
      RESPONSES,
      { type: 'response.output_text.done', item_id: 'i', output_index: 0, content_index: 0, text: 'unheard' },
    ],
    [
      'the arguments of a call, as an object',
      MESSAGES,
      { type: 'message_start', message: { id: 'm', content: [{ type: 'tool_use', input: { x: 'unheard' } }] } },
    ],
  ])('%s waits for its verdict', async (_, wire, event) => {
    const rig = new Rig(wire, [{}])
    rig.push(encoder.encode(`data: ${JSON.stringify(event)}\n\n`))
    expect(rig.out).toEqual([])
    rig.stream.fail('upstream_failed', 'test')
    rig.complete()
    expect(rig.asked.flatMap(({ windows }) => windows).join('')).toContain('unheard')
    await rig.answerAll(() => PASS)
    expect(decoder.decode(rig.bytes)).toContain('unheard')
  })

  test.each<['hold' | 'alongside', Outcome, boolean]>([
    ['hold', PASS, true],
    ['hold', BAD, false],
    ['alongside', BAD, false],
  ])('in the event that ends the answer is waited for: %s, %o', async (mode, outcome, arrives) => {
    const rig = new Rig(RESPONSES, [{ output: { mode, window: 100 } }])
    const response = { id: 'r', object: 'response', output: [] as Json[] }
    const output = [{ id: 'i', type: 'message', content: [{ type: 'output_text', text: 'unheard' }] }]
    for (const event of [
      { type: 'response.created', response },
      { type: 'response.completed', response: { ...response, status: 'completed', output } },
    ]) {
      rig.push(encoder.encode(`data: ${JSON.stringify(event)}\n\n`))
    }
    expect(rig.over).toBe(false)
    await rig.answerAll(({ windows }) => (windows.join('').includes('unheard') ? outcome : PASS))
    expect(rig.over).toBe(true)
    expect(decoder.decode(rig.bytes).includes('unheard')).toBe(arrives)
    if (!arrives) expectWholeEnding(RESPONSES, rig.events)
  })

  test('is not asked about again where it is repeated', async () => {
    const rig = new Rig(RESPONSES, [{}])
    const done = { type: 'response.output_text.done', item_id: 'i', output_index: 0, content_index: 0, text: 'again' }
    const part = { type: 'response.content_part.done', item_id: 'i', part: { type: 'output_text', text: 'again' } }
    for (const event of [done, part, done]) rig.push(encoder.encode(`data: ${JSON.stringify(event)}\n\n`))
    expect(rig.asked).toHaveLength(1)
    rig.validation.cancel()
  })
})
