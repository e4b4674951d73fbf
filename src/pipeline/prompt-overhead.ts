import type { ModelConfig } from '../config/config.ts'
import { MediaCount } from '../firewall/media-count.ts'
import { bypassesSystemPrompt } from '../firewall/system-prompt.ts'
import { estimateInputTokens, estimateTextTokens } from '../quota/estimate.ts'

/** What templates say in front of and behind the list of tools (Qwen 2.5: 110 tokens). */
const TOKENS_PER_TOOLS = 160
/** An image or a sound: 256 with Gemma 3, 576 with LLaVA, up to 2,880 with its successors. */
const TOKENS_PER_MEDIUM = 2048
const ANY = { media: Number.POSITIVE_INFINITY, mediaSize: Number.POSITIVE_INFINITY }

/** What a prompt has beside its own texts. */
export interface PromptOverhead {
  /** Tokens, on the safe side. */
  readonly tokens: number
  readonly tools: boolean
  readonly media: number
}

/**
 * Tokens that a prompt has beside its texts: those of the template, of the model's system prompt, of the JSON that tools are
 * written in, and of media. Linear in the messages and tools, and reads no text of the caller's.
 */
export function promptOverhead(
  fields: Readonly<Record<string, unknown>>,
  model: ModelConfig,
  path: string,
): PromptOverhead {
  const said = fields['messages'] ?? fields['input']
  const messages: readonly unknown[] = Array.isArray(said) ? said : []
  let tokens = estimateInputTokens([], messages.length) + systemPromptTokens(model, path)
  let media: MediaCount | undefined
  for (const message of messages) {
    const { content, output, tool_calls: calls } = (message ?? {}) as Readonly<Record<string, unknown>>
    if (Array.isArray(calls)) tokens += jsonTokens(calls)
    if (Array.isArray(content)) (media ??= new MediaCount(ANY)).list(content, '')
    if (Array.isArray(output)) (media ??= new MediaCount(ANY)).list(output, '')
  }
  const tools = [fields['tools'], fields['functions']].filter(list => Array.isArray(list) && list.length > 0)
  for (const list of tools) tokens += TOKENS_PER_TOOLS + jsonTokens(list)
  const count = media?.count ?? 0
  return { tokens: tokens + count * TOKENS_PER_MEDIUM, tools: tools.length > 0, media: count }
}

/** Tokens of what makes JSON of a value: marks, names, numbers and the words of schemas; other texts are counted elsewhere. */
function jsonTokens(value: unknown): number {
  // Quotes, and a word such as `object`.
  if (typeof value === 'string') return 4
  if (typeof value !== 'object' || value === null) return estimateTextTokens(String(value))
  let tokens = 2
  if (Array.isArray(value)) {
    for (const item of value) tokens += 2 + jsonTokens(item)
    return tokens
  }
  for (const [name, inner] of Object.entries(value)) tokens += 5 + estimateTextTokens(name) + jsonTokens(inner)
  return tokens
}

const ofSystemPrompts = new WeakMap<ModelConfig, number>()

function systemPromptTokens(model: ModelConfig, path: string): number {
  if (model.systemPrompt === undefined || bypassesSystemPrompt(model, path)) return 0
  let tokens = ofSystemPrompts.get(model)
  if (tokens === undefined) ofSystemPrompts.set(model, (tokens = estimateInputTokens([model.systemPrompt], 1)))
  return tokens
}
