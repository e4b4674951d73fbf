import { callArguments, delta, each, error, finish, logprobs, object, plain, tag, text, usage } from '../json/shape.ts'
import type { EventWire } from './event-wire.ts'
import { ReleasedOutput } from './released-output.ts'
import { ResponseNumbers } from './response-numbers.ts'

const part = (content: typeof plain) => object({ type: plain, text: content, refusal: text('refusal'), logprobs })

/** An item of the output: a message, a function call, the model's reasoning. */
const itemWith = (id: typeof plain) =>
  object({
    type: plain,
    id,
    call_id: plain,
    status: plain,
    role: plain,
    arguments: callArguments,
    content: each(part(text('content'))),
    summary: each(part(text('reasoning'))),
  })

const response = object({
  id: plain,
  object: plain,
  status: finish,
  model: plain,
  created_at: plain,
  error,
  usage,
  output: each(itemWith(plain)),
})

/**
 * Where the texts of `/v1/responses` live. Every text comes twice or more: in pieces, and whole in the events that end a
 * part, an item and the answer. The whole ones are guarded by themselves, which gives the same text.
 */
export const RESPONSES: EventWire = {
  body: response,
  event: object({
    type: tag('type'),
    sequence_number: tag('sequence_number'),
    item_id: tag('item_id'),
    output_index: tag('output_index'),
    content_index: tag('content_index'),
    summary_index: tag('summary_index'),
    annotation_index: plain,
    delta: delta('delta'),
    obfuscation: plain,
    logprobs,
    text: text('content'),
    refusal: text('refusal'),
    arguments: callArguments,
    part: part(text('content')),
    item: itemWith(tag('item_id')),
    response,
    error,
  }),
  finish: { length: 'incomplete', content_filter: 'incomplete' },
  deltaOf(type) {
    if (type.endsWith('arguments.delta')) return 'arguments'
    if (type.startsWith('response.reasoning')) return 'reasoning'
    return type === 'response.refusal.delta' ? 'refusal' : 'content'
  },
  closes(type) {
    if (ENDS.has(type)) return 'all'
    return type.endsWith('.done') ? 'same' : 'none'
  },
  repair: () => new ResponseNumbers(),
  keep: () => new ReleasedOutput(),
  isLast: type => ENDS.has(type),
  // Hugging Face's server sends no `response.completed`.
  mayEndSilently: true,
  isFailure: type => type === 'error' || type === 'response.failed',
  answerField: 'response',
  delta: ({ type, keys }, piece) => ({ type, ...keys, delta: piece }),
  cut(why, { answer, output, usage: { inputTokens, outputTokens } }) {
    const reason = why === 'length' ? 'max_output_tokens' : why
    const counts = { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens }
    return [
      {
        type: 'response.incomplete',
        response: { ...answer, status: 'incomplete', incomplete_details: { reason }, output, usage: counts },
      },
    ]
  },
  failed: ({ error: what }, { answer }) => ({
    type: 'response.failed',
    response: { ...answer, status: 'failed', error: what, output: [] },
  }),
}

const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled'])
