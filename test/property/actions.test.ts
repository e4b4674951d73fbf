import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anthropicError } from '../../src/errors/anthropic-error.ts'
import { openAiError } from '../../src/errors/refusal.ts'
import { AnswerGuard, type Gate } from '../../src/guard/answer-guard.ts'
import { EventGuard } from '../../src/guard/event-guard.ts'
import { byGroup, compileSide, type GuardAction, type GuardSide } from '../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../src/guard/text-guard.ts'
import { atOnce } from '../../src/guard/turns.ts'
import { EventStreamGuard } from '../../src/pipeline/event-stream-guard.ts'
import type { FramedAnswer } from '../../src/pipeline/framed-answer.ts'
import { OutputRestorer } from '../../src/pipeline/restore-output.ts'
import { StreamGuard } from '../../src/pipeline/stream-guard.ts'
import { MESSAGES } from '../../src/wires/messages.ts'
import { naiveFindings, naiveReplace } from '../support/naive-redact.ts'
import { WIRES, type Wire } from '../support/wire-events.ts'

type Json = Record<string, unknown>
type OutputAction = Exclude<GuardAction, 'pseudonymise'>

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const digest = (text: string) => createHmac('sha256', 'test').update(text).digest('hex')

/** Those that a text of the model often has, a form without an end, and a rule whose values have any sign in them. */
const NAMES = ['EMAIL', 'CREDIT_CARD', 'US_SSN', 'IBAN', 'PHONE', 'JWT', 'GITHUB_TOKEN', 'SECRET', 'CONNECTION_STRING']
const RULES = BUILT_IN_RULES.filter(({ name }) => NAMES.includes(name))
const OPEN_ENDED = new Set(RULES.filter(({ tail }) => tail).map(({ name }) => name))
const SECRETS = new Set(RULES.filter(({ group }) => group === 'secrets').map(({ name }) => name))

/** What a request sent and how the model was told of it. The values are what output rules would act on. */
const VALUES = new Map([
  ['[EMAIL_1]', 'jane@corp.example'],
  ['[EMAIL_2]', '“quoted”\\"back\\\\slash"\n🙂@corp.example'],
  ['[EMAIL_12]', 'bob@corp.example'],
  ['[CREDIT_CARD_1]', '4111 1111 1111 1111'],
  // A value that has the form of a stand-in: what is put back is not looked at again.
  ['[OWN_1]', '[EMAIL_1]'],
])

function naiveMask(rule: string, value: string): string {
  const visible = value.replaceAll(/[\u00ad\u200b-\u200f\u2060]/gu, '')
  const words = [...visible].filter(sign => /[\p{L}\p{N}]/u.test(sign)).length
  let hidden = words - Math.min(4, Math.floor(words / 3))
  return [...visible]
    .map(sign => {
      if (/[\p{L}\p{N}]/u.test(sign)) return hidden-- > 0 ? '*' : sign
      return !SECRETS.has(rule) && ' -./@'.includes(sign) ? sign : '*'
    })
    .join('')
}

function naiveHash(rule: string, value: string): string {
  const visible = value.normalize('NFKC').replaceAll(/[\u00ad\u200b-\u200f\u2060]/gu, '')
  const same = SECRETS.has(rule)
    ? visible
    : visible
        .replaceAll(/\s/g, '')
        .replaceAll(/(\d)-(?=\d)/g, '$1')
        .toLowerCase()
  return `[${rule}_${createHmac('sha256', 'test').update(`${rule}\n${same}`).digest('hex').slice(0, 12)}]`
}

/** The reference: what of a whole text is let out, before values are put back. */
function guardedText(text: string, action: OutputAction): string {
  if (action === 'off' || action === 'flag') return text
  if (action === 'block') return text.slice(0, naiveFindings(text, RULES)[0]?.start ?? text.length)
  return naiveReplace(text, RULES, (rule, value) => {
    if (action === 'redact' || OPEN_ENDED.has(rule)) return `[${rule}_REDACTED]`
    return action === 'mask' ? naiveMask(rule, value) : naiveHash(rule, value)
  })
}

function restored(text: string): string {
  return text.replaceAll(/\[[A-Z0-9_]+\]/g, bracketed => VALUES.get(bracketed) ?? bracketed)
}

const expected = (text: string, action: OutputAction) => restored(guardedText(text, action))

