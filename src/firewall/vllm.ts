import { CHAT, COMPLETION, COUNT_TOKENS, EMBEDDING, MESSAGE, RERANK, RESPONSE } from './common-fields.ts'
import type { ServerKind, TokenCounter, Unreachable } from './server-kind.ts'

/** One text, with the marks around it that a model gets. */
function textCounter(from: string): TokenCounter {
  return { path: '/tokenize', takes: ['model'], text: { from, as: 'prompt' }, answer: 'count' }
}

/** vLLM, after the request models of its source (vllm/entrypoints). */
export const VLLM: ServerKind = {
  kind: 'vllm',
  serves: {
    '/v1/chat/completions': {
      upstreamPath: '/chat/completions',
      takes: [
        ...CHAT,
        'max_completion_tokens',
        'n',
        'top_k',
        'min_p',
        'repetition_penalty',
        'logit_bias',
        'parallel_tool_calls',
        'chat_template_kwargs',
        'user',
      ],
      drops: ['metadata'],
      takesCacheSalt: true,
      counter: {
        path: '/tokenize',
        takes: ['model', 'messages', 'tools', 'chat_template_kwargs'],
        answer: 'count',
      },
    },
    '/v1/completions': {
      upstreamPath: '/completions',
      takes: [...COMPLETION, 'n', 'top_k', 'min_p', 'repetition_penalty', 'logit_bias', 'user'],
      takesCacheSalt: true,
      counter: textCounter('prompt'),
    },
    '/v1/responses': {
      upstreamPath: '/responses',
      takes: [...RESPONSE, 'top_logprobs', 'top_k', 'seed', 'truncation', 'user', 'metadata'],
      drops: ['store', 'stream_options'],
      sets: { store: false },
      takesCacheSalt: true,
    },
    '/v1/messages': {
      upstreamPath: '/messages',
      takes: MESSAGE,
      drops: ['metadata', 'service_tier', 'thinking'],
      counter: { path: '/v1/messages/count_tokens', takes: COUNT_TOKENS, answer: 'input_tokens' },
    },
    '/v1/messages/count_tokens': {
      upstreamPath: '/messages/count_tokens',
      takes: COUNT_TOKENS,
      drops: ['thinking'],
    },
    '/v1/embeddings': {
      upstreamPath: '/embeddings',
      takes: [...EMBEDDING, 'dimensions', 'user'],
      counter: textCounter('input'),
    },
    '/v1/rerank': { upstreamPath: '/rerank', takes: RERANK, drops: ['user', 'return_documents'] },
  },
  refuses: {
    cache_salt: 'caching is set by the administrators',
    priority: 'priority is set by the administrators',
    request_id: 'request ids are set by the gateway; send x-request-id',
    kv_transfer_params: 'transfers between model servers are not for callers',
    vllm_xargs: 'extra arguments are set by the administrators',
    mm_processor_kwargs: 'the processor is set by the administrators',
    media_io_kwargs: 'the processor is set by the administrators',
    stream_interval: 'the pace of the stream is set by the administrators',
    chat_template: 'the chat template is set by the administrators',
    add_generation_prompt: 'the chat template is set by the administrators',
    continue_final_message: 'the chat template is set by the administrators',
    add_special_tokens: 'the chat template is set by the administrators',
    documents: 'put documents into messages, where they are checked',
    echo: 'the prompt is not repeated',
    prompt_logprobs: 'the prompt is not repeated',
    prompt_embeds: 'vectors cannot be checked; send text',
    truncate_prompt_tokens: 'prompts are not cut',
    return_token_ids: 'raw tokens would bypass the output guard',
    return_tokens_as_token_ids: 'raw tokens would bypass the output guard',
    allowed_token_ids: 'use response_format',
    bad_words: 'use logit_bias',
    stop_token_ids: 'use stop',
    min_tokens: 'use max_tokens',
    ignore_eos: 'an answer ends where the model ends it',
    use_beam_search: 'samplers are set by the administrators',
    length_penalty: 'samplers are set by the administrators',
    logits_processors: 'samplers are set by the administrators',
    skip_special_tokens: 'the form of the answer is fixed',
    spaces_between_special_tokens: 'the form of the answer is fixed',
    include_stop_str_in_output: 'the form of the answer is fixed',
    include_reasoning: 'the form of the answer is fixed',
    structured_outputs: 'use response_format',
    guided_json: 'use response_format',
    guided_regex: 'use response_format',
    guided_choice: 'use response_format',
    guided_grammar: 'use response_format',
    guided_decoding_backend: 'use response_format',
    guided_whitespace_pattern: 'use response_format',
    enable_response_messages: 'raw tokens would bypass the output guard',
    previous_input_messages: 'put them into input, where they are checked',
    previous_response: 'put it into input, where it is checked',
    background: 'answers are not kept',
    max_tool_calls: 'tools do not run on the model server',
  },
}

