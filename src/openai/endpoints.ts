import type { Shape } from '../json/shape.ts'
import { CHAT_COMPLETIONS } from '../wires/chat-completions.ts'
import { COMPLETIONS } from '../wires/completions.ts'
import { EMBEDDINGS } from '../wires/embeddings.ts'
import { CHAT_FIELDS, COMPLETION_FIELDS, EMBEDDING_FIELDS } from './fields.ts'
import type { Fields } from './schemas.ts'

/** One kind of request that is passed on to a model server. */
export interface Endpoint {
  readonly path: `/v1/${string}`
  /** Behind the upstream's base URL, which ends in `/v1`. */
  readonly upstreamPath: string
  readonly fields: Fields
  readonly required: readonly string[]
  /** Where the texts of its answers live. */
  readonly shape: Shape
  readonly streams: boolean
  /** The field that bounds the answer's tokens when the caller set none; null where there are none. */
  readonly outputField: 'max_tokens' | null
}

export const ENDPOINTS: readonly Endpoint[] = [
  {
    path: '/v1/chat/completions',
    upstreamPath: '/chat/completions',
    fields: CHAT_FIELDS,
    required: ['model', 'messages'],
    shape: CHAT_COMPLETIONS,
    streams: true,
    outputField: 'max_tokens',
  },
  {
    path: '/v1/completions',
    upstreamPath: '/completions',
    fields: COMPLETION_FIELDS,
    required: ['model', 'prompt'],
    shape: COMPLETIONS,
    streams: true,
    outputField: 'max_tokens',
  },
  {
    path: '/v1/embeddings',
    upstreamPath: '/embeddings',
    fields: EMBEDDING_FIELDS,
    required: ['model', 'input'],
    shape: EMBEDDINGS,
    streams: false,
    outputField: null,
  },
]

/** `GET /v1/models`, answered by the gateway itself. */
export const MODELS: Endpoint = {
  path: '/v1/models',
  upstreamPath: '/models',
  fields: {},
  required: [],
  shape: {},
  streams: false,
  outputField: null,
}
