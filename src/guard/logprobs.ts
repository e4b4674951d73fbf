/**
 * Log-probabilities of tokens as they stand in answers: `content` and `refusal` lists of a chat (llama-server uses the same
 * for completions), the four lists of the older completions, and the bare list of Responses.
 */

/** One token and what is said about it. */
export interface Token {
  /** What the token adds to the text, in UTF-8: may be a part of a character. */
  readonly bytes: Uint8Array
  /** Its entry without alternatives. Texts at unknown places of it are left out. */
  readonly entry: Readonly<Record<string, unknown>>
  /** Tokens that the model might have said instead; null where none were asked for. */
  readonly alternatives: readonly Alternative[] | null
}

export interface Alternative {
  readonly text: string
  readonly value: unknown
}

type Form = 'lists' | 'bare' | 'columns'

export interface Logprobs {
  readonly form: Form
  readonly content: readonly Token[]
  readonly refusal: readonly Token[]
  /** Nothing was left out in reading: written again, it says the same. */
  readonly whole: boolean
}

type Json = Readonly<Record<string, unknown>>

const encoder = new TextEncoder()
const lossy = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

/** Reads the JSON of a `logprobs` field. What is not of a known form holds no tokens, and is not whole. */
export function readLogprobs(json: string): Logprobs {
  const value = parse(json)
  const reader = new Reader()
  if (Array.isArray(value)) return reader.result('bare', reader.list(value))
  if (!isObject(value)) return reader.unknown()
  if ('tokens' in value) return reader.result('columns', reader.columns(value))
  reader.knows(value, ['content', 'refusal'])
  return reader.result('lists', reader.list(value['content']), reader.list(value['refusal']))
}

/** The JSON of a `logprobs` field that says these tokens. */
export function writeLogprobs(form: Form, content: readonly Token[], refusal: readonly Token[]): string {
  if (form === 'bare') return JSON.stringify(content.map(entryOf))
  if (content.length + refusal.length === 0) return 'null'
  if (form === 'lists') {
    const list = (tokens: readonly Token[]) => (tokens.length > 0 ? tokens.map(entryOf) : null)
    return JSON.stringify({ content: list(content), refusal: list(refusal) })
  }
  const column = (name: string) => content.map(({ entry }) => entry[name] ?? null)
  const tops = content.map(({ alternatives }) => alternatives && Object.fromEntries(alternatives.map(pairOf)))
  return JSON.stringify({
    tokens: column('token'),
    token_logprobs: column('logprob'),
    top_logprobs: tops.some(top => top !== null) ? tops : null,
    text_offset: column('offset'),
  })
}

/** Whether these are the very same tokens. */
export function isSame(one: readonly Token[], other: readonly Token[]): boolean {
  return one.length === other.length && one.every((token, at) => token === other[at])
}

class Reader {
  private whole = true

  result(form: Form, content: Token[], refusal: Token[] = []): Logprobs {
    return { form, content, refusal, whole: this.whole }
  }

  unknown(): Logprobs {
    return { form: 'lists', content: [], refusal: [], whole: false }
  }

  knows(value: Json, names: readonly string[]): void {
    if (Object.keys(value).some(name => !names.includes(name))) this.whole = false
  }

  list(value: unknown): Token[] {
    if (value === null || value === undefined) return []
    if (!Array.isArray(value)) return this.skip([])
    return value.flatMap(item => this.token(item) ?? this.skip([]))
  }

  /** `tokens`, `token_logprobs`, `top_logprobs` and `text_offset`, one place a token. */
  columns(value: Json): Token[] {
    this.knows(value, ['tokens', 'token_logprobs', 'top_logprobs', 'text_offset'])
    const column = (name: string): readonly unknown[] => (Array.isArray(value[name]) ? value[name] : [])
    const [tops, logprobs, offsets] = ['top_logprobs', 'token_logprobs', 'text_offset'].map(column)
    return column('tokens').flatMap((token, at) => {
      if (typeof token !== 'string') return this.skip([])
      const top = tops?.[at]
      const alternatives = isObject(top)
        ? Object.entries(top).flatMap(([text, logprob]) => (isNumber(logprob) ? [{ text, value: logprob }] : []))
        : null
      const number = (of: unknown) => (isNumber(of) ? of : null)
      const entry = { token, logprob: number(logprobs?.[at]), offset: number(offsets?.[at]) }
      return [{ bytes: encoder.encode(token), entry, alternatives }]
    })
  }

  private token(item: unknown): Token | null {
    const bytes = isObject(item) ? bytesOf(item) : null
    if (!bytes || !isObject(item)) return null
    const { top_logprobs: top, ...rest } = item
    const alternatives = Array.isArray(top) ? top.flatMap(one => this.alternative(one) ?? this.skip([])) : null
    return { bytes, entry: this.entry(rest), alternatives }
  }

  private alternative(item: unknown): Alternative | null {
    const bytes = isObject(item) ? bytesOf(item) : null
    if (!bytes || !isObject(item)) return null
    // Their two forms agree: only parts of characters are not what the string says.
    const token = item['token'] as string
    const text = token.includes('\ufffd') ? decodeAll(bytes) : token
    return text === null ? null : { text, value: this.entry(item) }
  }

  /** Only the token itself is text: what else there is may be a number or a word of JSON. */
  private entry(item: Json): Json {
    const isKept = (name: string) => name === 'token' || name === 'bytes' || !mayHoldText(item[name])
    const names = Object.keys(item)
    if (names.every(isKept)) return item
    this.whole = false
    return Object.fromEntries(names.filter(isKept).map(name => [name, item[name]]))
  }

  private skip<T>(nothing: T): T {
    this.whole = false
    return nothing
  }
}

/** The bytes that an entry stands for; null where its two forms of them disagree (such as `token_id:17`). */
function bytesOf({ token, bytes }: Json): Uint8Array | null {
  if (typeof token !== 'string') return null
  if (bytes === null || bytes === undefined) return encoder.encode(token)
  if (!Array.isArray(bytes) || !bytes.every(isByte)) return null
  const whole = Uint8Array.from(bytes)
  return isAscii(token, whole) || lossy.decode(whole) === token ? whole : null
}

function isAscii(text: string, bytes: Uint8Array): boolean {
  return text.length === bytes.length && bytes.every((byte, at) => byte < 0x80 && byte === text.charCodeAt(at))
}

/** The text of whole characters; null for parts of some. */
function decodeAll(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

function entryOf({ entry, alternatives }: Token): Json {
  return alternatives ? { ...entry, top_logprobs: alternatives.map(({ value }) => value) } : entry
}

function pairOf({ text, value }: Alternative): [string, unknown] {
  return [text, value]
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mayHoldText(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function isByte(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xff
}
