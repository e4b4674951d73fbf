/** Bounds that are part of the API's form. Those that administrators may set are in `src/firewall/limits.ts`. */
export const BOUNDS = {
  /** Parts of one message. */
  parts: 256,
  /** Tool calls of one message: OpenAI's own bound for tools. */
  calls: 128,
  /** Log-probabilities that come back with an earlier answer. */
  logprobs: 2048,
  /** Characters of names and identifiers. */
  name: 512,
} as const
