// Writes a small "llama" model in GGUF v3: random weights, but a real tokenizer and chat template. It talks nonsense; forced
// by a grammar it says exactly what a test asks for; made with `say` it always says that. Same options, same bytes.
import { entry, F16, F32, fromHalf, ggufParts, list, type Tensor, toHalf } from './gguf.ts'
import { CHAT_TEMPLATE, CONTROL_TOKENS, learnTokenizer, MARKS, toToken } from './tiny-tokenizer.ts'

export interface TinyModel {
  readonly name?: string
  readonly layers?: number
  readonly dim?: number
  readonly ffn?: number
  readonly heads?: number
  readonly context?: number
  readonly seed?: number
  /** All layers have the weights of the first: makes a model of billions in seconds, with the memory of one layer. */
  readonly sameLayers?: boolean
  /**
   * The model answers this text, in small pieces, and stops, with no grammar and no sampling fields: its layers pass each
   * token through unchanged, and the output weights of each piece point to the next.
   */
  readonly say?: string
}

/** Ends a prompt that asks for an answer, so the first piece to say follows it. */
const LINE_FEED = toToken('\n')
const END_OF_TURN = CONTROL_TOKENS.indexOf('<|im_end|>')

/** The text in pieces of one to four characters, none twice: each piece must know the one that follows it. */
function cut(text: string, seed: number): string[] {
  const chars = [...text]
  const pieces: string[] = []
  for (let at = 0; at < chars.length; ) {
    let length = 1 + ((pieces.length * 7 + seed) % 4)
    const piece = () => chars.slice(at, at + length).join('')
    while (pieces.includes(piece()) && at + length < chars.length) length++
    pieces.push(piece())
    at += length
  }
  // What is left at the end can still be a piece there is already.
  while (pieces.length > 1 && pieces.indexOf(pieces.at(-1) as string) < pieces.length - 1)
    pieces.push(pieces.splice(-2).join(''))
  return pieces
}

/** mulberry32 */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** The whole file. */
export const tinyGguf = (options: TinyModel): Buffer => Buffer.concat(tinyGgufParts(options))

/** The same in parts, for a model that is not tiny. */
export function tinyGgufParts(options: TinyModel): readonly Buffer[] {
  const model = { name: 'tiny', layers: 2, dim: 64, ffn: 128, heads: 4, context: 8192, seed: 1, say: '', ...options }
  const { dim, ffn, heads, layers, seed } = model
  const { tokens, merges } = learnTokenizer(1200)
  const said = cut(model.say, seed).map(toToken)
  for (const token of said) if (!tokens.includes(token)) tokens.push(token)

  const uniform = randomNumbers(seed)
  const ones = (name: string, n: number): Tensor => {
    return { name, dims: [n], type: F32, body: Buffer.from(new Float32Array(n).fill(1).buffer) }
  }
  const halves = (name: string, cols: number, rows: number, values: Uint16Array<ArrayBuffer>): Tensor => {
    return { name, dims: [cols, rows], type: F16, body: Buffer.from(values.buffer) }
  }
  /** Nearly normal numbers; their count and order are what makes the file the same each time. */
  const random = (cols: number, rows: number, scale: number) => {
    const values = new Uint16Array(cols * rows)
    for (let i = 0; i < values.length; i++)
      values[i] = toHalf((uniform() + uniform() + uniform() + uniform() - 2) * 1.7320508 * scale)
    return values
  }
  const weights = (name: string, cols: number, rows: number) =>
    halves(name, cols, rows, random(cols, rows, model.say ? 0 : 1 / Math.sqrt(dim)))

  const embedding = random(dim, tokens.length, 0.5)
  /** Output row `next` looks like the embedding of the token before it. */
  const chain = () => {
    const rows = new Uint16Array(dim * tokens.length)
    const steps = [LINE_FEED, ...said].map(token => tokens.indexOf(token)).concat(END_OF_TURN)
    for (const [i, next] of steps.slice(1).entries()) {
      const before = steps[i] as number
      const row = Float64Array.from(embedding.subarray(before * dim, (before + 1) * dim), fromHalf)
      const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) * dim) / 60
      rows.set(
        row.map(x => toHalf(x / norm)),
        next * dim,
      )
    }
    return rows
  }

  const tensors = [halves('token_embd.weight', dim, tokens.length, embedding), ones('output_norm.weight', dim)]
  if (model.say) tensors.push(halves('output.weight', dim, tokens.length, chain()))
  const layer = () => [
    ones('attn_norm.weight', dim),
    weights('attn_q.weight', dim, dim),
    weights('attn_k.weight', dim, dim),
    weights('attn_v.weight', dim, dim),
    weights('attn_output.weight', dim, dim),
    ones('ffn_norm.weight', dim),
    weights('ffn_gate.weight', dim, ffn),
    weights('ffn_up.weight', dim, ffn),
    weights('ffn_down.weight', ffn, dim),
  ]
  let made = layer()
  for (let i = 0; i < layers; i++) {
    if (i > 0 && !options.sameLayers) made = layer()
    tensors.push(...made.map(tensor => ({ ...tensor, name: `blk.${i}.${tensor.name}` })))
  }

  const NORMAL = 1
  const CONTROL = 3
  const USER_DEFINED = 4
  const kind = (token: string) =>
    CONTROL_TOKENS.includes(token) ? CONTROL : MARKS.includes(token) ? USER_DEFINED : NORMAL
  const meta = [
    entry('general.architecture', 'string', 'llama'),
    entry('general.name', 'string', model.name),
    entry('general.file_type', 'u32', 1),
    entry('general.quantization_version', 'u32', 2),
    entry('llama.block_count', 'u32', layers),
    entry('llama.context_length', 'u32', model.context),
    entry('llama.embedding_length', 'u32', dim),
    entry('llama.feed_forward_length', 'u32', ffn),
    entry('llama.attention.head_count', 'u32', heads),
    entry('llama.attention.head_count_kv', 'u32', heads),
    entry('llama.attention.layer_norm_rms_epsilon', 'f32', 1e-5),
    entry('llama.rope.dimension_count', 'u32', dim / heads),
    entry('llama.rope.freq_base', 'f32', 10000),
    entry('llama.vocab_size', 'u32', tokens.length),
    entry('tokenizer.ggml.model', 'string', 'gpt2'),
    entry('tokenizer.ggml.pre', 'string', 'gpt-2'),
    list('tokenizer.ggml.tokens', 'string', tokens),
    list('tokenizer.ggml.token_type', 'i32', tokens.map(kind)),
    list('tokenizer.ggml.merges', 'string', merges),
    entry('tokenizer.ggml.bos_token_id', 'u32', 0),
    entry('tokenizer.ggml.eos_token_id', 'u32', END_OF_TURN),
    entry('tokenizer.ggml.eot_token_id', 'u32', END_OF_TURN),
    entry('tokenizer.ggml.padding_token_id', 'u32', 0),
    entry('tokenizer.ggml.fim_pre_token_id', 'u32', 3),
    entry('tokenizer.ggml.fim_suf_token_id', 'u32', 4),
    entry('tokenizer.ggml.fim_mid_token_id', 'u32', 5),
    entry('tokenizer.ggml.add_bos_token', 'bool', false),
    entry('tokenizer.chat_template', 'string', CHAT_TEMPLATE),
  ]

  return ggufParts(meta, tensors)
}
