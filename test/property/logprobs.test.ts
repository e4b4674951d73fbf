import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openAiError } from '../../src/errors/refusal.ts'
import { AnswerGuard } from '../../src/guard/answer-guard.ts'
import { EventGuard } from '../../src/guard/event-guard.ts'
import { byGroup, compileSide } from '../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../src/guard/text-guard.ts'
import { atOnce } from '../../src/guard/turns.ts'
import { EventStreamGuard } from '../../src/pipeline/event-stream-guard.ts'
import type { FramedAnswer } from '../../src/pipeline/framed-answer.ts'
import { StreamGuard } from '../../src/pipeline/stream-guard.ts'
import { CHAT_COMPLETIONS } from '../../src/wires/chat-completions.ts'
import { COMPLETIONS } from '../../src/wires/completions.ts'
import { RESPONSES } from '../../src/wires/responses.ts'
import { naiveFindings, naiveRedact } from '../support/naive-redact.ts'

/**
 * Log-probabilities repeat a text token by token. Whatever the cut of the text into tokens, of tokens into events and of
 * events into bytes: a token goes out with its text or not at all, and never one that touches what is redacted.
 */

const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
const { side } = compiled

const encoder = new TextEncoder()
const decoder = new TextDecoder()
type Json = Record<string, unknown>
interface Entry {
  token: string
  bytes?: number[]
  logprob: number
  top_logprobs?: Entry[]
}

const CHOICES = {
  texts: () => new TextGuard(side),
  maxFrameBytes: 1 << 20,
  cutFor: () => null,
  onText: () => {},
  onUsage: () => {},
  usage: () => ({ inputTokens: 0, outputTokens: 0 }),
} as const

interface Wire {
  guard(): FramedAnswer
  /** Events, from pieces of a text and their tokens. */
  write(pieces: readonly (readonly Entry[])[], cut: readonly string[]): Json[]
  /** The text that an event adds, and its tokens. */
  read(event: Json): { text: string; tokens: Entry[] }
}

const choiceOf = (event: Json) => ((event['choices'] as Json[] | undefined) ?? [])[0]
const textOf = (tokens: readonly Entry[]) => decoder.decode(Uint8Array.from(tokens.flatMap(({ bytes = [] }) => bytes)))

const CHAT: Wire = {
  guard() {
    const texts = CHOICES.texts()
    const answers = new AnswerGuard(CHAT_COMPLETIONS, texts, { pass: text => text })
    return new StreamGuard({ ...CHOICES, answers, texts, dropUsage: true })
  },
  write: (pieces, texts) => [
    ...pieces.map((content, at) => ({
      id: 'x',
      choices: [
        { index: 0, delta: { content: texts[at] ?? '' }, logprobs: { content, refusal: null }, finish_reason: null },
      ],
    })),
    { id: 'x', choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] },
  ],
  read(event) {
    const choice = choiceOf(event)
    const content = (choice?.['logprobs'] as Json | null | undefined)?.['content']
    return {
      text: ((choice?.['delta'] as Json | undefined)?.['content'] ?? '') as string,
      tokens: (content ?? []) as Entry[],
    }
  },
}

/** The four lists of the older completions: tokens are whole characters there. */
const TEXT: Wire = {
  guard() {
    const texts = CHOICES.texts()
    const answers = new AnswerGuard(COMPLETIONS, texts, { pass: text => text })
    return new StreamGuard({ ...CHOICES, answers, texts, dropUsage: true })
  },
  write(pieces, texts) {
    let offset = 0
    const events = pieces.map((tokens, at) => {
      const text = texts[at] ?? ''
      const logprobs = {
        tokens: tokens.map(({ token }) => token),
        token_logprobs: tokens.map(({ logprob }) => logprob),
        top_logprobs: tokens.map(({ top_logprobs: top = [] }) =>
          Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
        ),
        text_offset: tokens.map(({ token }) => {
          offset += token.length
          return offset - token.length
        }),
      }
      return { object: 'text_completion', choices: [{ index: 0, text, logprobs, finish_reason: null }] }
    })
    return [...events, { object: 'text_completion', choices: [{ index: 0, text: '', finish_reason: 'stop' }] }]
  },
  read(event) {
    const choice = choiceOf(event)
    const logprobs = choice?.['logprobs'] as Record<string, unknown[]> | null | undefined
    const tokens = (logprobs?.['tokens'] ?? []).map((token, at) => {
      const top = (logprobs?.['top_logprobs']?.[at] ?? {}) as Record<string, number>
      return {
        token: String(token),
        bytes: [...encoder.encode(String(token))],
        logprob: Number(logprobs?.['token_logprobs']?.[at]),
        offset: Number(logprobs?.['text_offset']?.[at]),
        top_logprobs: Object.entries(top).map(([of, logprob]) => ({ token: of, logprob })),
      }
    })
    return { text: (choice?.['text'] ?? '') as string, tokens }
  },
}

