import { describe, expect, test } from 'vitest'
import { cut, DONE, delta, event, hear, type Json, message, piece } from './events.ts'
import { chat, chunks, type Rig, replies } from './rig.ts'

/** Halves of surrogate pairs: what JSON can say by escapes, and UTF-8 cannot. */
const HIGH = '\ud83d'
const LOW = '\ude00'
const JANE = 'jane.doe@corp.example'
/** A half before, behind and between values, and a pair that is whole. */
const TEXT = `${HIGH} ${JANE} ${LOW}${HIGH}${LOW} ${JANE}${HIGH}`
const CLEAN = TEXT.replaceAll(JANE, '[EMAIL_REDACTED]')

const strict = new TextDecoder('utf-8', { fatal: true })

/** One wire: a request with a text, and answers that say it. */
interface Wire {
  readonly path: string
  request(text: string): Json
  /** The text in the request as the model server got it. */
  asked(body: Json): unknown
  whole(text: string): Json
  /** A stream whose text comes in these pieces. */
  stream(pieces: readonly string[]): string[]
  /** The text of a whole answer. */
  said(answer: Json): unknown
  /** Of a stream. */
  heard(events: readonly Json[]): string
}

const typed = (value: Json) => `event: ${value.type}\n${event(value)}`
const call = (args: string) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: args } })

const WIRES: Readonly<Record<string, Wire>> = {
  chat: {
    path: '/v1/chat/completions',
    request: text => chat(text),
    asked: body => body.messages[0].content,
    whole: text => message({ content: text }),
    stream: pieces => [...pieces.map(content => delta({ content })), delta({}, 'stop'), DONE],
    said: answer => answer.choices[0].message.content,
    heard: events => events.map(({ choices }) => choices[0]?.delta.content ?? '').join(''),
  },
  'chat, arguments of a call': {
    path: '/v1/chat/completions',
    request: text => ({
      model: 'm',
      messages: [{ role: 'assistant', content: null, tool_calls: [call(JSON.stringify({ to: text }))] }],
    }),
    asked: body => JSON.parse(body.messages[0].tool_calls[0].function.arguments).to,
    whole: text => message({ content: null, tool_calls: [call(JSON.stringify({ to: text }))] }),
    stream: pieces => {
      const json = JSON.stringify({ to: pieces.join('') })
      const parts = Array.from(json, args => delta({ tool_calls: [{ index: 0, function: { arguments: args } }] }))
      return [...parts, delta({}, 'tool_calls'), DONE]
    },
    said: answer => JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments).to,
    heard: events => {
      const parts = events.map(({ choices }) => choices[0]?.delta.tool_calls?.[0].function.arguments ?? '')
      return JSON.parse(parts.join('')).to
    },
  },
  completions: {
    path: '/v1/completions',
    request: text => ({ model: 'm', prompt: text }),
    asked: body => body.prompt,
    whole: text => ({ object: 'text_completion', choices: [{ index: 0, text, finish_reason: 'stop' }] }),
    stream: pieces => [...pieces.map(text => piece(text)), piece('', 'stop'), DONE],
    said: answer => answer.choices[0].text,
    heard: events => events.map(({ choices }) => choices[0]?.text ?? '').join(''),
  },
  responses: {
    path: '/v1/responses',
    request: text => ({ model: 'm', input: text, store: false }),
    asked: body => body.input,
    whole: text => ({
      id: 'r',
      object: 'response',
      status: 'completed',
      output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }],
    }),
    stream: pieces => {
      const place = { item_id: 'i', output_index: 0, content_index: 0 }
      return [
        { type: 'response.created', response: { id: 'r', status: 'in_progress' } },
        ...pieces.map(one => ({ type: 'response.output_text.delta', ...place, delta: one })),
        { type: 'response.output_text.done', ...place, text: pieces.join('') },
        { type: 'response.completed', response: { id: 'r', status: 'completed', output: [] } },
      ].map(typed)
    },
    said: answer => answer.output[0].content[0].text,
    heard: events => {
      const text = events.map(({ type, delta: one }) => (type === 'response.output_text.delta' ? one : '')).join('')
      expect(events.find(({ type }) => type === 'response.output_text.done')?.text).toBe(text)
      return text
    },
  },
  messages: {
    path: '/v1/messages',
    request: text => ({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: text }] }),
    asked: body => body.messages[0].content,
    whole: text => ({
      id: 'm',
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
    }),
    stream: pieces =>
      [
        { type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', content: [] } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        ...pieces.map(text => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
        { type: 'message_stop' },
      ].map(typed),
    said: answer => answer.content[0].text,
    heard: events => events.map(({ delta: one }) => one?.text ?? '').join(''),
  },
}

/** Nothing that is sent is invalid, no value hides behind a half, and halves arrive where they can be told. */
export function halfPairs(rig: Rig): void {
  /** The answer's bytes, which have to be UTF-8. */
  const textOf = async (wire: Wire, fields: Json) => {
    const response = await rig.fetch(fields, { path: wire.path, claims: { team: 'redacting' } })
    const text = strict.decode(await response.arrayBuffer())
    rig.check()
    expect([response.status, text.includes(JANE)]).toEqual([200, false])
    return text
  }

  describe.each(Object.entries(WIRES))('halves of surrogate pairs: %s', (_, wire) => {
    test('in a request and in a whole answer', async () => {
      rig.answers(replies(wire.whole(TEXT)))
      const answer = JSON.parse(await textOf(wire, wire.request(TEXT)))
      expect(rig.last().body).not.toContain(JANE)
      expect(wire.asked(rig.lastBody())).toBe(CLEAN)
      expect(wire.said(answer)).toBe(CLEAN)
    })

    test.each([1, 3, 1000])('in a stream that comes %s bytes at a time, in events that part the pairs', async size => {
      const units = Array.from({ length: TEXT.length }, (_, at) => TEXT.charAt(at))
      rig.answers(chunks(cut(wire.stream(units).join(''), size)))
      const text = await textOf(wire, { ...wire.request('x'), stream: true })
      expect(text).not.toContain('\ufffd')
      expect(wire.heard(hear(text).events)).toBe(CLEAN)
    })
  })
}
