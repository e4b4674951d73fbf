import { readFileSync } from 'node:fs'

/** Events of streamed answers: how model servers write them, and how callers read them. */

const ENVELOPE = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' }
const TEXT_ENVELOPE = { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm' }

export const DONE = 'data: [DONE]\n\n'
export const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }

/** Parsed JSON, as untyped as `JSON.parse` gives it. */
export type Json = ReturnType<typeof JSON.parse>
type Fields = Readonly<Record<string, unknown>>

export function event(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

/** One event of a chat. */
export function delta(fields: Fields, finish: string | null = null, index = 0): string {
  return event({ ...ENVELOPE, choices: [{ index, delta: fields, finish_reason: finish }] })
}

/** One event of a completion. */
export function piece(text: string, finish: string | null = null, index = 0): string {
  return event({ ...TEXT_ENVELOPE, choices: [{ index, text, logprobs: null, finish_reason: finish }] })
}

/** An event of the whole answer: usage at the end. */
export function usageEvent(usage: Fields = USAGE): string {
  return event({ ...ENVELOPE, choices: [], usage })
}

/** A whole chat that says these pieces. */
export function says(...texts: string[]): string[] {
  return [
    delta({ role: 'assistant', content: '' }),
    ...texts.map(content => delta({ content })),
    delta({}, 'stop'),
    usageEvent(),
    DONE,
  ]
}

/** A whole answer of a chat, not streamed. */
export function message(fields: Fields, more: Fields = {}, finish = 'stop'): Record<string, unknown> {
  return {
    ...ENVELOPE,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', ...fields }, finish_reason: finish, ...more }],
    usage: USAGE,
  }
}

/** The body of an answer that a real model server gave. */
export function captured(name: string): string {
  return readFileSync(new URL(`../data/captures/${name}.sse`, import.meta.url), 'utf8')
}

/** Cuts a text into pieces of `size` bytes. */
export function cut(text: string, size: number): Uint8Array[] {
  const bytes = Buffer.from(text)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
}

export interface Heard {
  /** The data of every event but `[DONE]`, parsed. */
  readonly events: Json[]
  readonly done: boolean
  readonly finish: (string | null)[]
  /** Per choice, the texts of each field of its deltas, joined. */
  text(field?: string, index?: number): string
  /** The arguments of a tool call, joined. */
  call(id: number, index?: number): string
  readonly errors: Json[]
}

/** Reads an event stream as a caller does, by the rules of the WHATWG: any line end, comments, several data lines. */
export function hear(body: string): Heard {
  const datas = body
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/)
    .reduce<string[][]>(
      (frames, line) => {
        if (line === '') frames.push([])
        else if (/^data(:|$)/.test(line)) frames.at(-1)?.push(line.replace(/^data:? ?/, ''))
        return frames
      },
      [[]],
    )
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
  const events = datas.filter(data => data !== '[DONE]').map(data => JSON.parse(data) ?? {})
  const choices = events.flatMap(({ choices = [] }) => choices as Json[])
  const parts = (index: number) => choices.filter(choice => choice['index'] === index)
  return {
    events,
    done: datas.at(-1) === '[DONE]',
    finish: choices.map(({ finish_reason }) => finish_reason ?? null).filter(reason => reason !== null),
    text: (field = 'content', index = 0) =>
      parts(index)
        .map(choice => (choice['delta'] ?? choice)[field] ?? '')
        .join(''),
    call: (id, index = 0) =>
      parts(index)
        .flatMap(({ delta }) => (delta?.tool_calls ?? []) as Json[])
        .filter(call => call['index'] === id)
        .map(call => call['function']?.arguments ?? '')
        .join(''),
    errors: events.filter(({ error }) => error !== undefined).map(({ error }) => error),
  }
}
