import { DEMO_MODEL, demoText, demoTokens } from './demo-text.ts'

/** What the demo model answers: a whole body, or the events of a stream in order. */
export interface DemoReply {
  readonly status: number
  readonly contentType: string
  readonly parts: readonly string[]
}

interface Asked {
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly maxTokens: number
  /** The last thing the user said, or the prompt, or the input. */
  readonly prompt: string
  /** How many inputs an embedding request has. */
  readonly inputs: number
}

const DIMENSIONS = 8

/** @param path the URL's path, e.g. `/v1/chat/completions` */
export function demoReply(path: string, body: Uint8Array | string | undefined): DemoReply {
  if (path.endsWith('/models')) return json({ object: 'list', data: [{ id: DEMO_MODEL, object: 'model' }] })
  const asked = read(body)
  if (!asked) return json({ error: { message: 'The demo model was sent something that is not JSON.' } }, 400)
  if (path.endsWith('/chat/completions')) return completion(asked, true)
  if (path.endsWith('/completions')) return completion(asked, false)
  if (path.endsWith('/embeddings')) return embeddings(asked)
  return json({ error: { message: 'The demo model does not know this.' } }, 404)
}

function completion(asked: Asked, chat: boolean): DemoReply {
  const all = demoTokens(demoText(asked.prompt))
  const tokens = all.slice(0, asked.maxTokens)
  const finish = tokens.length < all.length ? 'length' : 'stop'
  const promptTokens = demoTokens(asked.prompt).length
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: tokens.length,
    total_tokens: promptTokens + tokens.length,
  }
  const object = chat ? 'chat.completion' : 'text_completion'
  const head = { id: 'chatcmpl-demo', created: Math.floor(Date.now() / 1000), model: DEMO_MODEL }
  if (!asked.stream) {
    const text = tokens.join('')
    const choice = chat ? { message: { role: 'assistant', content: text } } : { text }
    return json({ ...head, object, choices: [{ index: 0, ...choice, finish_reason: finish }], usage })
  }
  const event = (part: object, finished: string | null): string =>
    sse({
      ...head,
      object: chat ? `${object}.chunk` : object,
      choices: [{ index: 0, ...part, finish_reason: finished }],
    })
  const piece = (text: string): object => (chat ? { delta: { content: text } } : { text })
  const parts = tokens.map(token => event(piece(token), null))
  if (chat) parts.unshift(event({ delta: { role: 'assistant', content: '' } }, null))
  parts.push(event(chat ? { delta: {} } : { text: '' }, finish))
  if (asked.includeUsage) parts.push(sse({ ...head, object: chat ? `${object}.chunk` : object, choices: [], usage }))
  parts.push('data: [DONE]\n\n')
  return { status: 200, contentType: 'text/event-stream', parts }
}

function embeddings(asked: Asked): DemoReply {
  const data = Array.from({ length: asked.inputs }, (_, index) => ({
    object: 'embedding',
    index,
    embedding: Array.from({ length: DIMENSIONS }, (_, i) => Math.sin(index + i + asked.prompt.length)),
  }))
  const tokens = demoTokens(asked.prompt).length
  return json({ object: 'list', model: DEMO_MODEL, data, usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

function read(body: Uint8Array | string | undefined): Asked | undefined {
  let value: unknown
  try {
    value = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Record<string, unknown>
  const limit = fields['max_completion_tokens'] ?? fields['max_tokens']
  const options = fields['stream_options'] as { include_usage?: unknown } | null | undefined
  return {
    stream: fields['stream'] === true,
    includeUsage: options?.include_usage === true,
    maxTokens: typeof limit === 'number' && limit > 0 ? limit : Number.POSITIVE_INFINITY,
    prompt: textOf(fields['messages'] ?? fields['prompt'] ?? fields['input']),
    inputs: Array.isArray(fields['input']) ? fields['input'].length : 1,
  }
}

/** The last text in messages, content parts or plain strings. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return textOf(value.at(-1))
  if (typeof value !== 'object' || value === null) return ''
  const { content, text } = value as { content?: unknown; text?: unknown }
  return textOf(content ?? text)
}

function json(value: object, status = 200): DemoReply {
  return { status, contentType: 'application/json', parts: [JSON.stringify(value)] }
}

function sse(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`
}
