import * as v from 'valibot'
import { BOUNDS } from './bounds.ts'
import { imageUrl } from './media.ts'
import { anyObject, type Fields, flag, integer, list, manyOf, name, number, text } from './schemas.ts'

/**
 * The fields of `/v1/messages` and `/v1/messages/count_tokens` (Anthropic's Messages API) that reach a model server.
 * Files by id, and the tools that the server would run itself are not offered.
 */

const cacheControl = v.optional(
  v.nullable(v.strictObject({ type: v.literal('ephemeral'), ttl: v.optional(v.picklist(['5m', '1h'])) })),
)

const textBlock = v.strictObject({
  type: v.literal('text'),
  text,
  cache_control: cacheControl,
  citations: v.optional(v.null('must be null')),
})

const imageBlock = v.strictObject({
  type: v.literal('image'),
  source: v.variant(
    'type',
    [
      v.strictObject({
        type: v.literal('base64'),
        media_type: v.picklist(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
        data: v.pipe(text, v.regex(/^[A-Za-z0-9+/=]*$/, 'must be base64')),
      }),
      v.strictObject({ type: v.literal('url'), url: imageUrl }),
    ],
    'must be of type base64 or url',
  ),
  cache_control: cacheControl,
})

const resultPart = v.variant('type', [textBlock, imageBlock], 'must be a block of type text or image')

const block = v.variant(
  'type',
  [
    textBlock,
    imageBlock,
    v.strictObject({
      type: v.literal('tool_use'),
      id: name,
      name,
      input: anyObject,
      cache_control: cacheControl,
    }),
    v.strictObject({
      type: v.literal('tool_result'),
      tool_use_id: name,
      content: v.optional(v.lazy(value => (Array.isArray(value) ? list(resultPart, BOUNDS.parts) : text))),
      is_error: v.optional(flag),
      cache_control: cacheControl,
    }),
    v.strictObject({ type: v.literal('thinking'), thinking: text, signature: v.optional(text) }),
  ],
  'must be a block of type text, image, tool_use, tool_result or thinking',
)

const message = v.strictObject({
  role: v.picklist(['user', 'assistant', 'system'], 'must be user, assistant or system'),
  content: v.lazy(value => (Array.isArray(value) ? list(block, BOUNDS.parts) : text)),
})

const tool = v.strictObject({
  type: v.optional(v.nullable(v.literal('custom', 'must be "custom"; other tools would run on the model server'))),
  name,
  description: v.optional(text),
  input_schema: anyObject,
  strict: v.optional(flag),
  cache_control: cacheControl,
})

const tokens = integer(1)

/** What counts as input: the fields of `/v1/messages/count_tokens`. */
export const COUNT_TOKENS_FIELDS: Fields = {
  model: name,
  messages: manyOf(message, 1),
  system: v.lazy(value => (Array.isArray(value) ? list(textBlock, BOUNDS.parts) : text)),
  tools: manyOf(tool),
  tool_choice: v.variant(
    'type',
    [
      v.strictObject({ type: v.literal('auto'), disable_parallel_tool_use: v.optional(flag) }),
      v.strictObject({ type: v.literal('any'), disable_parallel_tool_use: v.optional(flag) }),
      v.strictObject({ type: v.literal('tool'), name, disable_parallel_tool_use: v.optional(flag) }),
      v.strictObject({ type: v.literal('none') }),
    ],
    'must be of type auto, any, tool or none',
  ),
  thinking: v.variant(
    'type',
    [
      v.strictObject({ type: v.literal('enabled'), budget_tokens: tokens }),
      v.strictObject({ type: v.literal('adaptive') }),
      v.strictObject({ type: v.literal('disabled') }),
    ],
    'must be of type enabled, adaptive or disabled',
  ),
}

export const MESSAGE_FIELDS: Fields = {
  ...COUNT_TOKENS_FIELDS,
  max_tokens: tokens,
  stream: flag,
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: integer(-1, 1_000_000),
  stop_sequences: manyOf(text),
  service_tier: v.picklist(['auto', 'standard_only'], 'must be auto or standard_only'),
  metadata: v.strictObject({ user_id: v.optional(v.nullable(name)) }, 'must be an object'),
}
