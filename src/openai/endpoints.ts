import type { Scope } from '../auth/scopes.ts'
import { anthropicError } from '../errors/anthropic-error.ts'
import { openAiError, type Refusal } from '../errors/refusal.ts'
import type { Shape } from '../json/shape.ts'
import { CHAT_COMPLETIONS } from '../wires/chat-completions.ts'
import { COMPLETIONS } from '../wires/completions.ts'
import { EMBEDDINGS } from '../wires/embeddings.ts'
import type { EventWire } from '../wires/event-wire.ts'
import { MESSAGES } from '../wires/messages.ts'
import { RERANK } from '../wires/rerank.ts'
import { RESPONSES } from '../wires/responses.ts'
import { TOKEN_COUNT } from '../wires/token-count.ts'
import { CHAT_FIELDS, COMPLETION_FIELDS, EMBEDDING_FIELDS } from './fields.ts'
import { COUNT_TOKENS_FIELDS, MESSAGE_FIELDS } from './messages-fields.ts'
import { RERANK_FIELDS } from './rerank-fields.ts'
import { RESPONSE_FIELDS } from './responses-fields.ts'
import type { Fields } from './schemas.ts'

/** What requests have done, as OpenTelemetry's conventions call it; they have no words for the last three. */
export const OPERATIONS = ['chat', 'text_completion', 'embeddings', 'rerank', 'count_tokens', 'list_models'] as const
export type Operation = (typeof OPERATIONS)[number]

/** One kind of request that is passed on to a model server. */
export interface Endpoint {
  readonly path: `/${string}`
  /** Absent: none that metrics and traces are about. */
  readonly operation?: Operation
  /** A token needs one of these. */
  readonly scopes: readonly Scope[]
  readonly fields: Fields
  readonly required: readonly string[]
  /** The fields that the caller's own words stand in: what the record's keyed hash is taken of. */
  readonly prompt: readonly string[]
  /** Where the texts of its answers live: in choices that stream alike, or in typed events. */
  readonly answer: Shape | EventWire
  /**
   * The fields by which a caller bounds the answer's tokens; the first is set where there is none. Empty: no tokens are
   * generated.
   */
  readonly outputFields: readonly string[]
  /** Whether the model reads the prompt: what merely counts it costs no tokens. */
  readonly metered: boolean
  /** Whether usage comes in a stream only if it is asked for. */
  readonly asksForUsage: boolean
  /** Whether the credential may also stand in `x-api-key`, as the wire's own clients send it. */
  readonly takesApiKey: boolean
  /** The body of an error answer. */
  readonly errorBody: (refusal: Refusal) => Record<string, unknown>
}

const INFERENCE = { scopes: ['inference'], asksForUsage: false } as const
const OPENAI = { ...INFERENCE, metered: true, takesApiKey: false, errorBody: openAiError } as const
const ANTHROPIC = { ...INFERENCE, takesApiKey: true, errorBody: anthropicError } as const

export const ENDPOINTS: readonly Endpoint[] = [
  {
    ...OPENAI,
    path: '/v1/chat/completions',
    operation: 'chat',
    fields: CHAT_FIELDS,
    required: ['model', 'messages'],
    prompt: ['messages'],
    answer: CHAT_COMPLETIONS,
    outputFields: ['max_tokens', 'max_completion_tokens'],
    asksForUsage: true,
  },
  {
    ...OPENAI,
    path: '/v1/completions',
    operation: 'text_completion',
    fields: COMPLETION_FIELDS,
    required: ['model', 'prompt'],
    prompt: ['prompt'],
    answer: COMPLETIONS,
    outputFields: ['max_tokens'],
    asksForUsage: true,
  },
  {
    ...OPENAI,
    path: '/v1/responses',
    operation: 'chat',
    fields: RESPONSE_FIELDS,
    required: ['model', 'input'],
    prompt: ['instructions', 'input'],
    answer: RESPONSES,
    outputFields: ['max_output_tokens'],
  },
  {
    ...ANTHROPIC,
    path: '/v1/messages',
    operation: 'chat',
    fields: MESSAGE_FIELDS,
    required: ['model', 'messages', 'max_tokens'],
    prompt: ['system', 'messages'],
    answer: MESSAGES,
    outputFields: ['max_tokens'],
    metered: true,
  },
  {
    ...ANTHROPIC,
    path: '/v1/messages/count_tokens',
    operation: 'count_tokens',
    fields: COUNT_TOKENS_FIELDS,
    required: ['model', 'messages'],
    prompt: ['system', 'messages'],
    answer: TOKEN_COUNT,
    outputFields: [],
    metered: false,
  },
  {
    ...OPENAI,
    path: '/v1/embeddings',
    operation: 'embeddings',
    fields: EMBEDDING_FIELDS,
    required: ['model', 'input'],
    prompt: ['input'],
    answer: EMBEDDINGS,
    outputFields: [],
  },
  {
    ...OPENAI,
    path: '/v1/rerank',
    operation: 'rerank',
    fields: RERANK_FIELDS,
    required: ['model', 'query', 'documents'],
    prompt: ['query', 'documents'],
    answer: RERANK,
    outputFields: [],
  },
]

/** `GET /v1/models`, answered by the gateway itself. */
export const MODELS: Endpoint = {
  ...OPENAI,
  scopes: ['inference', 'models:read'],
  path: '/v1/models',
  operation: 'list_models',
  fields: {},
  required: [],
  prompt: [],
  answer: {},
  outputFields: [],
}