function inside(value: unknown, action: OutputAction): unknown {
  if (typeof value === 'string') return expected(value, action)
  if (Array.isArray(value)) return value.map(item => inside(item, action))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [expected(key, action), inside(inner, action)]))
}

const sides = new Map<OutputAction, GuardSide>()
function sideOf(action: OutputAction): GuardSide {
  const known = sides.get(action)
  if (known) return known
  const compiled = compileSide(byGroup(RULES, { pii: action, secrets: action }), digest)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  sides.set(action, compiled.side)
  return compiled.side
}

/** The guard of an answer and the stage behind it, put together as the gateway does. */
class Answer {
  readonly stream: FramedAnswer
  private readonly bodies: Pick<AnswerGuard, 'body'> | EventGuard
  private readonly restorer: OutputRestorer

  constructor({ form }: Wire, action: OutputAction, maxCharacters = Number.POSITIVE_INFINITY) {
    const texts = new TextGuard(sideOf(action))
    const errorBody = form === MESSAGES ? anthropicError : openAiError
    let left = maxCharacters
    let full = false
    const gate: Gate = {
      pass: text => {
        const passed = text.slice(0, left)
        left -= passed.length
        full ||= passed !== text
        return passed
      },
    }
    const common = {
      texts,
      maxFrameBytes: 1 << 20,
      cutFor: () => (full ? ('length' as const) : null),
      onText: () => {},
      onUsage: () => {},
      usage: () => ({ inputTokens: 0, outputTokens: 0 }),
    }
    this.restorer = new OutputRestorer({ answer: form, errorBody }, VALUES)
    if ('event' in form) {
      const events = new EventGuard(form, texts, new TextGuard(sideOf(action)), gate)
      this.bodies = events
      this.stream = new EventStreamGuard({ ...common, wire: form, events, errorBody })
    } else {
      const answers = new AnswerGuard(form, texts, gate)
      this.bodies = answers
      this.stream = new StreamGuard({ ...common, answers, dropUsage: true })
    }
  }

  body(bytes: Uint8Array): Uint8Array | null {
    const guarded = atOnce(this.bodies.body(bytes))
    return guarded && this.restorer.body(guarded.bytes)
  }

  push(chunk: Uint8Array): Uint8Array {
    return this.restore(this.stream.push(chunk))
  }

  complete(): Uint8Array {
    return Buffer.concat([this.restore(this.stream.complete()), this.last()])
  }

  fail(): Uint8Array {
    this.stream.fail('upstream_failed', 'test')
    return Buffer.concat([this.restore(this.stream.take()), this.last()])
  }

  /** The record of an answer that is over is lost. */
  lose(): Uint8Array {
    const code = 'audit_unavailable'
    const complete = this.restore(this.stream.complete())
    return Buffer.concat([complete, this.restorer.last({ kind: 'failed', code, reason: code }, new Uint8Array(0))])
  }

  private restore(bytes: Uint8Array | null): Uint8Array {
    return (bytes && this.restorer.push(bytes)) ?? new Uint8Array(0)
  }

  private last(): Uint8Array {
    if (!this.stream.end) throw new Error('the answer has not ended')
    return this.restorer.last(this.stream.end, this.stream.last())
  }
}

function eventsOf(bytes: Uint8Array): Json[] {
  return decoder
    .decode(bytes)
    .split('\n\n')
    .flatMap(frame => {
      const data = /^data: (.*)$/m.exec(frame)?.[1]
      return data === undefined || data === '[DONE]' ? [] : [JSON.parse(data) as Json]
    })
}

/** What is not ASCII as escapes, as some servers write. */
const escaped = (json: string) =>
  json.replaceAll(/[^\x20-\x7e]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

const frame = (event: unknown) => `data: ${JSON.stringify(event)}\n\n`
const escapedFrame = (event: unknown) => `data: ${escaped(JSON.stringify(event))}\n\n`

const samples = RULES.flatMap(({ examples }) => examples.slice(0, 2).map(text => text.replaceAll(/[«»]/g, '')))
const said = fc.constantFrom(
  ...VALUES.keys(),
  '[EMAIL_9]',
  '[EMAIL_',
  '[',
  '1]',
  '[CREDIT',
  '_1]',
  '[[EMAIL_1]]',
  '[EMAIL_1',
)
const prose = fc.constantFrom('The answer is', ' and 12', ' mail ', '🙂', 'é"\\', '\n\n', '\u200b', '１２３')
const text = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...samples) }, { weight: 3, arbitrary: said }, prose), {
    minLength: 1,
    maxLength: 6,
  })
  .chain(parts => fc.constantFrom('', ' ').map(between => parts.join(between)))
