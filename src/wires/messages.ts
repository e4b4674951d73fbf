import { type ChannelName, delta, each, error, finish, json, object, plain, tag, text, usage } from '../json/shape.ts'
import type { EventWire } from './event-wire.ts'

const answerBlock = object({
  type: plain,
  id: plain,
  text: text('content'),
  thinking: text('reasoning'),
  signature: plain,
  input: json,
})

const message = object({
  id: plain,
  type: plain,
  role: plain,
  model: plain,
  stop_reason: finish,
  usage,
  error,
  content: each(answerBlock),
})

/** A block as a stream begins it: what it holds already is the first piece of its text. */
const begunBlock = object({
  type: plain,
  id: plain,
  text: delta('text'),
  thinking: delta('thinking'),
  signature: plain,
  input: json,
})

const CHANNELS: Readonly<Record<string, ChannelName | 'arguments'>> = {
  text: 'content',
  thinking: 'reasoning',
  partial_json: 'arguments',
}

const DELTA_TYPES: Readonly<Record<string, string>> = {
  text: 'text_delta',
  thinking: 'thinking_delta',
  partial_json: 'input_json_delta',
}

/** Where the texts of `/v1/messages` live: in the blocks of a message, each of which grows by itself. */
export const MESSAGES: EventWire = {
  body: message,
  event: object({
    type: tag('type'),
    index: tag('index'),
    message,
    content_block: begunBlock,
    delta: object({
      type: plain,
      text: delta('text'),
      thinking: delta('thinking'),
      partial_json: delta('partial_json'),
      signature: plain,
      stop_reason: plain,
    }),
    usage,
    error,
    // llama-server's own failures are bare error objects.
    code: error,
  }),
  finish: { length: 'max_tokens', content_filter: 'refusal' },
  deltaOf: (_, field) => CHANNELS[field] ?? 'content',
  closes(type) {
    if (type === 'content_block_stop') return 'same'
    return type === 'message_delta' || type === 'message_stop' ? 'all' : 'none'
  },
  part: { opens: 'content_block_start', ends: 'content_block_stop' },
  isLast: type => type === 'message_stop',
  mayEndSilently: false,
  isFailure: type => type === 'error',
  answerField: 'message',
  delta: ({ field, keys }, piece) => ({
    type: 'content_block_delta',
    ...keys,
    delta: { type: DELTA_TYPES[field] ?? 'text_delta', [field]: piece },
  }),
  cut: (why, { open, usage: { outputTokens } }) => [
    ...open.map(keys => ({ type: 'content_block_stop', ...keys })),
    {
      type: 'message_delta',
      delta: { stop_reason: MESSAGES.finish[why], stop_sequence: null },
      usage: { output_tokens: outputTokens },
    },
    { type: 'message_stop' },
  ],
  failed: body => ({ ...body }),
}
