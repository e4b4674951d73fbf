import type { Shape } from '../../src/json/shape.ts'
import { CHAT_COMPLETIONS } from '../../src/wires/chat-completions.ts'
import { COMPLETIONS } from '../../src/wires/completions.ts'
import type { EventWire } from '../../src/wires/event-wire.ts'
import { MESSAGES } from '../../src/wires/messages.ts'
import { RESPONSES } from '../../src/wires/responses.ts'

type Json = Record<string, unknown>

/** A wire as a test needs it: how a model server writes an answer on it, and what a client puts together of it. */
export interface Wire {
  readonly form: Shape | EventWire
  /** The events of an answer whose text grows by these pieces; ends as told. */
  events(parts: readonly string[], whole: string): unknown[]
  /** The same for the arguments of a call. */
  calls?(parts: readonly string[], whole: string): unknown[]
  body(text: string): unknown
  /** The text that a client puts together of the events. */
  textOf(events: readonly Json[]): string
  argumentsOf?(events: readonly Json[]): string
}

const chatDelta = (delta: Json, finish: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
  object: 'chat.completion.chunk',
  id: 'c',
})
type Choice = { delta?: Json; text?: string }
const choicesOf = (events: readonly Json[]) => events.flatMap(({ choices }) => (choices ?? []) as Choice[])
const called = (delta: Json | undefined) =>
  ((delta?.['tool_calls'] ?? []) as { function?: { arguments?: string } }[])
    .map(call => call.function?.arguments ?? '')
    .join('')
const grown = (events: readonly Json[], type: string) =>
  events.flatMap(event => (event['type'] === type ? [event['delta'] as string] : [])).join('')
const blockDeltas = (events: readonly Json[], field: string) =>
  events.map(({ delta }) => ((delta as Json | undefined)?.[field] as string | undefined) ?? '').join('')

export const WIRES: Readonly<Record<string, Wire>> = {
  chat: {
    form: CHAT_COMPLETIONS,
    events: parts => [...parts.map(content => chatDelta({ content })), chatDelta({}, 'stop')],
    calls: parts => [
      ...parts.map(json => chatDelta({ tool_calls: [{ index: 0, function: { arguments: json } }] })),
      chatDelta({}, 'tool_calls'),
    ],
    body: text => ({ choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }] }),
    textOf: events =>
      choicesOf(events)
        .map(({ delta }) => (delta?.['content'] as string | undefined) ?? '')
        .join(''),
    argumentsOf: events =>
      choicesOf(events)
        .map(({ delta }) => called(delta))
        .join(''),
  },
  completions: {
    form: COMPLETIONS,
    events: parts => [
      ...parts.map(text => ({ choices: [{ index: 0, text, finish_reason: null }], object: 'text_completion' })),
      { choices: [{ index: 0, text: '', finish_reason: 'stop' }], object: 'text_completion' },
    ],
    body: text => ({ choices: [{ index: 0, text, finish_reason: 'stop' }], object: 'text_completion' }),
    textOf: events =>
      choicesOf(events)
        .map(({ text }) => text ?? '')
        .join(''),
  },
  responses: {
    form: RESPONSES,
    events: (parts, whole) => [
      { type: 'response.created', sequence_number: 0, response: { id: 'r' } },
      ...parts.map((delta, at) => ({
        type: 'response.output_text.delta',
        sequence_number: at + 1,
        item_id: 'm',
        content_index: 0,
        delta,
      })),
      {
        type: 'response.output_text.done',
        sequence_number: parts.length + 1,
        item_id: 'm',
        content_index: 0,
        text: whole,
      },
      {
        type: 'response.completed',
        sequence_number: parts.length + 2,
        response: { id: 'r', output: [{ type: 'message', content: [{ type: 'output_text', text: whole }] }] },
      },
    ],
    calls: (parts, whole) => [
      { type: 'response.created', response: { id: 'r' } },
      ...parts.map(delta => ({ type: 'response.function_call_arguments.delta', item_id: 'f', delta })),
      { type: 'response.function_call_arguments.done', item_id: 'f', arguments: whole },
      { type: 'response.completed', response: { id: 'r', output: [{ type: 'function_call', arguments: whole }] } },
    ],
    body: text => ({ id: 'r', output: [{ type: 'message', content: [{ type: 'output_text', text }] }] }),
    textOf: events => grown(events, 'response.output_text.delta'),
    argumentsOf: events => grown(events, 'response.function_call_arguments.delta'),
  },
  messages: {
    form: MESSAGES,
    events: parts => [
      { type: 'message_start', message: { id: 'm', type: 'message', content: [] } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      ...parts.map(text => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
      { type: 'message_stop' },
    ],
    calls: parts => [
      { type: 'message_start', message: { id: 'm', type: 'message', content: [] } },
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
      ...parts.map(partial_json => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'input_json_delta', partial_json },
      })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
      { type: 'message_stop' },
    ],
    body: text => ({ id: 'm', type: 'message', content: [{ type: 'text', text }], stop_reason: 'end_turn' }),
    textOf: events => blockDeltas(events, 'text'),
    argumentsOf: events => blockDeltas(events, 'partial_json'),
  },
}
