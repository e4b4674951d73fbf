import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openAiError } from '../../src/errors/refusal.ts'
import { AnswerGuard } from '../../src/guard/answer-guard.ts'
import { EventGuard } from '../../src/guard/event-guard.ts'
import { byGroup, compileSide } from '../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../src/guard/text-guard.ts'
import { EventStreamGuard } from '../../src/pipeline/event-stream-guard.ts'
import type { FramedAnswer } from '../../src/pipeline/framed-answer.ts'
import { StreamGuard } from '../../src/pipeline/stream-guard.ts'
import { CHAT_COMPLETIONS } from '../../src/wires/chat-completions.ts'
import { COMPLETIONS } from '../../src/wires/completions.ts'
import { RESPONSES } from '../../src/wires/responses.ts'
import { naiveRedact } from '../support/naive-redact.ts'

/** Strings of fields that no wire describes, where they are pieces of a growing text, and where they are labels. */

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
const { side } = compiled
const encoder = new TextEncoder()
const decoder = new TextDecoder()
type Json = Record<string, unknown>

const common = {
  maxFrameBytes: 1 << 20,
  cutFor: () => null,
  onText: () => {},
  onUsage: () => {},
  usage: () => ({ inputTokens: 1, outputTokens: 2 }),
} as const

const choices = (shape: typeof COMPLETIONS) => () => {
  const texts = new TextGuard(side)
  return new StreamGuard({
    ...common,
    texts,
    answers: new AnswerGuard(shape, texts, { pass: text => text }),
    dropUsage: false,
  })
}

function responses() {
  const texts = new TextGuard(side)
  const events = new EventGuard(RESPONSES, texts, new TextGuard(side), { pass: text => text })
  return new EventStreamGuard({ ...common, wire: RESPONSES, texts, events, errorBody: openAiError })
}

interface Place {
  readonly name: string
  readonly guard: () => FramedAnswer
  readonly write: (pieces: readonly string[]) => Json[]
  readonly read: (event: Json) => unknown
}

const chunk = (own: Json, choice: Json, isLast: boolean): Json => ({
  object: 'chat.completion.chunk',
  ...own,
  choices: [{ index: 0, delta: {}, ...choice, finish_reason: isLast ? 'stop' : null }],
})

const PLACES: readonly Place[] = [
  {
    name: 'chat: beside the choices',
    guard: choices(CHAT_COMPLETIONS),
    write: pieces => pieces.map((text, at) => chunk({ vendor: { text } }, {}, at === pieces.length - 1)),
    read: event => (event['vendor'] as Json | undefined)?.['text'],
  },
  {
    name: 'chat: in a choice, beside the delta',
    guard: choices(CHAT_COMPLETIONS),
    write: pieces => pieces.map((text, at) => chunk({}, { thought: [text] }, at === pieces.length - 1)),
    read: event => ((event['choices'] as Json[])[0]?.['thought'] as string[] | undefined)?.[0],
  },
  {
    name: 'completions: in a choice',
    guard: choices(COMPLETIONS),
    write: pieces =>
      pieces.map((thought, at) => ({
        choices: [{ index: 0, text: '', thought, finish_reason: at === pieces.length - 1 ? 'stop' : null }],
      })),
    read: event => (event['choices'] as Json[])[0]?.['thought'],
  },
  {
    name: 'responses: in an event with a piece',
    guard: responses,
    write: pieces => [
      { type: 'response.created', response: { id: 'r' } },
      ...pieces.map(transcript => ({ type: 'response.output_text.delta', item_id: 'i', delta: '', transcript })),
      { type: 'response.completed', response: { id: 'r', output: [] } },
    ],
    read: event => event['transcript'],
  },
]

const frames = (all: readonly Json[]) => all.map(one => `data: ${JSON.stringify(one)}\n\n`)

function heard(place: Place, bytes: Uint8Array): unknown[] {
  return decoder
    .decode(bytes)
    .split('\n\n')
    .flatMap(frame => {
      const data = frame.split('data: ')[1]
      return data === undefined || data === '[DONE]' ? [] : [place.read(JSON.parse(data) as Json)]
    })
    .filter(value => value !== undefined)
}

