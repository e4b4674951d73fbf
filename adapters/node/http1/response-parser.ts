import { fieldColon, MAX_FIELDS, parseHead, type ResponseHead } from './response-head.ts'

/** Status line and fields together. */
export const MAX_HEAD_BYTES = 16 * 1024
/** What may stand behind the size of one chunk. */
const MAX_EXTENSION_BYTES = 256
/** Fields behind the last chunk. */
const MAX_TRAILER_BYTES = 4 * 1024
/** Answers such as 103 in front of the final one. */
const MAX_INFORMATIONAL = 8
/** Hexadecimal digits of a chunk's size that are exact as a number. */
const MAX_SIZE_DIGITS = 13

const HEAD = 0
const COUNTED = 1
const UNTIL_CLOSE = 2
const SIZE = 3
const EXTENSION = 4
const SIZE_LF = 5
const CHUNK = 6
const CHUNK_CR = 7
const CHUNK_LF = 8
const TRAILER = 9
const COMPLETE = 10
const BROKEN = 11

const CR = 0x0d
const LF = 0x0a
const SEMICOLON = 0x3b

const STATUS_LINE_START = 'HTTP/1.'
/** In a head that is not here as a whole: bytes that none can have. */
const BAD_IN_HEAD = /\0|(?:^|[^\r])\n|\r[^\n]/
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const EXTENSIONS = new RegExp(`^(?:;${TOKEN}(?:=(?:${TOKEN}|"[\\t !#-[\\]-~]*"))?)+$`)
const FRAMING_FIELD = /^(?:content-length|transfer-encoding)$/i

/**
 * Reads one HTTP/1.1 answer after another from the bytes of a connection (RFC 9112), without I/O. What is found is left
 * in fields for its owner to take, so that a read costs no callback; what is not taken is kept. Strict: whatever two
 * readers could take for different things is a fault, and behind a fault nothing more is read. It holds no more than
 * an unfinished head between reads.
 */
export class ResponseParser {
  /** The final answer's head, once it is here. Its owner takes it by setting it to undefined. */
  head: ResponseHead | undefined
  /** Body bytes not taken yet, without the framing: a copy of its own. Taken by setting it to undefined. */
  body: Uint8Array | undefined
  /** The answer is here to its last byte. */
  complete = false
  /** Whether the server keeps the connection open behind this answer; known with the head. */
  keepAlive = false
  /** Whether bytes came behind the end of the answer. */
  excess = false
  /** What is wrong. Never quotes the bytes. */
  fault: string | undefined
  #state = HEAD
  #partial: Buffer | undefined
  #informational = 0
  /** Bytes that the counted body or the chunk still has. */
  #left = 0
  #digits = 0
  /** The extension or trailer being read. */
  #line = ''
  #trailerBytes = 0
  #trailers = 0

  /** Makes it ready for the next answer on the same connection. */
  reset(): void {
    this.head = this.body = this.fault = this.#partial = undefined
    this.complete = this.keepAlive = this.excess = false
    this.#state = HEAD
    this.#informational = 0
  }

