import { CHAT, COMPLETION, EMBEDDING } from './common-fields.ts'
import type { ServerKind, Unreachable } from './server-kind.ts'

/**
 * Ollama's OpenAI endpoints, after its source (openai/openai.go). It ignores what it does not know, so that a bound it does
 * not know would be none: only `max_tokens` bounds an answer.
 */
export const OLLAMA: ServerKind = {
  kind: 'ollama',
  serves: {
    '/v1/chat/completions': {
      upstreamPath: '/chat/completions',
      takes: CHAT,
      drops: ['max_completion_tokens', 'user', 'metadata'],
      boundedBy: 'max_tokens',
    },
    '/v1/completions': {
      upstreamPath: '/completions',
      takes: [...COMPLETION, 'suffix'],
      drops: ['user'],
      boundedBy: 'max_tokens',
    },
    '/v1/embeddings': { upstreamPath: '/embeddings', takes: [...EMBEDDING, 'dimensions'], drops: ['user'] },
  },
  refuses: {
    options: 'how the model runs is set by the administrators',
    keep_alive: 'loading and unloading are for the administrators',
    think: 'use reasoning_effort',
    template: 'the chat template is set by the administrators',
    raw: 'the chat template is set by the administrators',
    context: 'the context is managed by the administrators',
    images: 'put images into messages, where their addresses are checked',
    _debug_render_only: 'the prompt is not repeated',
  },
}

export const OLLAMA_UNREACHABLE: readonly Unreachable[] = [
  { methods: ['POST'], paths: ['/api/pull', '/api/push'], danger: 'downloads and uploads models' },
  { methods: ['POST'], paths: ['/api/create', '/api/copy'], danger: 'makes models with system prompts of their own' },
  { methods: ['DELETE'], paths: ['/api/delete'], danger: 'deletes models' },
  { methods: ['HEAD', 'POST'], paths: ['/api/blobs/sha256:0'], danger: 'writes files' },
  { methods: ['POST'], paths: ['/api/show'], danger: 'shows templates and system prompts' },
  { methods: ['GET'], paths: ['/api/tags', '/api/ps', '/api/version', '/'], danger: 'tells of the server' },
  {
    methods: ['POST'],
    paths: ['/api/generate', '/api/chat', '/api/embed', '/api/embeddings'],
    danger: 'inference with fields that are not checked',
  },
  {
    methods: ['GET', 'POST'],
    paths: ['/api/me', '/api/signout', '/api/user/keys/x', '/api/web_search', '/api/web_fetch'],
    danger: "acts with the machine's account, fetches any address",
  },
]
