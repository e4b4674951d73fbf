import { CHAT, COMPLETION, EMBEDDING, RESPONSE } from './common-fields.ts'
import type { ServerKind, Unreachable } from './server-kind.ts'

/** Any other server of the OpenAI API: the fields of that API alone, since it may refuse what it does not know. */
export const OPENAI_SERVER: ServerKind = {
  kind: 'openai',
  serves: {
    '/v1/chat/completions': {
      upstreamPath: '/chat/completions',
      takes: [
        ...CHAT,
        'max_completion_tokens',
        'n',
        'logit_bias',
        'parallel_tool_calls',
        'functions',
        'function_call',
        'user',
        'metadata',
      ],
    },
    '/v1/completions': {
      upstreamPath: '/completions',
      takes: [...COMPLETION, 'n', 'best_of', 'logit_bias', 'suffix', 'user'],
    },
    '/v1/responses': {
      upstreamPath: '/responses',
      takes: [...RESPONSE, 'top_logprobs', 'stream_options', 'truncation', 'user', 'metadata'],
      drops: ['store'],
      sets: { store: false },
    },
    '/v1/embeddings': { upstreamPath: '/embeddings', takes: [...EMBEDDING, 'dimensions', 'user'] },
  },
  refuses: {
    store: 'answers are not kept',
    previous_response_id: 'answers are not kept',
    conversation: 'conversations are not kept',
    prompt_cache_key: 'caching is set by the administrators',
    prompt_cache_retention: 'caching is set by the administrators',
    service_tier: 'priority is set by the administrators',
    web_search_options: 'tools do not run on the model server',
    modalities: 'answers are text',
    audio: 'answers are text',
    prediction: 'put it into messages, where it is checked',
  },
}

export const OPENAI_UNREACHABLE: readonly Unreachable[] = [
  {
    methods: ['GET', 'POST', 'DELETE'],
    paths: ['/v1/files', '/v1/files/f', '/v1/uploads', '/v1/batches', '/v1/vector_stores'],
    danger: "reads and writes the account's files",
  },
  {
    methods: ['GET', 'POST'],
    paths: ['/v1/fine_tuning/jobs', '/v1/assistants', '/v1/threads', '/v1/conversations', '/v1/containers'],
    danger: 'keeps what was asked, at the cost of the account',
  },
  {
    methods: ['GET', 'DELETE'],
    paths: ['/v1/chat/completions/c', '/v1/responses/resp_1'],
    danger: "reads and deletes others' answers by their id",
  },
  {
    methods: ['POST'],
    paths: ['/v1/images/generations', '/v1/audio/speech', '/v1/audio/transcriptions', '/v1/videos', '/v1/moderations'],
    danger: 'media are not checked',
  },
  {
    methods: ['GET', 'POST'],
    paths: ['/v1/organization/users', '/v1/organization/admin_api_keys', '/v1/organization/costs'],
    danger: 'administers the account',
  },
  { methods: ['GET'], paths: ['/v1/realtime'], danger: 'sound is not checked' },
]
