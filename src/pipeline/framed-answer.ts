import type { OnBlock } from '../config/config.ts'
import { MAX_WAITING_BYTES } from '../config/limits.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import { OpenEvent, type Outgoing } from '../guard/open-event.ts'
import type { StrayTexts } from '../guard/stray-texts.ts'
import { concat, FrameSplitter, frameData } from '../sse/frames.ts'
import { maySideLinePass } from '../sse/side-lines.ts'

/** How a stream ended, seen from the caller. */
export type StreamEnd =
  | { readonly kind: 'complete' }
  /** Cut by a limit or by policy, with the normal ending. */
  | { readonly kind: 'cut'; readonly finish: 'length' | 'content_filter' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly reason: string }

const decoder = new TextDecoder()

/**
 * Turns the bytes of a model server's event stream into the bytes that the caller may have. Push in what comes; `end` is
 * set as soon as nothing more will be let out, and the last bytes (`closing`) then wait until the caller's answer may end.
 */
export abstract class FramedAnswer {
  /** Set once the answer is over for the caller, whatever the model server still sends. */
  end: StreamEnd | null = null
  /** Takes, behind each event of the model server, what may go out now: for who has to see them one by one. */
  onEvent: ((bytes: Uint8Array) => void) | undefined
  /** What goes out, in order: behind an event that waits, all wait. */
  protected out: Outgoing[] = []
  protected closing: Uint8Array[] = []
  /** Of `out`, when an event in it waits. */
  private waitingBytes = 0
  /** So many of `out` are copies already. */
  private copied = 0
  /** By place in `out`, where events are told one by one: how to cut behind it. */
  private marks: { readonly upTo: number; readonly mark: () => void }[] = []
  /** How to cut behind what has gone out. */
  private passed: (() => void) | null = null
  private readonly splitter: FrameSplitter
  private readonly isClear: (text: string) => boolean
  private readonly onBlock: OnBlock

  /** The last line beside data that was let pass: most are like the one before. */
  private lastLine: Uint8Array = new Uint8Array(0)

  /** `isClear`: whether no rule finds anything in a text. */
  constructor(maxFrameBytes: number, isClear: (text: string) => boolean, onBlock: OnBlock = 'content_filter') {
    this.onBlock = onBlock
    this.isClear = isClear
    this.splitter = new FrameSplitter(maxFrameBytes, {
      frame: bytes => this.frame(bytes),
      tooLong: () => this.fail('upstream_invalid', `an event is longer than ${maxFrameBytes} bytes`),
    })
  }

  /** Takes a chunk; returns what may go out now, or null for nothing. */
  push(chunk: Uint8Array): Uint8Array | null {
    this.splitter.push(chunk)
    return this.take()
  }

  /** The model server closed its answer in good order. */
  complete(): Uint8Array | null {
    if (!this.end) this.ended(decoder.decode(this.splitter.pending).trim())
    return this.take()
  }

  /** Ends the stream with an error event, after what is held has been decided. */
  fail(code: ErrorCode, reason: string): void {
    if (this.end) return
    this.flushHeld()
    this.strays.end()
    this.break(code, reason)
  }

  /** Ends the stream by policy, in the way that it says. `cut`: the way of the wire to end as one that a filter ended. */
  protected block(cut: () => void): void {
    this.strays.end()
    if (this.onBlock === 'error') this.break('guard_output_blocked', 'blocked')
    else cut()
  }

  /** Ends the stream with an error event; what is held is dropped. */
  break(code: ErrorCode, reason: string): void {
    this.out = this.ready()
    this.closing = [this.errorEvent(code)]
    this.finish({ kind: 'failed', code, reason })
  }

  /** The bytes that end the answer: to be sent when its record is safe. */
  last(): Uint8Array {
    return concat(this.closing)
  }

  /** The bytes to send now, without those that end the answer. */
  take(): Uint8Array | null {
    if (this.out.length === 0) return null
    const out = this.waitingBytes > 0 ? this.ready() : (this.out as Uint8Array[])
    this.leave(out.length)
    return out.length > 1 ? concat(out) : (out[0] ?? null)
  }