const TYPED: Wire = {
  guard() {
    const texts = CHOICES.texts()
    const events = new EventGuard(RESPONSES, texts, new TextGuard(side), { pass: text => text })
    return new EventStreamGuard({ ...CHOICES, wire: RESPONSES, events, texts, errorBody: openAiError })
  },
  write: (pieces, texts) => [
    ...pieces.map((logprobs, at) => ({
      type: 'response.output_text.delta',
      item_id: 'm',
      output_index: 0,
      content_index: 0,
      delta: texts[at] ?? '',
      logprobs,
    })),
    {
      type: 'response.output_text.done',
      item_id: 'm',
      output_index: 0,
      content_index: 0,
      text: texts.join(''),
      logprobs: pieces.flat(),
    },
    { type: 'response.completed', response: { id: 'r', output: [] } },
  ],
  read: event =>
    event['type'] === 'response.output_text.delta'
      ? { text: String(event['delta']), tokens: (event['logprobs'] ?? []) as Entry[] }
      : { text: '', tokens: [] },
}

const samples = BUILT_IN_RULES.flatMap(({ examples, counterExamples }) =>
  [...examples.slice(0, 1), ...counterExamples.slice(0, 1)].map(text => text.replaceAll(/[«»]/g, '')),
).filter(text => text.length < 100 && !/[\ud800-\udfff]/.test(text))
const prose = fc.constantFrom('The answer is', ' and 12', ' mail ', '🙂', 'é"\\', '\n\n', ' ssn ', '１２３', 'ab')
const text = fc
  .array(fc.oneof(fc.constantFrom(...samples), prose), { minLength: 1, maxLength: 5 })
  .map(parts => parts.join(' '))
const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 })

function places(at: readonly number[], length: number): number[] {
  return [...new Set([...at.map(part => Math.floor(part * length)), length])].sort((one, other) => one - other)
}

/** Cuts a text into tokens: between bytes, as tokenizers do, or between characters. */
function tokensOf(whole: string, at: readonly number[], between: 'bytes' | 'characters', alternative: string): Entry[] {
  const characters = [...whole]
  const units =
    between === 'bytes'
      ? [...encoder.encode(whole)].map(byte => [byte])
      : characters.map(one => [...encoder.encode(one)])
  let from = 0
  return places(at, units.length).flatMap(to => {
    const bytes = units.slice(from, to).flat()
    from = to
    if (bytes.length === 0) return []
    const token = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
    const other = { token: alternative, bytes: [...encoder.encode(alternative)], logprob: -2 }
    return [{ token, bytes, logprob: -0.5, top_logprobs: [other] }]
  })
}

/** Groups tokens into events. The text of a character goes with the token that completes it. */
function events(tokens: readonly Entry[], at: readonly number[]): { pieces: Entry[][]; texts: string[] } {
  const pieces: Entry[][] = []
  const texts: string[] = []
  const stream = new TextDecoder('utf-8', { ignoreBOM: true })
  let from = 0
  for (const to of places(at, tokens.length)) {
    const piece = tokens.slice(from, to)
    from = to
    pieces.push(piece)
    texts.push(stream.decode(Uint8Array.from(piece.flatMap(({ bytes = [] }) => bytes)), { stream: true }))
  }
  return { pieces, texts }
}

/** Where the tokens of a text stand in it, in UTF-16 units, whole characters counted. */
function spans(tokens: readonly Entry[]): { start: number; end: number }[] {
  const bytes = tokens.flatMap(({ bytes: own = [] }) => own)
  const unit: number[] = []
  let at = 0
  for (const character of textOf(tokens)) {
    for (const _ of encoder.encode(character)) unit.push(at)
    at += character.length
  }
  unit.push(at)
  let from = 0
  return tokens.map(({ bytes: own = [] }) => {
    const start = unit[from] ?? 0
    from += own.length
    let end = from
    while (end < bytes.length && unit[end] === unit[end - 1]) end++
    return { start, end: unit[end] ?? at }
  })
}

