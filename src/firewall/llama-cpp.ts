import { CHAT, COMPLETION, COUNT_TOKENS, EMBEDDING, MESSAGE, RERANK, RESPONSE } from './common-fields.ts'
import type { ServerKind, TokenCounter, Unreachable } from './server-kind.ts'

/** One text, with the marks around it that a model gets. */
function textCounter(from: string): TokenCounter {
  return {
    path: '/tokenize',
    takes: ['model'],
    text: { from, as: 'content' },
    sets: { add_special: true, parse_special: true },
    answer: 'tokens',
  }
}

/** llama-server, after its source (tools/server) and what build b11669 answers. */
export const LLAMA_CPP: ServerKind = {
  kind: 'llama.cpp',
  serves: {
    '/v1/chat/completions': {
      upstreamPath: '/chat/completions',
      takes: [
        ...CHAT,
        'max_completion_tokens',
        'n',
        'top_k',
        'min_p',
        'repeat_penalty',
        'logit_bias',
        'grammar',
        'parallel_tool_calls',
        'chat_template_kwargs',
      ],
      drops: ['user', 'metadata'],
      counter: {
        path: '/v1/chat/completions/input_tokens',
        takes: [
          'model',
          'messages',
          'tools',
          'tool_choice',
          'parallel_tool_calls',
          'response_format',
          'reasoning_effort',
          'chat_template_kwargs',
        ],
        answer: 'input_tokens',
      },
    },
    '/v1/completions': {
      upstreamPath: '/completions',
      takes: [...COMPLETION, 'n', 'top_k', 'min_p', 'repeat_penalty', 'logit_bias', 'grammar'],
      drops: ['user'],
      counter: textCounter('prompt'),
    },
    '/v1/responses': {
      upstreamPath: '/responses',
      takes: [...RESPONSE, 'top_k', 'min_p', 'presence_penalty', 'frequency_penalty', 'seed', 'grammar'],
      drops: ['user', 'metadata', 'store', 'stream_options', 'truncation'],
      counter: {
        path: '/v1/responses/input_tokens',
        takes: ['model', 'input', 'instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'reasoning', 'text'],
        answer: 'input_tokens',
      },
    },
    '/v1/messages': {
      upstreamPath: '/messages',
      takes: [...MESSAGE, 'thinking'],
      drops: ['metadata', 'service_tier'],
      counter: {
        path: '/v1/messages/count_tokens',
        takes: [...COUNT_TOKENS, 'thinking'],
        answer: 'input_tokens',
      },
    },
    '/v1/messages/count_tokens': { upstreamPath: '/messages/count_tokens', takes: [...COUNT_TOKENS, 'thinking'] },
    '/v1/embeddings': {
      upstreamPath: '/embeddings',
      takes: EMBEDDING,
      drops: ['user'],
      counter: textCounter('input'),
    },
    '/v1/rerank': { upstreamPath: '/rerank', takes: RERANK, drops: ['user', 'return_documents'] },
  },
  refuses: {
    id_slot: 'slots of the model server are not for callers',
    lora: 'adapters are chosen by the administrators',
    cache_prompt: 'caching is set by the administrators',
    n_cache_reuse: 'caching is set by the administrators',
    n_keep: 'the context is managed by the administrators',
    n_discard: 'the context is managed by the administrators',
    n_predict: 'use max_tokens',
    n_probs: 'use logprobs',
    min_keep: 'samplers are set by the administrators',
    post_sampling_probs: 'use logprobs',
    return_tokens: 'raw tokens would bypass the output guard',
    return_progress: 'the form of the answer is fixed',
    timings_per_token: 'the form of the answer is fixed',
    response_fields: 'the form of the answer is fixed',
    verbose: 'the prompt is not repeated',
    samplers: 'samplers are set by the administrators',
    json_schema: 'use response_format',
    grammar_lazy: 'grammars are started by the model server itself',
    grammar_triggers: 'grammars are started by the model server itself',
    preserved_tokens: 'tokens are shown as the model server has them',
    chat_template: 'the chat template is set by the administrators',
    chat_format: 'the chat template is set by the administrators',
    parse_tool_calls: 'the form of the answer is fixed',
    reasoning_format: 'the form of the answer is fixed',
    reasoning_control: 'generation in progress is not for callers to control',
    thinking_forced_open: 'the chat template is set by the administrators',
    add_generation_prompt: 'the chat template is set by the administrators',
    t_max_predict_ms: 'deadlines are set by the administrators',
    input_prefix: 'filling in is not offered',
    input_suffix: 'filling in is not offered',
    input_extra: 'filling in is not offered',
  },
}

export const LLAMA_CPP_UNREACHABLE: readonly Unreachable[] = [
  { methods: ['GET'], paths: ['/slots'], danger: 'shows what others are asking' },
  {
    methods: ['POST'],
    paths: ['/slots/0?action=save', '/slots/0?action=restore', '/slots/0?action=erase', '/slots/0'],
    danger: "writes, loads and erases others' contexts",
  },
  { methods: ['GET', 'POST'], paths: ['/props'], danger: 'shows paths and templates, changes defaults' },
  { methods: ['GET', 'POST'], paths: ['/lora-adapters'], danger: 'changes the weights for everybody' },
  { methods: ['GET'], paths: ['/metrics'], danger: "shows everybody's use" },
  { methods: ['GET', 'POST', 'DELETE'], paths: ['/models'], danger: 'shows paths and launch arguments, adds models' },
  { methods: ['GET'], paths: ['/models?reload=1', '/models?autoload=1', '/models/sse'], danger: 'loads models' },
  { methods: ['POST'], paths: ['/models/load', '/models/unload'], danger: 'loads and unloads models' },
  { methods: ['GET', 'POST'], paths: ['/cors-proxy'], danger: 'fetches any address for the caller' },
  { methods: ['GET', 'POST'], paths: ['/tools'], danger: 'reads files and runs commands of the machine' },
  {
    methods: ['GET', 'POST', 'DELETE'],
    paths: ['/v1/stream/abc', '/v1/streams', '/v1/streams/lookup'],
    danger: "replays others' answers",
  },
  { methods: ['POST'], paths: ['/v1/chat/completions/control'], danger: "steers others' answers by their id" },
  {
    methods: ['POST'],
    paths: ['/completion', '/completions', '/chat/completions', '/responses', '/infill', '/v1/systemone'],
    danger: 'inference with fields that are not checked',
  },
  {
    methods: ['POST'],
    paths: ['/embedding', '/embeddings', '/rerank', '/reranking', '/v1/reranking'],
    danger: 'inference with fields that are not checked',
  },
  { methods: ['POST'], paths: ['/v1/audio/transcriptions', '/audio/transcriptions'], danger: 'sound is not checked' },
  {
    methods: ['POST'],
    paths: ['/tokenize', '/detokenize', '/apply-template'],
    danger: 'work that is not metered, and the chat template with what it holds',
  },
  {
    methods: ['POST'],
    paths: ['/v1/chat/completions/input_tokens', '/v1/responses/input_tokens'],
    danger: 'work that is not metered',
  },
  {
    methods: ['GET'],
    paths: ['/health', '/v1/health'],
    danger: 'tells of the server; `/healthz` tells of the gateway',
  },
  { methods: ['GET', 'POST'], paths: ['/predict', '/', '/index.html'], danger: 'the web interface, without a token' },
  { methods: ['GET', 'POST'], paths: ['/api/tags', '/api/show', '/api/chat'], danger: "Ollama's API, without checks" },
]
