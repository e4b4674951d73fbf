import type { UpstreamCall } from '../../../src/ports/upstream.ts'

/** What is written, in order. */
export type RequestPieces = readonly (Uint8Array | string)[]

/** Where a request goes: the parts of its URL. */
export interface RequestTarget {
  /** With the port, as the `host` field has it. */
  readonly host: string
  /** With the query. */
  readonly path: string
}

/** Bodies up to this size are put behind the head in one piece, which is cheaper than a write of two. */
const MAX_JOINED_BYTES = 64 * 1024
/** Texts up to this length are left to the socket as they are, in UTF-16 units: it writes them without a buffer. */
const MAX_TEXT = 16 * 1024

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const ASCII = /^[\0-\x7f]*$/
/** Fields that the client sets itself, or that would change what the connection is. */
const RESERVED = /^(?:host|connection|content-length|transfer-encoding|keep-alive|upgrade|expect|te|trailer)$/i

/**
 * A request as it is written to the socket (texts as UTF-8), in one piece or, for long bodies, in two.
 * @returns what is wrong with the call instead, when it cannot be sent as it is
 */
export function requestBytes(target: RequestTarget, call: UpstreamCall): RequestPieces | string {
  const { method, headers, closeAfter } = call
  let head = `${method} ${target.path} HTTP/1.1\r\nhost: ${target.host}\r\nconnection: ${closeAfter ? 'close' : 'keep-alive'}\r\n`
  for (const name in headers) {
    const value = headers[name] as string
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) return 'a header field that cannot be sent'
    if (RESERVED.test(name)) return `the header field ${name} is not the caller's to set`
    head += `${name}: ${value}\r\n`
  }
  const { body } = call
  if (typeof body === 'string') {
    head += `content-length: ${Buffer.byteLength(body)}\r\n\r\n`
    // The fields are written as latin1 where they stand alone: in UTF-8 only ASCII is the same.
    if (body.length <= MAX_TEXT && ASCII.test(head)) return [head + body]
    return [Buffer.from(head, 'latin1'), Buffer.from(body)]
  }
  if (body) head += `content-length: ${body.byteLength}\r\n\r\n`
  else head += method === 'POST' ? 'content-length: 0\r\n\r\n' : '\r\n'
  if (!body || body.byteLength === 0) return [Buffer.from(head, 'latin1')]
  if (body.byteLength > MAX_JOINED_BYTES) return [Buffer.from(head, 'latin1'), body]
  const bytes = Buffer.allocUnsafe(head.length + body.byteLength)
  bytes.write(head, 'latin1')
  bytes.set(body, head.length)
  return [bytes]
}
