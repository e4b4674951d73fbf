/** What every kind of server takes at an endpoint; each adds its own. */

export const CHAT = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'seed',
  'stop',
  'tools',
  'tool_choice',
  'response_format',
  'reasoning_effort',
  'logprobs',
  'top_logprobs',
]

export const COMPLETION = [
  'model',
  'prompt',
  'stream',
  'stream_options',
  'max_tokens',
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'seed',
  'stop',
  'logprobs',
]

export const RESPONSE = [
  'model',
  'input',
  'instructions',
  'stream',
  'max_output_tokens',
  'temperature',
  'top_p',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning',
  'text',
  'include',
]

export const COUNT_TOKENS = ['model', 'messages', 'system', 'tools', 'tool_choice']

export const MESSAGE = [...COUNT_TOKENS, 'max_tokens', 'stream', 'temperature', 'top_p', 'top_k', 'stop_sequences']

export const EMBEDDING = ['model', 'input', 'encoding_format']

export const RERANK = ['model', 'query', 'documents', 'top_n']
