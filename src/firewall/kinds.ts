import type { UpstreamKind } from '../config/config.ts'
import { LLAMA_CPP } from './llama-cpp.ts'
import { OLLAMA } from './ollama.ts'
import { OPENAI_SERVER } from './openai.ts'
import type { ServerKind } from './server-kind.ts'
import { VLLM } from './vllm.ts'

export const SERVER_KINDS: Readonly<Record<UpstreamKind, ServerKind>> = {
  'llama.cpp': LLAMA_CPP,
  vllm: VLLM,
  ollama: OLLAMA,
  openai: OPENAI_SERVER,
}

/** Whether servers of this kind can be asked how many tokens a prompt has. */
export function countsTokens(kind: UpstreamKind): boolean {
  return Object.values(SERVER_KINDS[kind].serves).some(({ counter }) => counter !== undefined)
}

/**
 * Fields that are refused whatever the policy and whatever the server, with the reason told to the caller: a model may be
 * moved to a server of another kind, and what is harmless in front of one steers the other.
 */
export const REFUSED_FIELDS: ReadonlyMap<string, string> = new Map(
  Object.values(SERVER_KINDS).flatMap(({ refuses }) => Object.entries(refuses)),
)