function seen(wire: Wire, out: Uint8Array): { text: string; tokens: Entry[] }[] {
  return decoder
    .decode(out)
    .split('\n\n')
    .flatMap(frame => {
      const data = /^data: (.*)$/m.exec(frame)?.[1]
      return data === undefined || data === '[DONE]' ? [] : [wire.read(JSON.parse(data) as Json)]
    })
}

/** Whether `parts` stand in `whole`, in order and apart from each other. */
function inOrder(whole: string, parts: readonly string[]): boolean {
  let at = 0
  return parts.every(part => {
    const found = whole.indexOf(part, at)
    at = found + part.length
    return found >= 0
  })
}

describe.each([
  ['chat', CHAT, 'bytes'],
  ['completions, in four lists', TEXT, 'characters'],
  ['responses', TYPED, 'bytes'],
] as const)('the tokens of a stream on the wire of %s', (_, wire, between) => {
  test('go out with their text or not at all, none that touches what is redacted, all others but where cuts are unclear', () => {
    fc.assert(
      fc.property(text, fractions, fractions, fractions, (whole, tokenCuts, eventCuts, byteCuts) => {
        const tokens = tokensOf(whole, tokenCuts, between, '~')
        const { pieces, texts } = events(tokens, eventCuts)
        const body = wire
          .write(pieces, texts)
          .map(event => `data: ${JSON.stringify(event)}\n\n`)
          .join('')
        const bytes = encoder.encode(body)
        const guard = wire.guard()
        const out: Uint8Array[] = []
        let from = 0
        for (const to of places(byteCuts, bytes.length)) {
          const released = guard.push(bytes.slice(from, to))
          from = to
          if (!released) continue
          out.push(released)
          // Never earlier than the text.
          const soFar = seen(wire, Buffer.concat(out))
          const released_ = soFar.map(event => event.text).join('')
          const spelled = soFar.flatMap(event => event.tokens).flatMap(({ bytes: own = [] }) => own)
          expect(spelled.length).toBeLessThanOrEqual(encoder.encode(released_).length)
        }
        const rest = guard.complete()
        const all = seen(wire, Buffer.concat([...out, ...(rest ? [rest] : []), guard.last()]))
        expect(all.map(event => event.text).join('')).toBe(naiveRedact(whole, BUILT_IN_RULES))
        const findings = naiveFindings(whole, BUILT_IN_RULES)
        const clean = tokens.filter((__, at) => {
          const { start, end } = spans(tokens)[at] ?? { start: 0, end: 0 }
          return findings.every(finding => end <= finding.start || start >= finding.end)
        })
        const kept = all.flatMap(event => event.tokens)
        const same = (one: Entry, other: Entry | undefined) =>
          JSON.stringify(one.bytes) === JSON.stringify(other?.bytes)
        // Those kept are among the clean ones, in their order.
        let at = 0
        for (const entry of kept) {
          while (at < clean.length && !same(entry, clean[at])) at++
          expect(at).toBeLessThan(clean.length)
          at++
        }
        if (findings.length === 0) expect(kept.length).toBe(clean.length)
      }),
      { numRuns: 150 },
    )
  })

  test('that are not the text are dropped, and those behind them are not', () => {
    const entry = (token: string): Entry => ({
      token,
      bytes: [...encoder.encode(token)],
      logprob: -1,
      top_logprobs: [],
    })
    const pieces = [[entry('One. ')], [entry('token_id:17')], [entry('Two'), entry(' three. ')], [entry('<|end|>')]]
    const written = wire.write(pieces, ['One. ', 'Else. ', 'Two three. ', ''])
    const guard = wire.guard()
    const out = guard.push(encoder.encode(written.map(event => `data: ${JSON.stringify(event)}\n\n`).join('')))
    const kept = seen(wire, Buffer.concat([out ?? new Uint8Array(0)])).flatMap(event => event.tokens)
    expect(kept.map(({ token }) => token)).toEqual(['One. ', 'Two', ' three. '])
  })

  test('have no alternative that would complete what is redacted', () => {
    const entry = (token: string, ...others: string[]): Entry => ({
      token,
      bytes: [...encoder.encode(token)],
      logprob: -1,
      top_logprobs: others.map(other => ({ token: other, bytes: [...encoder.encode(other)], logprob: -2 })),
    })
    const pieces = [
      [entry('SSN 123-45-', ' is', ' bob@example.com')],
      [entry('678x', '6789', '67')],
      [entry(' end. ', '. ', '9')],
    ]
    const written = wire.write(pieces, ['SSN 123-45-', '678x', ' end. '])
    const guard = wire.guard()
    const out = guard.push(encoder.encode(written.map(event => `data: ${JSON.stringify(event)}\n\n`).join('')))
    const kept = seen(wire, Buffer.concat([out ?? new Uint8Array(0)])).flatMap(event => event.tokens)
    expect(kept.map(({ token, top_logprobs: top = [] }) => [token, ...top.map(one => one.token).toSorted()])).toEqual([
      ['SSN 123-45-', ' is'],
      ['678x', '67'],
      [' end. ', ...['. ', '9'].toSorted()],
    ])
  })
})

