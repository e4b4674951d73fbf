import { UNBOUNDED_OUTPUT_TOKENS } from '../config/limits.ts'
import { largestOutput } from '../quota/estimate.ts'
import type { Exchange } from './exchange.ts'

/** The most tokens that the answer to a request can have. */
export function largestAnswer({ endpoint, body, model, prompts }: Exchange): number {
  if (endpoint.outputFields.length === 0 || !body) return 0
  return prompts * largestOutput(body.fields, model?.maxOutputTokens ?? UNBOUNDED_OUTPUT_TOKENS)
}