const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 24 })

function pieces<T extends { readonly length: number }>(
  whole: T,
  at: readonly number[],
  slice: (from: number, to: number) => T,
): T[] {
  const places = [...new Set(at.map(part => Math.floor(part * whole.length)))].sort((one, other) => one - other)
  return [...places, whole.length].map((place, index) => slice(places[index - 1] ?? 0, place))
}
const cut = (whole: string, at: readonly number[]) => pieces(whole, at, (from, to) => whole.slice(from, to))
const bytesCut = (whole: Uint8Array, at: readonly number[]) => pieces(whole, at, (from, to) => whole.slice(from, to))

/** Runs a stream; after each chunk, and at the end, `check` sees the events so far. */
function run(answer: Answer, chunks: readonly Uint8Array[], check: (events: Json[], over: boolean) => void): void {
  const out: Uint8Array[] = []
  for (const chunk of chunks) {
    out.push(answer.push(chunk))
    check(eventsOf(Buffer.concat(out)), false)
  }
  check(eventsOf(Buffer.concat([...out, answer.complete()])), true)
}

/** Half of a pair may be on its way. */
const settled = (seen: string) => seen.replace(/[\ud800-\udbff]$/, '')
const ACTIONS = ['off', 'flag', 'redact', 'mask', 'hash', 'block'] as const
const cases = Object.entries(WIRES).flatMap(([name, wire]) => ACTIONS.map(action => [name, action, wire] as const))

describe.each(cases)('on the %s wire, with the action %s and stand-ins', (name, action, wire) => {
  test('a client puts together what the whole text gives, whatever the cuts, and never runs ahead of it', () => {
    fc.assert(
      fc.property(text, fractions, fractions, fc.boolean(), (whole, cuts, byteCuts, escapes) => {
        const events = wire.events(cut(whole, cuts), whole).map(escapes ? escapedFrame : frame)
        const done = 'event' in wire.form ? [] : ['data: [DONE]\n\n']
        const bytes = encoder.encode([...events, ...done].join(''))
        const answer = new Answer(wire, action)
        const wanted = expected(whole, action)
        run(answer, bytesCut(bytes, byteCuts), (seen, over) => {
          const got = wire.textOf(seen)
          if (over) expect(got).toBe(wanted)
          else expect(wanted.startsWith(settled(got))).toBe(true)
          if (over && name === 'responses' && answer.stream.end?.kind === 'complete') {
            expect(seen.find(event => event['type'] === 'response.output_text.done')?.['text']).toBe(wanted)
            expect(JSON.stringify(seen.at(-1))).toContain(JSON.stringify(wanted))
          }
        })
        const blocks = action === 'block' && naiveFindings(whole, RULES).length > 0
        expect(answer.stream.end).toEqual(blocks ? { kind: 'cut', finish: 'content_filter' } : { kind: 'complete' })
      }),
      { numRuns: 100 },
    )
  })

  test('a stream that breaks off has let out the decided beginning of it', () => {
    fc.assert(
      fc.property(text, fractions, (whole, cuts) => {
        const parts = cut(whole, cuts)
        const events = wire.events(parts, whole)
        const upToText = events.slice(0, events.findLastIndex(event => wire.textOf([event as Json]) !== '') + 1)
        const answer = new Answer(wire, action)
        const all = Buffer.concat([answer.push(encoder.encode(upToText.map(frame).join(''))), answer.fail()])
        if (action !== 'block') expect(JSON.stringify(eventsOf(all).at(-1))).toContain('upstream_failed')
        expect(wire.textOf(eventsOf(all))).toBe(expected(whole, action))
      }),
      { numRuns: 40 },
    )
  })

  test('an answer whose record is lost has let out all its text, and ends with the error', () => {
    fc.assert(
      fc.property(text, fractions, (whole, cuts) => {
        const answer = new Answer(wire, action)
        const bytes = encoder.encode(wire.events(cut(whole, cuts), whole).map(frame).join(''))
        const all = eventsOf(Buffer.concat([answer.push(bytes), answer.lose()]))
        expect(wire.textOf(all)).toBe(expected(whole, action))
        expect(JSON.stringify(all.at(-1))).toContain('audit_unavailable')
      }),
      { numRuns: 40 },
    )
  })

  test('a whole body has the same text', () => {
    fc.assert(
      fc.property(text, whole => {
        const body = new Answer(wire, action).body(encoder.encode(JSON.stringify(wire.body(whole))))
        const wanted = JSON.stringify(wire.body(expected(whole, action)))
        if (action !== 'block') expect(JSON.parse(decoder.decode(body ?? undefined))).toEqual(JSON.parse(wanted))
      }),
      { numRuns: 40 },
    )
  })

  test('a length counts what the model said, not what was put back', () => {
    fc.assert(
      fc.property(text, fractions, fc.integer({ min: 1, max: 60 }), (whole, cuts, max) => {
        const guarded = guardedText(whole, action)
        const bytes = encoder.encode(wire.events(cut(whole, cuts), whole).map(frame).join(''))
        run(new Answer(wire, action, max), [bytes], (seen, over) => {
          if (over) expect(wire.textOf(seen)).toBe(restored(guarded.slice(0, max)))
        })
      }),
      { numRuns: 40 },
    )
  })
})

