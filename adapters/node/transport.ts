import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import type {
  Answer,
  AnswerSource,
  BodyResult,
  ClientCertificate,
  Connection,
  Transport,
} from '../../src/ports/transport.ts'
import { chunkFrame, LAST_CHUNK } from './chunk-frame.ts'
import { headOnly } from './head-only.ts'
import { readBody } from './read-body.ts'
import { peerOf } from './tls/peer.ts'

/**
 * How long the rest of a refused body is thrown away before the connection is closed. Closing at once would reset the
 * connection while the client still sends, and the client would never see why it was refused.
 */
const LINGER_MS = 500

/**
 * Writes answers straight to node:http's response, past the Web streams that Hono's adapter would use (30 µs a chunk).
 * Headers set with `c.header()` are not sent: an answer carries its own.
 */
export const nodeTransport: Transport<Context> = {
  connection: (c: Context) => {
    const { incoming, outgoing } = c.env as HttpBindings
    return new NodeConnection(incoming, outgoing)
  },
}

/** One request outside the app. */
export function nodeConnection(incoming: IncomingMessage, outgoing: ServerResponse): Connection {
  return new NodeConnection(incoming, outgoing)
}

class NodeConnection implements Connection {
  readonly address: string
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  #gone: (() => void) | undefined
  /** The answer in progress. */
  #source: AnswerSource | undefined
  #watched = false

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    const address = incoming.socket.remoteAddress ?? 'unknown'
    this.address = address.startsWith('::ffff:') ? address.slice(7) : address
  }

  get clientCertificate(): ClientCertificate | undefined {
    return peerOf(this.#incoming.socket)?.identity
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  readBody(limit: number, timeoutMs: number): Promise<BodyResult> {
    return readBody(this.#incoming, limit, timeoutMs)
  }

  onGone(callback: () => void): void {
    const outgoing = this.#outgoing
    if (outgoing.destroyed && !outgoing.writableFinished) return callback()
    this.#gone = callback
    this.#watch()
  }

  respond(answer: Answer): Response {
    const { status, headers, body } = answer
    if (this.#incoming.method === 'HEAD') return headOnly(answer)
    const unread = hasUnreadBody(this.#incoming)
    if (body instanceof Uint8Array) {
      this.#outgoing.writeHead(status, completeHeaders(status, headers, body.byteLength, unread))
      if (unread) this.#endAfterRest(body)
      else this.#outgoing.end(body)
    } else {
      this.#outgoing.writeHead(status, completeHeaders(status, headers, undefined, unread))
      this.#stream(body)
    }
    return RESPONSE_ALREADY_SENT
  }

  /** The answer leaves now; the connection closes when the client has finished sending, or after `LINGER_MS`. */
  #endAfterRest(body: Uint8Array): void {
    const incoming = this.#incoming
    const outgoing = this.#outgoing
    const end = (): void => {
      clearTimeout(timer)
      outgoing.end()
    }
    const timer = setTimeout(end, LINGER_MS)
    incoming.once('end', end).once('close', end).resume()
    outgoing.write(body)
  }

  /** Connects a source to the response. Whatever happens, the source sees one natural end or one `cancel`. */
  #stream(source: AnswerSource): void {
    const outgoing = this.#outgoing
    if (outgoing.destroyed) return source.cancel()
    // node:http writes a chunk in four pieces; framed here, it is one (measured: 60 to 54 µs a chunk). Whether the body
    // is chunked at all remains node:http's decision, taken with the head.
    const chunked = outgoing.chunkedEncoding
    outgoing.chunkedEncoding = false
    this.#source = source
    outgoing.on('drain', () => this.#source?.resume())
    this.#watch()
    source.start({
      write: chunk => {
        if (!this.#source) return false
        if (chunk.byteLength === 0) return !outgoing.writableNeedDrain
        return outgoing.write(chunked ? chunkFrame(chunk) : chunk)
      },
      end: () => {
        if (!this.#source) return
        this.#source = undefined
        outgoing.end(chunked ? LAST_CHUNK : undefined)
      },
    })
  }

  /** One listener for all that waits for the end: a thousand streams have a thousand of each. */
  #watch(): void {
    if (this.#watched) return
    this.#watched = true
    this.#outgoing.on('close', () => {
      if (!this.#outgoing.writableFinished) this.#gone?.()
      const source = this.#source
      this.#source = undefined
      source?.cancel()
    })
  }
}

/** Whether part of a request body is still on its way. node:http tells only once the whole message has been parsed. */
function hasUnreadBody(incoming: IncomingMessage): boolean {
  if (incoming.complete) return false
  const { headers } = incoming
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function completeHeaders(
  status: number,
  headers: Readonly<Record<string, string>>,
  length: number | undefined,
  close: boolean,
): Record<string, string | number> {
  const complete: Record<string, string | number> = { ...headers }
  if (length !== undefined && status !== 204 && status !== 304) complete['content-length'] = length
  if (close) complete['connection'] = 'close'
  return complete
}