  /** How to cut the answer by policy for a caller who has got no more than what `take` gave up to now. */
  mark(): () => void {
    if (this.out.length === 0) this.passed = this.markHere()
    return this.passed ?? this.markHere()
  }

  /** The same for a caller who has got all up to the last event, also what still waits. */
  protected abstract markHere(): () => void

  /** What may have to wait. */
  protected abstract readonly strays: Pick<StrayTexts, 'end' | 'drop'>

  /** The event that tells the caller of a failure, in the form of the wire. */
  abstract errorEvent(code: ErrorCode): Uint8Array

  /** One event: `data` stands in `bytes[start, end)`, within the whole `frame`. */
  protected abstract event(frame: Uint8Array, bytes: Uint8Array, start: number, end: number): void

  /** The model server's answer is over; `rest` is what stands behind the last whole event. */
  protected abstract ended(rest: string): void

  /** Lets out, decided, what is held of texts that have not ended. */
  protected abstract flushHeld(): void

  protected finish(end: StreamEnd): void {
    this.strays.end()
    this.end = end
    this.splitter.stop()
  }

  private frame(frame: Uint8Array): void {
    const data = frameData(frame, this.mayPass)
    if (data === null) return
    if ('rest' in data) this.out.push(data.rest)
    else this.event(frame, data.bytes, data.start, data.end)
    if (this.waitingBytes > 0 || this.out.at(-1) instanceof OpenEvent) this.wait(frame.length)
    if (this.onEvent) this.tell(this.onEvent)
  }

  /** An event waits, or stands behind one that does. */
  private wait(size: number): void {
    this.waitingBytes += size
    if (this.waitingBytes > MAX_WAITING_BYTES) this.strays.drop()
  }

  private tell(onEvent: (bytes: Uint8Array) => void): void {
    this.marks.push({ upTo: this.out.length, mark: this.markHere() })
    const bytes = this.take()
    if (bytes) onEvent(bytes)
  }

  /** So many of `out` have gone. */
  private leave(count: number): void {
    for (const { upTo, mark } of this.marks) if (upTo <= count) this.passed = mark
    this.marks = this.marks.filter(({ upTo }) => upTo > count).map(({ upTo, mark }) => ({ upTo: upTo - count, mark }))
    this.out = count === this.out.length ? [] : this.out.slice(count)
    this.copied = Math.max(0, this.copied - count)
    if (this.waitingBytes > 0) this.copyWaiting()
  }

  /** What stays is copied: it is a part of what came in, which may be large, and used again. */
  private copyWaiting(): void {
    for (; this.copied < this.out.length; this.copied++) {
      const one = this.out[this.copied] as Outgoing
      if (one instanceof OpenEvent) one.keep()
      else this.out[this.copied] = new Uint8Array(one)
    }
    this.waitingBytes = this.out.reduce((sum, { length }) => sum + length, 0)
  }

  /** What stands in front of the first event that waits. */
  private ready(): Uint8Array[] {
    const ready: Uint8Array[] = []
    for (const one of this.out) {
      if (one instanceof OpenEvent && one.waits > 0) break
      ready.push(one instanceof OpenEvent ? one.close() : one)
    }
    return ready
  }

  private readonly mayPass = (line: Uint8Array): boolean => {
    if (isSame(line, this.lastLine)) return true
    if (!maySideLinePass(line, this.isClear)) return false
    // A copy: what the bytes are a part of may be large, and used again.
    this.lastLine = new Uint8Array(line)
    return true
  }
}

const BRACKET = 0x5b

/** `[DONE]` and white space: what is longer is something else, and may hold text. */
const MAX_DONE = 16

/** Whether the data says that the stream is over. */
export function isDone(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    bytes[start] === BRACKET &&
    end - start <= MAX_DONE &&
    decoder.decode(bytes.subarray(start, end)).trim() === '[DONE]'
  )
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}
