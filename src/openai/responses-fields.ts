import * as v from 'valibot'
import { BOUNDS } from './bounds.ts'
import { sampling } from './fields.ts'
import { imageUrl } from './media.ts'
import { anyObject, type Fields, flag, integer, list, manyOf, mapping, name, text } from './schemas.ts'

/**
 * The fields of `/v1/responses` that reach a model server. What another request would have left behind on it (stored
 * answers, conversations, files, prompts by id) and the tools that it would run itself are not offered.
 */

const status = v.optional(v.nullable(v.picklist(['in_progress', 'completed', 'incomplete'])))
const id = v.optional(v.nullable(name))

const inputText = v.strictObject({ type: v.literal('input_text'), text })
const inputImage = v.strictObject({
  type: v.literal('input_image'),
  image_url: imageUrl,
  detail: v.optional(v.picklist(['auto', 'low', 'high', 'original'])),
})
const outputText = v.strictObject({
  type: v.literal('output_text'),
  text,
  // What an earlier answer had beside its text comes back with it.
  annotations: v.optional(list(anyObject, BOUNDS.parts)),
  logprobs: v.optional(list(anyObject, BOUNDS.logprobs)),
})

const messagePart = v.variant(
  'type',
  [inputText, inputImage, outputText, v.strictObject({ type: v.literal('refusal'), refusal: text })],
  'must be a part of type input_text, input_image, output_text or refusal',
)

const content = v.lazy(value => (Array.isArray(value) ? list(messagePart, BOUNDS.parts) : text))

const message = v.strictObject({
  type: v.optional(v.literal('message')),
  id,
  status,
  role: v.picklist(['user', 'assistant', 'system', 'developer'], 'must be user, assistant, system or developer'),
  content,
})

const functionCall = v.strictObject({
  type: v.literal('function_call'),
  id,
  status,
  call_id: name,
  name,
  arguments: text,
})

const outputPart = v.variant('type', [inputText, inputImage], 'must be a part of type input_text or input_image')

const functionCallOutput = v.strictObject({
  type: v.literal('function_call_output'),
  id,
  status,
  call_id: name,
  output: v.lazy(value => (Array.isArray(value) ? list(outputPart, BOUNDS.parts) : text)),
})

const reasoning = v.strictObject({
  type: v.literal('reasoning'),
  id,
  status,
  summary: v.optional(list(v.strictObject({ type: v.literal('summary_text'), text }), BOUNDS.parts)),
  content: v.optional(v.nullable(list(v.strictObject({ type: v.literal('reasoning_text'), text }), BOUNDS.parts))),
  // Only its maker can read it, so that it cannot be checked. Servers of open models leave it empty.
  encrypted_content: v.optional(v.nullable(v.literal('', 'cannot be checked; leave it out'))),
})

/** By type, where there is one; a message may leave it out. */
const item = v.lazy(value => {
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined
  if (type === undefined) return message
  return v.variant(
    'type',
    [
      { ...message, entries: { ...message.entries, type: v.literal('message') } },
      functionCall,
      functionCallOutput,
      reasoning,
    ],
    'must be an item of type message, function_call, function_call_output or reasoning',
  )
})

const functionTool = v.strictObject({
  type: v.literal('function', 'must be "function"; other tools would run on the model server'),
  name,
  description: v.optional(v.nullable(text)),
  parameters: v.optional(v.nullable(anyObject)),
  strict: v.optional(v.nullable(flag)),
})

const { temperature, top_p, top_k, min_p, presence_penalty, frequency_penalty, seed, grammar, user, model } = sampling

export const RESPONSE_FIELDS: Fields = {
  temperature,
  top_p,
  top_k,
  min_p,
  presence_penalty,
  frequency_penalty,
  seed,
  grammar,
  user,
  model,
  input: v.lazy(value => (Array.isArray(value) ? manyOf(item, 1) : text)),
  instructions: text,
  max_output_tokens: integer(1),
  stream: flag,
  stream_options: v.strictObject({ include_obfuscation: v.optional(flag) }, 'must be an object'),
  tools: manyOf(functionTool),
  tool_choice: v.union(
    [v.picklist(['none', 'auto', 'required']), v.strictObject({ type: v.literal('function'), name })],
    'must be none, auto, required or a function',
  ),
  parallel_tool_calls: flag,
  reasoning: v.strictObject(
    {
      effort: v.optional(v.nullable(v.picklist(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']))),
      summary: v.optional(v.nullable(v.picklist(['auto', 'concise', 'detailed']))),
    },
    'must be an object',
  ),
  text: v.strictObject(
    {
      verbosity: v.optional(v.nullable(v.picklist(['low', 'medium', 'high']))),
      format: v.optional(
        v.variant(
          'type',
          [
            v.strictObject({ type: v.literal('text') }),
            v.strictObject({ type: v.literal('json_object') }),
            v.strictObject({
              type: v.literal('json_schema'),
              name: v.optional(name),
              description: v.optional(text),
              schema: v.optional(anyObject),
              strict: v.optional(v.nullable(flag)),
            }),
          ],
          'must be of type text, json_object or json_schema',
        ),
      ),
    },
    'must be an object',
  ),
  top_logprobs: integer(0),
  truncation: v.picklist(['auto', 'disabled'], 'must be auto or disabled'),
  // SDKs and agents say so on each request; what they ask for is how it is here anyway.
  store: v.literal(false, 'must be false: answers are not kept'),
  include: list(v.picklist(['reasoning.encrypted_content', 'message.output_text.logprobs']), 2),
  metadata: mapping(v.pipe(text, v.maxLength(BOUNDS.name)), 'must be an object of strings'),
}
