import * as v from 'valibot'
import { BOUNDS } from './bounds.ts'
import { imageUrl } from './media.ts'
import { anyObject, type Fields, flag, functionTool, integer, list, mapping, name, number, text } from './schemas.ts'

/**
 * The request fields that reach a model server, with their bounds. What is not listed is unknown: refused or dropped by
 * policy. The forbidden ones steer the server, read its insides, or reach other tenants; they are refused always.
 */

/** Fields that are refused whatever the policy, with the reason told to the caller (llama.cpp and vLLM documentation). */
export const FORBIDDEN_FIELDS: Readonly<Record<string, string>> = {
  id_slot: 'slots of the model server are not for callers',
  lora: 'adapters are chosen by the administrators',
  cache_prompt: 'caching is set by the administrators',
  cache_salt: 'caching is set by the administrators',
  n_predict: 'use max_tokens',
  n_probs: 'use logprobs',
  return_tokens: 'raw tokens would bypass the output guard',
  return_token_ids: 'raw tokens would bypass the output guard',
  return_tokens_as_token_ids: 'raw tokens would bypass the output guard',
  response_fields: 'the form of the answer is fixed',
  prompt_logprobs: 'the prompt is not repeated',
  echo: 'the prompt is not repeated',
  chat_template: 'the chat template is set by the administrators',
  chat_template_kwargs: 'the chat template is set by the administrators',
  reasoning_control: 'generation in progress is not for callers to control',
  samplers: 'samplers are set by the administrators',
  priority: 'priority is set by the administrators',
  request_id: 'request ids are set by the gateway; send x-request-id',
  kv_transfer_params: 'transfers between model servers are not for callers',
  vllm_xargs: 'extra arguments are set by the administrators',
  mm_processor_kwargs: 'the processor is set by the administrators',
  stream_interval: 'the pace of the stream is set by the administrators',
  previous_response_id: 'answers are not kept',
  conversation: 'conversations are not kept',
  store: 'answers are not kept',
}

const functionCall = v.strictObject({ name, arguments: text })
const toolCall = v.strictObject({
  id: name,
  type: v.literal('function', 'must be "function"'),
  index: v.optional(integer(0, BOUNDS.tools)),
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
  tool_calls: v.optional(v.nullable(list(toolCall, BOUNDS.tools))),
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
  stop: v.union([text, list(text, BOUNDS.stops)], `must be a string or an array of at most ${BOUNDS.stops} strings`),
  logit_bias: v.pipe(
    mapping(
      number(-100, 100),
      'must be an object',
      v.pipe(v.string(), v.regex(/^\d{1,9}$/, 'must have token numbers as keys')),
    ),
    v.check(bias => Object.keys(bias).length <= BOUNDS.logitBias, `has more than ${BOUNDS.logitBias} entries`),
  ),
  grammar: v.pipe(text, v.maxLength(BOUNDS.grammar, `has more than ${BOUNDS.grammar} characters`)),
  stream: flag,
  stream_options: v.strictObject(
    { include_usage: v.optional(flag), include_obfuscation: v.optional(flag) },
    'must be an object',
  ),
  n: integer(1, BOUNDS.choices),
  user: name,
  model: name,
} satisfies Fields

export const CHAT_FIELDS: Fields = {
  ...sampling,
  messages: list(message, BOUNDS.items, 1),
  max_tokens: integer(1, BOUNDS.tokens),
  max_completion_tokens: integer(1, BOUNDS.tokens),
  logprobs: flag,
  top_logprobs: integer(0, BOUNDS.topLogprobs),
  tools: list(
    v.strictObject({ type: v.literal('function', 'must be "function"'), function: functionTool }),
    BOUNDS.tools,
  ),
  tool_choice: v.union(
    [
      v.picklist(['none', 'auto', 'required']),
      v.strictObject({ type: v.literal('function'), function: v.strictObject({ name }) }),
    ],
    'must be none, auto, required or a function',
  ),
  functions: list(functionTool, BOUNDS.tools),
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
}

export const COMPLETION_FIELDS: Fields = {
  ...sampling,
  prompt: v.union(
    [text, list(text, BOUNDS.items, 1)],
    'must be a string or an array of strings; token numbers cannot be checked',
  ),
  suffix: text,
  max_tokens: integer(1, BOUNDS.tokens),
  best_of: integer(1, BOUNDS.choices),
  logprobs: integer(0, BOUNDS.topLogprobs),
}

export const EMBEDDING_FIELDS: Fields = {
  model: name,
  input: v.union(
    [text, list(text, BOUNDS.items, 1)],
    'must be a string or an array of strings; token numbers cannot be checked',
  ),
  encoding_format: v.picklist(['float', 'base64'], 'must be float or base64'),
  dimensions: integer(1, 65_536),
  user: name,
}