/** What goes out, event by event. */
function run(place: Place, pieces: readonly string[]): Uint8Array[] {
  const guard = place.guard()
  const out = frames(place.write(pieces)).map(frame => guard.push(encoder.encode(frame)) ?? new Uint8Array(0))
  return [...out, Buffer.concat([guard.complete() ?? new Uint8Array(0), guard.last()])]
}

const TEXTS = [
  'mail jane.doe@example.com now',
  'SSN 123-45-6789 and card 4111 1111 1111 1111.',
  'ip 192.168.17.34, key ghp_1234567890abcdefghijABCDEFGHIJ123456',
  'nothing of the kind 12 34 x@y',
]

/** Equal neighbours may be a label that is said again: those are tried elsewhere. */
const differ = (pieces: readonly string[]) => pieces.every((piece, at) => piece !== pieces[at - 1])

/** A piece that has a match by itself, which is none in the whole text, loses it all the same. */
const lonely = (pieces: readonly string[], whole: string) =>
  pieces.some(
    piece => naiveRedact(piece, BUILT_IN_RULES) !== piece && !naiveRedact(whole, BUILT_IN_RULES).includes('['),
  )

describe.each(PLACES.map(place => [place.name, place] as const))('%s', (_, place) => {
  test.each(TEXTS)(
    'a growing text cut at every two places is its redaction, and nothing of it leaves early: %s',
    text => {
      const final = naiveRedact(text, BUILT_IN_RULES)
      for (let one = 1; one < text.length - 1; one++) {
        for (let two = one + 1; two < text.length; two++) {
          const pieces = [text.slice(0, one), text.slice(one, two), text.slice(two)]
          if (!differ(pieces)) continue
          const out = run(place, pieces)
          let got = ''
          for (const bytes of out) {
            got += heard(place, bytes).join('')
            if (!final.startsWith(got)) expect.fail(`${JSON.stringify(pieces)}: ${got}`)
          }
          expect(got, JSON.stringify(pieces)).toBe(final)
        }
      }
    },
  )

  test('any text, any cuts', () => {
    const text = fc.array(fc.constantFrom(...TEXTS.flatMap(of => of.split(' ')), ' ', '4', 'é🙂', '\n'), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }), (words, sizes) => {
        const characters = [...words.join(' ')]
        const pieces: string[] = []
        for (let at = 0; characters.length > 0; at++)
          pieces.push(characters.splice(0, sizes[at % sizes.length]).join(''))
        const whole = pieces.join('')
        fc.pre(whole !== '' && differ(pieces) && !lonely(pieces, whole))
        const final = naiveRedact(whole, BUILT_IN_RULES)
        let got = ''
        for (const bytes of run(place, pieces)) {
          got += heard(place, bytes).join('')
          expect(final.startsWith(got)).toBe(true)
        }
        expect(got).toBe(final)
      }),
      { numRuns: 150 },
    )
  })

  test('labels go out whole; one that is said again waits for nothing', () => {
    const labels = [
      'fp_44709d6fcb',
      'fp_44709d6fcb',
      'thinking',
      'thinking',
      'thinking',
      '12:00:01',
      '12:00:02',
      'eu-1',
    ]
    expect(run(place, labels).flatMap(bytes => heard(place, bytes))).toEqual(labels)
    const same = run(place, ['fp_44709d6fcb', 'fp_44709d6fcb', 'fp_44709d6fcb', 'fp_44709d6fcb'])
    const counts = same.map(bytes => heard(place, bytes).length).filter(count => count > 0)
    expect(counts).toEqual([2, 1, 1])
  })
})

test('what waits is bounded: behind that the undecided ends are dropped', () => {
  const place = PLACES[1] as Place
  const filler = 'x '.repeat(2000)
  const guard = place.guard()
  let most = 0
  let waiting = 0
  const piece = (thought: string, at: number): Json =>
    at === 0 || at > 200 ? chunk({}, { thought: [thought] }, false) : { object: 'chat.completion.chunk', choices: [] }
  for (let at = 0; at < 400; at++) {
    const frame = encoder.encode(`data: ${JSON.stringify({ ...piece('j', at), created: filler })}\n\n`)
    const out = guard.push(frame)
    waiting = out ? 0 : waiting + frame.length
    most = Math.max(most, waiting)
  }
  expect(most).toBeLessThan(300_000)
})
