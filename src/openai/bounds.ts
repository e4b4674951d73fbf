/** Bounds on request fields: wide enough for every honest use, narrow enough that one request cannot ask for all. */
export const BOUNDS = {
  /** Messages, prompts or inputs of one request. */
  items: 2048,
  /** Parts of one message. */
  parts: 256,
  /** Answers to one prompt; each occupies a place on the model server. */
  choices: 16,
  /** Tools offered in one request (OpenAI's own bound). */
  tools: 128,
  /** Stop strings; OpenAI takes 4, open model servers more. */
  stops: 16,
  /** Alternatives listed for each token (OpenAI's own bound). */
  topLogprobs: 20,
  /** Tokens whose likelihood is changed. */
  logitBias: 1024,
  /** Tokens that one field may ask for; a model's own limit is usually lower. */
  tokens: 1_048_576,
  /** Characters of names and identifiers. */
  name: 512,
  /** Characters of a grammar: large ones cost the model server time before the first token. */
  grammar: 16_384,
} as const
