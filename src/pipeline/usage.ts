/** Token counts as model servers give them. */

const decoder = new TextDecoder()

export interface PartialUsage {
  readonly inputTokens?: number
  readonly outputTokens?: number
}

/**
 * Adds what a `usage` object says to what is known: `prompt_tokens` and `completion_tokens` (chat and completions),
 * `input_tokens` and `output_tokens` (Responses, Messages). In Messages, tokens that came from or went into a cache are
 * counted apart; they are input like the others.
 */
export function mergeUsage(known: PartialUsage, bytes: Uint8Array): PartialUsage {
  const usage = parseObject(bytes)
  if (!usage) return known
  const input = count(usage['prompt_tokens']) ?? count(usage['input_tokens'])
  const cached = (count(usage['cache_read_input_tokens']) ?? 0) + (count(usage['cache_creation_input_tokens']) ?? 0)
  const output = count(usage['completion_tokens']) ?? count(usage['output_tokens'])
  return {
    ...known,
    ...(input === undefined ? {} : { inputTokens: input + cached }),
    ...(output === undefined ? {} : { outputTokens: output }),
  }
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}

/** Parses what a walk has found to be an object; null where a parser is stricter than the walk. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    return JSON.parse(decoder.decode(bytes)) as Record<string, unknown>
  } catch {
    return null
  }
}
