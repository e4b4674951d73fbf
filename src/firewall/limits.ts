/**
 * The bounds of a request that administrators may set, for all models (`request.limits`) or for one (`models[].limits`).
 * By default wide enough for every honest use, narrow enough that one request cannot ask for all.
 */
export interface LimitDefinition {
  readonly unit: 'count' | 'size'
  readonly default: number
  /** What it may be set to at the most. */
  readonly ceiling: number
  /** The fields of requests that it is about. */
  readonly fields: readonly string[]
  /** For editors and the reference. */
  readonly description: string
}

const MIB = 1024 * 1024
/** Where a JSON Schema may stand. */
const SCHEMAS = ['tools', 'functions', 'response_format', 'text']

export const LIMITS = {
  choices: {
    unit: 'count',
    default: 16,
    ceiling: 1024,
    fields: ['n', 'best_of'],
    description: 'Answers to one prompt (`n`, `best_of`): each occupies a place on the model server.',
  },
  outputTokens: {
    unit: 'count',
    default: 1_048_576,
    ceiling: 1_000_000_000,
    fields: ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'thinking'],
    description:
      'Tokens that one field may ask for; `maxOutputTokens` of a model lowers what is asked for, this refuses it.',
  },
  topLogprobs: {
    unit: 'count',
    default: 20,
    ceiling: 1000,
    fields: ['top_logprobs', 'logprobs'],
    description: 'Alternatives listed for each token (`top_logprobs`, `logprobs` of completions).',
  },
  stops: { unit: 'count', default: 16, ceiling: 1024, fields: ['stop', 'stop_sequences'], description: 'Stop texts.' },
  stopCharacters: {
    unit: 'count',
    default: 256,
    ceiling: 65_536,
    fields: ['stop', 'stop_sequences'],
    description: 'Characters of one stop text.',
  },
  messages: {
    unit: 'count',
    default: 2048,
    ceiling: 100_000,
    fields: ['messages', 'input'],
    description: 'Messages of a conversation, or items of a Responses input.',
  },
  inputs: {
    unit: 'count',
    default: 2048,
    ceiling: 100_000,
    fields: ['prompt', 'input'],
    description: 'Prompts of one completion request, or texts to embed.',
  },
  documents: {
    unit: 'count',
    default: 2048,
    ceiling: 100_000,
    fields: ['documents', 'top_n'],
    description: 'Documents to rerank.',
  },
  tools: {
    unit: 'count',
    default: 128,
    ceiling: 4096,
    fields: ['tools', 'functions'],
    description: 'Tools offered to the model.',
  },
  schemaCharacters: {
    unit: 'count',
    default: 65_536,
    ceiling: 16_777_216,
    fields: SCHEMAS,
    description: 'Characters of one JSON Schema: that of a tool, or of the answer.',
  },
  schemaDepth: { unit: 'count', default: 32, ceiling: 64, fields: SCHEMAS, description: 'Nesting of one JSON Schema.' },
  schemaRepeats: {
    unit: 'count',
    default: 10_000,
    ceiling: 1_000_000_000,
    fields: SCHEMAS,
    description:
      'Largest `maxLength`, `maxItems` and the like of a JSON Schema, and the most positions that a `pattern` in it unrolls to: model servers build their grammars of as many.',
  },
  grammarCharacters: {
    unit: 'count',
    default: 0,
    ceiling: 1_048_576,
    fields: ['grammar'],
    description:
      'Characters of a `grammar` (llama.cpp); 0: none is taken. A small one can occupy the server for minutes.',
  },
  logitBias: {
    unit: 'count',
    default: 1024,
    ceiling: 1_000_000,
    fields: ['logit_bias'],
    description: 'Tokens whose likelihood is changed.',
  },
  media: {
    unit: 'count',
    default: 32,
    ceiling: 10_000,
    fields: ['messages', 'input'],
    description: 'Images and sounds of one request.',
  },
  mediaSize: {
    unit: 'size',
    default: 10 * MIB,
    ceiling: 64 * MIB,
    fields: ['messages', 'input'],
    description: 'One image or sound, decoded.',
  },
} as const satisfies Record<string, LimitDefinition>

export type LimitName = keyof typeof LIMITS
export type Limits = Readonly<Record<LimitName, number>>

export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { default: value }]) => [name, value]),
) as Record<LimitName, number>
