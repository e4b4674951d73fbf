/**
 * Splits a stream of server-sent events into frames: the bytes from the end of one blank line through the next
 * (WHATWG HTML, "server-sent events"; lines end with LF, CR or CRLF). Bytes are not changed and not copied, but for a
 * frame that straddles chunks.
 */

const LF = 0x0a
const CR = 0x0d

export interface FrameHandler {
  /** One whole frame, its closing blank line included. */
  frame(bytes: Uint8Array): void
  /** A frame grew past the limit; nothing more will be handled. */
  tooLong(): void
}

export class FrameSplitter {
  private readonly limit: number
  private readonly handler: FrameHandler
  /** What has come of the frame in progress: put together once, when it is whole. */
  private carry: Uint8Array[] = []
  private carried = 0
  private lineHasBytes = false
  private frameHasLines = false
  private afterCr = false
  private stopped = false

  /** `limit`: bytes of one frame at the most. */
  constructor(limit: number, handler: FrameHandler) {
    this.limit = limit
    this.handler = handler
  }

  /** Bytes of a frame that has begun and not ended. */
  get pending(): Uint8Array {
    return concat(this.carry)
  }

  /** Nothing after this is handled: for a handler that has seen enough. */
  stop(): void {
    this.stopped = true
  }

  push(chunk: Uint8Array): void {
    let from = 0
    for (let at = 0; at < chunk.length && !this.stopped; at++) {
      const lineFrom = at
      while (at < chunk.length && chunk[at] !== LF && chunk[at] !== CR) at++
      if (at > lineFrom) {
        this.lineHasBytes = true
        this.afterCr = false
        if (at === chunk.length) break
      }
      const byte = chunk[at]
      const secondHalf = byte === LF && this.afterCr
      this.afterCr = byte === CR
      if (secondHalf) continue
      if (this.lineHasBytes) {
        this.lineHasBytes = false
        this.frameHasLines = true
        continue
      }
      if (!this.frameHasLines) continue
      this.frameHasLines = false
      if (byte === CR && chunk[at + 1] === LF) {
        at++
        this.afterCr = false
      }
      const rest = chunk.subarray(from, at + 1)
      from = at + 1
      if (this.carried + rest.length > this.limit) return this.overflow()
      const frame = this.carried === 0 ? rest : concat([...this.carry, rest])
      this.drop()
      this.handler.frame(frame)
    }
    if (this.stopped || from === chunk.length) return
    const rest = chunk.subarray(from)
    if (this.carried + rest.length > this.limit) return this.overflow()
    this.carry.push(rest)
    this.carried += rest.length
  }

  private overflow(): void {
    this.stopped = true
    this.drop()
    this.handler.tooLong()
  }

  private drop(): void {
    if (this.carried === 0) return
    this.carry = []
    this.carried = 0
  }
}

/** The pieces as one: a single one is given back as it is. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces
  if (only && pieces.length === 1) return only
  let size = 0
  for (const piece of pieces) size += piece.length
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** Where the data of a frame stands. */
export interface FrameData {
  /** The frame, rewritten where it had several `data` lines or lines that must not pass. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Whether a line beside the data may pass: a comment, or a field such as `event: name`. */
export type MayPass = (line: Uint8Array) => boolean

const SPACE = 0x20
const DATA = [0x64, 0x61, 0x74, 0x61] as const
const encoder = new TextEncoder()
const DATA_FIELD = encoder.encode('data: ')
const LINE_END = encoder.encode('\n')
const BLANK = encoder.encode(' ')
const NOTHING = new Uint8Array(0)

/**
 * The data of a frame. Several `data` lines become one, joined by a space: the line breaks between them can only be
 * white space of the JSON inside. For a frame without data: what of it may pass, or null for nothing.
 */
export function frameData(frame: Uint8Array, mayPass: MayPass): FrameData | { readonly rest: Uint8Array } | null {
  return onlyLine(frame) ?? joinedLines(frame, mayPass)
}

/** The data of a frame that is one `data` line: nearly all are. */
function onlyLine(frame: Uint8Array): FrameData | null {
  const end = frame.length - 2
  if (frame[end] !== LF || frame[end + 1] !== LF || frame[0] !== DATA[0]) return null
  if (frame.indexOf(LF) !== end || frame.includes(CR)) return null
  const start = dataStart(frame, 0, end)
  return start < 0 ? null : { bytes: frame, start, end }
}

function joinedLines(frame: Uint8Array, mayPass: MayPass): FrameData | { readonly rest: Uint8Array } | null {
  const data: { start: number; end: number }[] = []
  const others: Uint8Array[] = []
  let dropped = false
  let at = 0
  // A byte-order mark may stand before the first line of a stream.
  if (frame[0] === 0xef && frame[1] === 0xbb && frame[2] === 0xbf) at = 3
  while (at < frame.length) {
    let end = at
    while (end < frame.length && frame[end] !== LF && frame[end] !== CR) end++
    if (end > at) {
      const start = dataStart(frame, at, end)
      const line = frame.subarray(at, end)
      if (start >= 0) data.push({ start, end })
      else if (mayPass(line)) others.push(line)
      else dropped = true
    }
    at = end + 1
  }
  const [only] = data
  if (only && data.length === 1 && !dropped) return { bytes: frame, start: only.start, end: only.end }
  if (!only && !dropped) return { rest: frame }
  const head = concat(others.flatMap(line => [line, LINE_END]))
  if (!only) return others.length === 0 ? null : { rest: concat([head, LINE_END]) }
  const joined = concat(data.flatMap(({ start, end }, index) => [index ? BLANK : NOTHING, frame.subarray(start, end)]))
  const start = head.length + DATA_FIELD.length
  return {
    bytes: concat([head, DATA_FIELD, joined, LINE_END, LINE_END]),
    start,
    end: start + joined.length,
  }
}

/** Where the value starts if the line is a `data` field, else -1. */
function dataStart(frame: Uint8Array, start: number, end: number): number {
  for (let at = 0; at < DATA.length; at++) if (frame[start + at] !== DATA[at]) return -1
  const colon = start + DATA.length
  if (colon === end) return end
  if (frame[colon] !== 0x3a) return -1
  return frame[colon + 1] === SPACE && colon + 1 < end ? colon + 2 : colon + 1
}