export const VLLM_UNREACHABLE: readonly Unreachable[] = [
  {
    methods: ['POST'],
    paths: ['/v1/load_lora_adapter', '/v1/unload_lora_adapter'],
    danger: 'changes the weights for everybody',
  },
  { methods: ['POST'], paths: ['/collective_rpc'], danger: 'runs any function on the workers' },
  { methods: ['POST'], paths: ['/sleep', '/wake_up', '/pause', '/resume'], danger: 'stops the service for everybody' },
  { methods: ['GET'], paths: ['/is_sleeping', '/is_paused'], danger: 'tells of the server' },
  {
    methods: ['POST'],
    paths: ['/scale_elastic_ep', '/is_scaling_elastic_ep', '/abort_requests', '/start_profile', '/stop_profile'],
    danger: 'stops or slows the service for everybody',
  },
  {
    methods: ['POST'],
    paths: ['/init_weight_transfer_engine', '/update_weights'],
    danger: 'replaces the weights for everybody',
  },
  {
    methods: ['POST'],
    paths: ['/reset_prefix_cache', '/reset_mm_cache', '/reset_encoder_cache'],
    danger: 'slows the service for everybody',
  },
  {
    methods: ['GET'],
    paths: ['/server_info', '/load', '/version', '/metrics', '/tokenizer_info'],
    danger: 'shows the configuration and the use of everybody',
  },
  { methods: ['GET'], paths: ['/docs', '/redoc', '/openapi.json'], danger: 'the list of all this' },
  { methods: ['GET', 'POST'], paths: ['/ping'], danger: 'tells of the server' },
  { methods: ['GET'], paths: ['/health'], danger: 'tells of the server; `/healthz` tells of the gateway' },
  {
    methods: ['POST'],
    paths: ['/invocations', '/inference/v1/generate', '/generate', '/v1/chat/completions/batch'],
    danger: 'inference with fields that are not checked, without a key',
  },
  {
    methods: ['POST'],
    paths: ['/pooling', '/classify', '/score', '/v1/score', '/rerank', '/v2/rerank', '/v2/embed'],
    danger: 'inference with fields that are not checked, without a key',
  },
  {
    methods: ['POST'],
    paths: ['/tokenize', '/detokenize', '/v1/chat/completions/render', '/v1/completions/render'],
    danger: 'work that is not metered, and the chat template with what it holds',
  },
  {
    methods: ['GET', 'POST', 'DELETE'],
    paths: ['/v1/responses/resp_1', '/v1/responses/resp_1/cancel'],
    danger: "reads and ends others' answers by their id",
  },
  {
    methods: ['POST'],
    paths: ['/v1/audio/transcriptions', '/v1/audio/translations', '/v1/audio/speech'],
    danger: 'sound is not checked',
  },
  { methods: ['GET'], paths: ['/v1/realtime'], danger: 'sound is not checked' },
]
