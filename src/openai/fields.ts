import * as v from 'valibot'
import { BOUNDS } from './bounds.ts'
import { imageUrl } from './media.ts'
import {
  anyObject,
  type Fields,
  flag,
  functionTool,
  integer,
  list,
  manyOf,
  mapping,
  name,
  number,
  text,
} from './schemas.ts'

/**
 * The request fields that may reach a model server, with their form. What is not listed is unknown: refused or dropped by
 * policy. Which kind of server takes which of them, and which are refused always, is said in `src/firewall`.
 */

const functionCall = v.strictObject({ name, arguments: text })
const toolCall = v.strictObject({
  id: name,
  type: v.literal('function', 'must be "function"'),
  index: v.optional(integer(0, BOUNDS.calls)),
  function: functionCall,
})

const contentPart = v.variant(
  'type',
  [
    v.strictObject({ type: v.literal('text'), text }),
    v.strictObject({ type: v.literal('refusal'), refusal: text }),
    v.strictObject({
      type: v.literal('image_url'),
      image_url: v.strictObject({ url: imageUrl, detail: v.optional(v.picklist(['auto', 'low', 'high'])) }),
    }),
    v.strictObject({
      type: v.literal('input_audio'),
      input_audio: v.strictObject({
        data: v.pipe(text, v.regex(/^[A-Za-z0-9+/=]*$/, 'must be base64')),
        format: v.picklist(['wav', 'mp3']),
      }),
    }),
  ],
  'must be a part of type text, refusal, image_url or input_audio',
)

const message = v.strictObject({
  role: v.picklist(
    ['system', 'developer', 'user', 'assistant', 'tool', 'function'],
    'must be system, developer, user, assistant, tool or function',
  ),
  content: v.optional(
    // By form, so that a fault in a part is named where it is and not as "one of the two".
    v.nullable(v.lazy(content => (Array.isArray(content) ? list(contentPart, BOUNDS.parts) : text))),
  ),
  name: v.optional(name),
  refusal: v.optional(v.nullable(text)),
  reasoning_content: v.optional(v.nullable(text)),
  reasoning: v.optional(v.nullable(text)),
  tool_call_id: v.optional(name),
  tool_calls: v.optional(v.nullable(list(toolCall, BOUNDS.calls))),
  function_call: v.optional(v.nullable(functionCall)),
})

/** Fields that several requests share. */
export const sampling = {
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: integer(-1, 1_000_000),
  min_p: number(0, 1),
  presence_penalty: number(-2, 2),
  frequency_penalty: number(-2, 2),
  repeat_penalty: number(0, 10),
  repetition_penalty: number(0, 10),
  seed: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  stop: v.union([text, manyOf(text)], 'must be a string or an array of strings'),
  logit_bias: mapping(
    number(-100, 100),
    'must be an object',
    v.pipe(v.string(), v.regex(/^\d{1,9}$/, 'must have token numbers as keys')),
  ),
  grammar: text,
  stream: flag,
  stream_options: v.strictObject(
    { include_usage: v.optional(flag), include_obfuscation: v.optional(flag) },
    'must be an object',
  ),
  n: integer(1),
  user: name,
  model: name,
} satisfies Fields

export const CHAT_FIELDS: Fields = {
  ...sampling,
  messages: manyOf(message, 1),
  max_tokens: integer(1),
  max_completion_tokens: integer(1),
  logprobs: flag,
  top_logprobs: integer(0),
  tools: manyOf(v.strictObject({ type: v.literal('function', 'must be "function"'), function: functionTool })),
  tool_choice: v.union(
    [
      v.picklist(['none', 'auto', 'required']),
      v.strictObject({ type: v.literal('function'), function: v.strictObject({ name }) }),
    ],
    'must be none, auto, required or a function',
  ),
  functions: manyOf(functionTool),
  function_call: v.union([v.picklist(['none', 'auto']), v.strictObject({ name })], 'must be none, auto or a function'),
  parallel_tool_calls: flag,
  response_format: v.variant(
    'type',
    [
      v.strictObject({ type: v.literal('text') }),
      v.strictObject({ type: v.literal('json_object'), schema: v.optional(anyObject) }),
      v.strictObject({
        type: v.literal('json_schema'),
        json_schema: v.strictObject({
          name: v.optional(name),
          description: v.optional(text),
          schema: v.optional(anyObject),
          strict: v.optional(v.nullable(flag)),
        }),
      }),
    ],
    'must be of type text, json_object or json_schema',
  ),
  reasoning_effort: v.picklist(
    ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'],
    'must be none, minimal, low, medium, high or xhigh',
  ),
  metadata: mapping(v.pipe(text, v.maxLength(BOUNDS.name)), 'must be an object of strings'),
  // The one thing that callers need of it; anything else would reach into the template.
  chat_template_kwargs: v.strictObject(
    { enable_thinking: v.optional(flag), thinking: v.optional(flag) },
    'must be an object',
  ),
}

export const COMPLETION_FIELDS: Fields = {
  ...sampling,
  prompt: v.union([text, manyOf(text, 1)], 'must be a string or an array of strings; token numbers cannot be checked'),
  suffix: text,
  max_tokens: integer(1),
  best_of: integer(1),
  logprobs: integer(0),
}

export const EMBEDDING_FIELDS: Fields = {
  model: name,
  input: v.union([text, manyOf(text, 1)], 'must be a string or an array of strings; token numbers cannot be checked'),
  encoding_format: v.picklist(['float', 'base64'], 'must be float or base64'),
  dimensions: integer(1, 65_536),
  user: name,
}
