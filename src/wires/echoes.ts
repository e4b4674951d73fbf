import { dropped, type Shape } from '../json/shape.ts'

/**
 * Fields of vLLM and llama-server that repeat the prompt or the answer as tokens, or whole and unredacted. They are not asked
 * for: the request fields that do are refused.
 */
export const ECHOES: Readonly<Record<string, Shape>> = {
  prompt_logprobs: dropped,
  prompt_token_ids: dropped,
  token_ids: dropped,
  tokens: dropped,
  __verbose: dropped,
}