describe('what a real server sent with logprobs', () => {
  const capture = (name: string) => readFileSync(new URL(`../data/captures/${name}`, import.meta.url))

  test.each([
    ['chat-stream-logprobs.sse', CHAT],
    ['completions-stream-logprobs.sse', { ...TEXT, read: readListed }],
  ] as const)('%s: only what is redacted is missing, whatever the cut', (name, wire) => {
    const bytes = capture(name)
    const before = seen(wire, bytes).flatMap(event => event.tokens)
    for (let cut = 0; cut < bytes.length; cut += 7) {
      const guard = wire.guard()
      const out = [guard.push(bytes.subarray(0, cut)), guard.push(bytes.subarray(cut)), guard.complete(), guard.last()]
      const after = seen(wire, Buffer.concat(out.map(part => part ?? new Uint8Array(0))))
      expect(after.map(({ text: part }) => part).join('')).toBe('Hi [EMAIL_REDACTED]')
      // The end of the turn may have a token, without text.
      const kept = after.flatMap(event => event.tokens).filter(({ token }) => token !== '')
      expect(kept.map(({ token }) => token)).toEqual(['H', 'i'])
      expect(kept.map(({ logprob }) => logprob)).toEqual(before.slice(0, 2).map(({ logprob }) => logprob))
    }
  })

  test('a whole answer', () => {
    const bytes = capture('chat-nonstream-logprobs.json')
    const texts = new TextGuard(side)
    const guarded = atOnce(new AnswerGuard(CHAT_COMPLETIONS, texts, { pass: of => of }).body(bytes))
    const answer = JSON.parse(decoder.decode(guarded?.bytes)) as { choices: Json[] }
    const { content } = (answer.choices[0] as Json)['logprobs'] as { content: Entry[] }
    expect(((answer.choices[0] as Json)['message'] as Json)['content']).toBe('Hi [EMAIL_REDACTED]')
    // The end of the turn has no text.
    expect(content.map(({ token }) => token)).toEqual(['H', 'i', ''])
    expect(content[0]?.top_logprobs?.map(({ token }) => token)).toEqual(['\n'])
  })
})

function readListed(event: Json): { text: string; tokens: Entry[] } {
  const choice = choiceOf(event)
  const content = (choice?.['logprobs'] as Json | null | undefined)?.['content']
  return { text: (choice?.['text'] ?? '') as string, tokens: (content ?? []) as Entry[] }
}

test('in a whole answer, tokens spell what is let out', () => {
  fc.assert(
    fc.property(text, fractions, (whole, cuts) => {
      const content = tokensOf(whole, cuts, 'bytes', '~')
      const body = {
        choices: [{ index: 0, message: { content: whole }, logprobs: { content }, finish_reason: 'stop' }],
      }
      const guarded = atOnce(
        new AnswerGuard(CHAT_COMPLETIONS, new TextGuard(side), { pass: of => of }).body(
          encoder.encode(JSON.stringify(body)),
        ),
      )
      const answer = JSON.parse(decoder.decode(guarded?.bytes)) as { choices: Json[] }
      const after = (answer.choices[0]?.['logprobs'] as { content: Entry[] | null } | null)?.content ?? []
      const redacted = naiveRedact(whole, BUILT_IN_RULES)
      expect(((answer.choices[0] as Json)['message'] as Json)['content']).toBe(redacted)
      const spelled = after.filter(({ token }) => !token.includes('\ufffd')).map(({ token }) => token)
      expect(inOrder(redacted, spelled)).toBe(true)
      if (redacted === whole) expect(after).toEqual(content)
    }),
    { numRuns: 300 },
  )
})