  /**
   * Takes the first `length` bytes of the buffer.
   * @param buffer is overwritten while it is read (the body is moved together in it) and not kept
   */
  read(buffer: Buffer, length: number): void {
    let source = buffer
    let end = length
    let at = 0
    if (this.#state === HEAD) {
      if (this.#partial) {
        source = Buffer.concat([this.#partial, buffer.subarray(0, length)])
        end = source.length
        this.#partial = undefined
      }
      at = this.#readHead(source, end)
    }
    if (this.#state >= SIZE && this.#state <= TRAILER) at = this.#readChunks(source, at, end)
    else if (this.#state === COUNTED) at = this.#readCounted(source, at, end)
    else if (this.#state === UNTIL_CLOSE && at < end) {
      this.#pass(source, at, end)
      at = end
    }
    if (this.#state === COMPLETE && at < end) this.excess = true
  }

  /** The server has closed the connection in good order. Returns whether that is the answer's end. */
  end(): boolean {
    if (this.#state === UNTIL_CLOSE) this.#finish()
    return this.complete
  }

  #readHead(source: Buffer, end: number): number {
    for (let at = 0; ; ) {
      const text = source.toString('latin1', at, Math.min(end, at + MAX_HEAD_BYTES))
      const length = text.indexOf('\r\n\r\n')
      if (length < 0) {
        if (text.length === MAX_HEAD_BYTES) this.#break('a head that is too long')
        else if (!STATUS_LINE_START.startsWith(text.slice(0, STATUS_LINE_START.length)) || BAD_IN_HEAD.test(text)) {
          this.#break('a malformed head')
        } else if (at < end) this.#partial = Buffer.from(source.subarray(at, end))
        return end
      }
      at += length + 4
      const head = parseHead(text.slice(0, length))
      if (typeof head === 'string') {
        this.#break(head)
        return end
      }
      if (head.status >= 200) {
        this.#begin(head)
        return at
      }
      if (head.status === 101) this.#break('a switch of protocols that was not asked for')
      else if (!head.keepAlive) this.#break('an informational answer that would close the connection')
      else if (++this.#informational > MAX_INFORMATIONAL) this.#break('too many informational answers')
      else continue
      return end
    }
  }

  #begin(head: ResponseHead): void {
    const { framing } = head
    this.head = head
    this.keepAlive = head.keepAlive && framing.kind !== 'until-close'
    switch (framing.kind) {
      case 'none':
        return this.#finish()
      case 'until-close':
        this.#state = UNTIL_CLOSE
        return
      case 'counted':
        this.#state = COUNTED
        this.#left = framing.length
        return
      case 'chunked':
        this.#state = SIZE
        this.#left = this.#digits = this.#trailerBytes = this.#trailers = 0
    }
  }

  #readCounted(source: Buffer, from: number, end: number): number {
    const stop = Math.min(end, from + this.#left)
    this.#left -= stop - from
    if (stop > from) this.#pass(source, from, stop)
    if (this.#left === 0) this.#finish()
    return stop
  }

  /** All chunks of a read: their bytes are moved together behind the first one's and passed on as one. */
  #readChunks(source: Buffer, from: number, end: number): number {
    let at = from
    let start = 0
    let stop = 0
    while (at < end && this.#state <= TRAILER) {
      if (this.#state === CHUNK) {
        const next = Math.min(end, at + this.#left)
        if (stop === 0) start = at
        else source.copyWithin(stop, at, next)
        stop = stop === 0 ? next : stop + next - at
        this.#left -= next - at
        if (this.#left === 0) this.#state = CHUNK_CR
        at = next
      } else this.#readFraming(source[at++] as number)
    }
    if (stop > start) this.#pass(source, start, stop)
    return at
  }

  #readFraming(byte: number): void {
    switch (this.#state) {
      case SIZE:
        return this.#readSize(byte)
      case EXTENSION:
        if (byte === CR) {
          if (!EXTENSIONS.test(this.#line)) return this.#break('a malformed chunk extension')
          this.#state = SIZE_LF
        } else if (this.#line.length === MAX_EXTENSION_BYTES) this.#break('a chunk extension that is too long')
        else this.#line += String.fromCharCode(byte)
        return
      case SIZE_LF:
        if (byte !== LF) return this.#break('a malformed chunk size')
        this.#state = this.#left > 0 ? CHUNK : TRAILER
        this.#digits = 0
        this.#line = ''
        return
      case CHUNK_CR:
        if (byte !== CR) return this.#break('a chunk longer than its size')
        this.#state = CHUNK_LF
        return
      case CHUNK_LF:
        if (byte !== LF) return this.#break('a chunk longer than its size')
        this.#state = SIZE
        return
      default:
        return this.#readTrailer(byte)
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) return this.#break('a chunk size that is too long')
      this.#left = this.#left * 16 + digit
    } else if (this.#digits > 0 && byte === CR) this.#state = SIZE_LF
    else if (this.#digits > 0 && byte === SEMICOLON) {
      this.#state = EXTENSION
      this.#line = ';'
    } else this.#break('a malformed chunk size')
  }

  /** Fields behind the last chunk are checked and dropped. */
  #readTrailer(byte: number): void {
    if (++this.#trailerBytes > MAX_TRAILER_BYTES) return this.#break('trailers that are too long')
    if (byte !== LF) {
      this.#line += String.fromCharCode(byte)
      return
    }
    const line = this.#line.slice(0, -1)
    if (!this.#line.endsWith('\r')) return this.#break('a malformed trailer')
    this.#line = ''
    if (line === '') return this.#finish()
    const colon = fieldColon(line)
    if (colon < 0) return this.#break('a malformed trailer')
    if (FRAMING_FIELD.test(line.slice(0, colon))) return this.#break('a trailer that would change the framing')
    if (++this.#trailers > MAX_FIELDS) this.#break('too many trailers')
  }

  #pass(source: Buffer, from: number, to: number): void {
    const bytes = Buffer.allocUnsafe(to - from)
    source.copy(bytes, 0, from, to)
    this.body = this.body ? Buffer.concat([this.body, bytes]) : bytes
  }

  #finish(): void {
    this.#state = COMPLETE
    this.complete = true
  }

  #break(fault: string): void {
    this.#state = BROKEN
    this.#line = ''
    this.fault = fault
  }
}

/** The digit's value, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
