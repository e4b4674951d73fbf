import type { UpstreamKind } from '../config/config.ts'
import { LLAMA_CPP } from './llama-cpp.ts'
import { done, failureOf, look, type ModelServerKind } from './model-server.ts'
import { OLLAMA } from './ollama.ts'
import { VLLM } from './vllm.ts'

/** Any other server of the OpenAI API: it can be asked what it has, and nothing else. */
const OPENAI: ModelServerKind = {
  async state(ask) {
    return failureOf(await look(ask, '/v1/models')) ?? done('loaded')
  },
  actions: {},
}

export const KINDS: Readonly<Record<UpstreamKind, ModelServerKind>> = {
  'llama.cpp': LLAMA_CPP,
  vllm: VLLM,
  ollama: OLLAMA,
  openai: OPENAI,
}

/** What a kind can be asked to do, in words. */
export function offersOf(kind: UpstreamKind): readonly string[] {
  const { actions, adapters } = KINDS[kind]
  return [...Object.keys(actions), ...(adapters ? ['adapters'] : [])]
}
