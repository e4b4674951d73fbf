/** The head of a final answer, and what it says of the body behind it and of the connection. */
export interface ResponseHead {
  readonly status: number
  /** Names in lower case; fields of one name joined with a comma. Without a prototype. */
  readonly headers: Readonly<Record<string, string>>
  readonly framing: Framing
  /** Whether the server keeps the connection open behind this answer. */
  readonly keepAlive: boolean
}

/** How the end of a body is found: it has none, by its length, by its chunks, or by the end of the connection. */
export type Framing = { readonly kind: 'none' | 'chunked' | 'until-close' } | CountedBody

interface CountedBody {
  readonly kind: 'counted'
  /** Bytes, more than none. */
  readonly length: number
}

/** Most lines of fields in a head or behind the last chunk. */
export const MAX_FIELDS = 128

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Fifteen digits are exact as a number. */
const CONTENT_LENGTH = /^\d{1,15}$/
const SPACE = 0x20
const TAB = 0x09

const NO_BODY: Framing = { kind: 'none' }
const CHUNKED: Framing = { kind: 'chunked' }
const UNTIL_CLOSE: Framing = { kind: 'until-close' }

/**
 * Reads the head of an answer (RFC 9112), strictly: whatever two readers could take for different things is a fault.
 * @param text one character a byte (latin1), without the empty line behind the fields
 * @returns the head, or what is wrong with it (never a piece of it, which may be secret)
 */
export function parseHead(text: string): ResponseHead | string {
  const lineEnd = text.indexOf('\r\n')
  const line = STATUS_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd))
  if (!line) return 'a malformed status line'
  const headers = Object.create(null) as Record<string, string>
  const fault = lineEnd < 0 ? undefined : readFields(text, lineEnd + 2, headers)
  if (fault !== undefined) return fault
  const status = Number(line[2])
  const isModern = line[1] === '1'
  const framing = framingOf(status, isModern, headers)
  if (typeof framing === 'string') return framing
  return { status, headers, framing, keepAlive: staysOpen(isModern, headers['connection']) }
}

/**
 * Checks one line of a field.
 * @returns the place of its colon, or -1 for anything but a field
 */
export function fieldColon(line: string): number {
  const colon = line.indexOf(':')
  return FIELD_NAME.test(line.slice(0, Math.max(0, colon))) && FIELD_VALUE.test(line.slice(colon + 1)) ? colon : -1
}

function readFields(text: string, from: number, headers: Record<string, string>): string | undefined {
  let count = 0
  for (let start = from; start <= text.length; ) {
    const found = text.indexOf('\r\n', start)
    const end = found < 0 ? text.length : found
    const line = text.slice(start, end)
    const colon = fieldColon(line)
    if (colon < 0) return 'a malformed header field'
    if (++count > MAX_FIELDS) return `more than ${MAX_FIELDS} header fields`
    const name = line.slice(0, colon).toLowerCase()
    const value = trimmed(line, colon + 1)
    const earlier = headers[name]
    if (name === 'content-length' || name === 'transfer-encoding') {
      if (earlier !== undefined) return `more than one ${name}`
      // Allowed, but node:http does not know "chunked" with a tab behind it, and reads on until the end.
      if (line.includes('\t')) return `a tab in ${name}`
    }
    headers[name] = earlier === undefined ? value : `${earlier}, ${value}`
    start = end + 2
  }
  return undefined
}

/** The value without spaces and tabs around it. String.trim would also take bytes that belong to it. */
function trimmed(line: string, from: number): string {
  let start = from
  let end = line.length
  while (start < end && isBlank(line.charCodeAt(start))) start += 1
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1
  return line.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

function framingOf(status: number, isModern: boolean, headers: Readonly<Record<string, string>>): Framing | string {
  const length = headers['content-length']
  const encoding = headers['transfer-encoding']
  if (length !== undefined && !CONTENT_LENGTH.test(length)) return 'a malformed content-length'
  const isBodiless = status < 200 || status === 204 || status === 304
  if (encoding !== undefined) {
    if (length !== undefined) return 'both content-length and transfer-encoding'
    if (!isModern || isBodiless) return 'a transfer-encoding where none may be'
    return encoding.toLowerCase() === 'chunked' ? CHUNKED : 'a transfer-encoding other than chunked'
  }
  if (isBodiless) return NO_BODY
  if (length === undefined) return UNTIL_CLOSE
  return Number(length) === 0 ? NO_BODY : { kind: 'counted', length: Number(length) }
}

function staysOpen(isModern: boolean, connection: string | undefined): boolean {
  if (connection === undefined) return isModern
  const options = connection.toLowerCase().split(/[ \t]*,[ \t]*/)
  return !options.includes('close') && (isModern || options.includes('keep-alive'))
}