const callCases = cases.filter(([, action, wire]) => action !== 'block' && wire.calls !== undefined)

describe.each(callCases)('arguments on the %s wire, with the action %s and stand-ins', (name, action, wire) => {
  test('are JSON with the same structure, each string in it as the whole string gives', () => {
    const value = fc.oneof(text, fc.array(text, { maxLength: 2 }), fc.dictionary(said, text, { maxKeys: 2 }))
    const escaping = fc.constantFrom('plain', 'wide', 'all')
    fc.assert(
      fc.property(
        fc.dictionary(text, value, { maxKeys: 3 }),
        fractions,
        fractions,
        escaping,
        (call, cuts, byteCuts, how) => {
          const wanted = inside(JSON.parse(JSON.stringify(call)), action)
          // Two keys that become one would be told apart by nobody.
          fc.pre(Object.keys(wanted as Json).length === Object.keys(call).length)
          const json =
            how === 'all' ? allEscaped(call) : how === 'wide' ? escaped(JSON.stringify(call)) : JSON.stringify(call)
          const events = wire.calls?.(cut(json, cuts), json).map(frame) ?? []
          run(new Answer(wire, action), bytesCut(encoder.encode(events.join('')), byteCuts), (seen, over) => {
            if (!over) return
            const got = wire.argumentsOf?.(seen) ?? ''
            expect(JSON.parse(got)).toEqual(wanted)
            // What is not touched keeps its form, too.
            if (JSON.stringify(wanted) === JSON.stringify(call)) expect(got).toBe(json)
            if (name !== 'responses') return
            const copies = seen.flatMap(({ type, arguments: whole, response }) => [
              ...(String(type).endsWith('arguments.done') ? [whole] : []),
              ...(((response as Json)?.['output'] ?? []) as Json[]).map(item => item['arguments']),
            ])
            expect(copies.map(copy => JSON.parse(String(copy)) as unknown)).toEqual([wanted, wanted])
          })
        },
      ),
      { numRuns: 100 },
    )
  })
})

/** JSON in which every character of every string is an escape. */
function allEscaped(value: unknown): string {
  if (typeof value === 'string') {
    const units = Array.from({ length: value.length }, (_, at) => value.charCodeAt(at).toString(16).padStart(4, '0'))
    return `"${units.map(unit => `\\u${unit}`).join('')}"`
  }
  if (Array.isArray(value)) return `[${value.map(allEscaped).join(', ')}]`
  return `{${Object.entries(value as Json)
    .map(([key, inner]) => `${allEscaped(key)}: ${allEscaped(inner)}`)
    .join(',')}}`
}

test('at every single cut of the bytes, a stand-in in a text comes back', () => {
  const whole = 'Write to [EMAIL_2], [EMAIL_12] or [EMAIL_3]: a@b.example [CREDIT_CARD_1]'
  for (const wire of Object.values(WIRES)) {
    const bytes = encoder.encode(
      wire
        .events(cut(whole, [0.2, 0.5, 0.7]), whole)
        .map(frame)
        .join(''),
    )
    for (let at = 1; at < bytes.length; at++) {
      run(new Answer(wire, 'redact'), [bytes.slice(0, at), bytes.slice(at)], (seen, over) => {
        if (over) expect(wire.textOf(seen)).toBe(expected(whole, 'redact'))
      })
    }
  }
})
