import { type Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Gateway } from '../../support/index.ts'

export interface Answer {
  /** 0: the connection ended before the head. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body came to its proper end. */
  readonly complete: boolean
  /** From sending to the last byte. */
  readonly ms: number
}

export interface Call {
  /** Settles with the head; rejects when the connection ends before. */
  readonly head: Promise<IncomingMessage>
  /** Settles once the connection gives nothing more, whatever the reason. */
  readonly answer: Promise<Answer>
  /** What has come so far. */
  text(): string
  /** Closes the connection at once; returns `performance.now()`. */
  leave(): number
}

export interface CallOptions {
  readonly token: string
  readonly id?: string
  readonly model?: string
  readonly stream?: boolean
  readonly prompt?: string
  readonly fields?: Readonly<Record<string, unknown>>
  /** PEM: whom to trust, and who calls, where the gateway's URL is `https:`. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
  /** More headers. */
  readonly headers?: Readonly<Record<string, string>>
  /** Takes the head and then reads nothing. */
  readonly deaf?: boolean
  readonly agent?: Agent | false
}

/** One chat completion, over a connection of its own unless an agent is given. */
export function chat({ url }: Pick<Gateway, 'url'>, options: CallOptions): Call {
  const {
    token,
    id,
    model = 'm',
    stream = true,
    prompt = 'Say something.',
    fields = {},
    deaf = false,
    agent = false,
    tls,
  } = options
  const started = performance.now()
  const request = (tls ? httpsRequest : httpRequest)(`${url}/v1/chat/completions`, {
    ...tls,
    method: 'POST',
    agent,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(id === undefined ? {} : { 'x-request-id': id }),
      ...options.headers,
    },
  })
  let text = ''
  let response: IncomingMessage | undefined
  const head = Promise.withResolvers<IncomingMessage>()
  const answer = Promise.withResolvers<Answer>()
  head.promise.catch(() => undefined) // most calls look at the answer alone
  const over = (complete: boolean) => {
    head.reject(new Error('the connection ended before the head'))
    const { statusCode: status = 0, headers = {} } = response ?? {}
    answer.resolve({ status, headers, text, complete, ms: performance.now() - started })
  }
  request.once('error', () => over(false))
  request.once('response', message => {
    response = message
    message.setEncoding('utf8')
    message.once('end', () => over(message.complete)).once('error', () => over(false))
    message.once('close', () => over(message.complete))
    if (!deaf) message.on('data', (chunk: string) => void (text += chunk))
    head.resolve(message)
  })
  request.end(JSON.stringify({ model, stream, messages: [{ role: 'user', content: prompt }], ...fields }))
  return {
    head: head.promise,
    answer: answer.promise,
    text: () => text,
    leave: () => {
      request.destroy()
      return performance.now()
    },
  }
}

/** The data of each event, as text. */
export function eventsOf(text: string): string[] {
  return text
    .split('\n\n')
    .filter(frame => frame.startsWith('data: '))
    .map(frame => frame.slice('data: '.length))
}

interface Chunk {
  readonly error?: { readonly code: string }
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string }
    readonly finish_reason?: string | null
  }[]
}

/** A stream as its caller sees it. */
export function readStream(text: string) {
  const events = eventsOf(text)
  const chunks = events.filter(event => event !== '[DONE]').map(event => JSON.parse(event) as Chunk)
  return {
    content: chunks.map(({ choices }) => choices?.[0]?.delta?.content ?? '').join(''),
    finish: chunks.map(({ choices }) => choices?.[0]?.finish_reason ?? null).find(reason => reason !== null) ?? null,
    done: events.at(-1) === '[DONE]',
    /** Of the last event. */
    error: chunks.at(-1)?.error?.code,
    errors: chunks.filter(({ error }) => error !== undefined).length,
  }
}

/** The `code` of an error answer. */
export function codeOf({ text }: Pick<Answer, 'text'>): string {
  return (JSON.parse(text) as { error: { code: string } }).error.code
}
