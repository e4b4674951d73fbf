import type { ChannelName, Fields, Shape } from './shape.ts'
import { decodeString, isName, MALFORMED, stringEnd } from './strings.ts'
import type { CallScope, ChoiceScope, Span, StringSlot, Walked } from './walked.ts'

/**
 * Walks JSON text as bytes, once, without building values: finds the places that a shape marks. Strict where laxness
 * could hide text: duplicate marked fields, unclosed strings and trailing bytes make the document malformed.
 */

const QUOTE = 0x22
const MAX_DEPTH = 128
const UNMARKED: Shape = {}
/** true, false, null, or a number as RFC 8259 has it. */
const SCALAR = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/
const decoder = new TextDecoder()

/** `null`, the scalar that events have most of. */
const NULL = [0x6e, 0x75, 0x6c, 0x6c] as const

class Malformed extends Error {}

/**
 * Walks `bytes[start, end)`; null where it is not one JSON value that can be trusted to be read alike by everyone.
 * `plain` gets where plain values stand whose other letters and digits would make no difference (see `Rewalker`).
 */
export function walkJson(
  bytes: Uint8Array,
  start: number,
  end: number,
  shape: Shape,
  plain: Span[] | null = null,
): Walked | null {
  const walker = new Walker(bytes, start, end, plain)
  try {
    walker.document(shape)
    return walker.found
  } catch (error) {
    if (error instanceof Malformed) return null
    throw error
  }
}

class Walker {
  readonly found: Walked = {
    strings: [],
    choices: [],
    logprobs: [],
    dropped: [],
    tags: [],
    json: [],
    usage: null,
    finish: null,
    error: false,
  }
  private readonly bytes: Uint8Array
  private readonly end: number
  private readonly plain: Span[] | null
  private at: number
  private depth = 0
  private choice: ChoiceScope | null = null
  private call: CallScope | null = null
  private callCount = 0
  private simple = true
  /** Inside a value that is checked as a whole. */
  private inWhole = false
  /** Where the last key stands. */
  private keyStart = 0
  private keyEnd = 0
  /** Where the last value begins. */
  private valueStart = 0

  constructor(bytes: Uint8Array, start: number, end: number, plain: Span[] | null) {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.plain = plain
  }

  document(shape: Shape): void {
    this.space()
    // An answer is an object: on `null` for an event, clients fail.
    if (shape.fields && this.bytes[this.at] !== 0x7b) throw new Malformed()
    this.value(shape)
    this.space()
    if (this.at !== this.end) throw new Malformed()
  }

  private value(shape: Shape): void {
    this.space()
    const start = this.at
    const byte = this.bytes[this.at]
    const kind = shape.mark?.kind
    const outer = this.inWhole
    if (kind === 'json' || kind === 'logprobs' || kind === 'drop') this.inWhole = true
    if (byte === QUOTE) this.string(shape)
    else if (byte === 0x7b) this.object(shape)
    else if (byte === 0x5b) this.array(shape)
    else this.scalar(shape)
    this.inWhole = outer
    this.valueStart = start
    if (kind === undefined || kind === 'plain' || kind === 'text' || kind === 'arguments' || kind === 'delta') return
    const isNull = byte === 0x6e
    if (kind === 'drop' && !isNull) this.found.dropped.push({ start, end: this.at })
    else if (kind === 'json' && !isNull) this.found.json.push({ start, end: this.at })
    else if (kind === 'tag' && !isNull) this.tag(shape, start, byte === QUOTE)
    else if (kind === 'usage' && byte === 0x7b) this.found.usage = { start, end: this.at }
    else if (kind === 'error' && !isNull) this.found.error = true
    else if (kind === 'finish' && !isNull) {
      if (this.choice) this.choice.finish = { start, end: this.at }
      else this.found.finish = { start, end: this.at }
    }
  }

  private tag({ mark }: Shape, start: number, isString: boolean): void {
    if (mark?.kind !== 'tag') return
    if (isString) {
      this.found.tags.push({ tag: mark.tag, start: start + 1, end: this.at - 1, simple: this.simple })
    } else {
      this.found.tags.push({ tag: mark.tag, start, end: this.at, simple: undefined })
    }
  }

  private object(shape: Shape): void {
    this.enter()
    const outer = this.openScope(shape)
    if (shape.holdsText && this.choice) this.choice.textOpen = this.at
    /** The marked fields met so far, a bit each. */
    let seen = 0
    let text: StringSlot | null = null
    let logprobs: Span | null = null
    this.space()
    if (this.bytes[this.at] === 0x7d) this.at++
    else {
      for (;;) {
        this.space()
        const field = this.key(shape.fields)
        this.space()
        this.expect(0x3a)
        let inner: Shape
        if (field >= 0) {
          // Readers differ on which of two equal keys counts: text could hide in the other.
          if (seen & (1 << field)) throw new Malformed()
          seen |= 1 << field
          inner = shape.fields?.shapeOf(field) ?? UNMARKED
        } else {
          inner = shape.others ?? UNMARKED
        }
        const before = this.found.strings.length
        this.value(inner)
        const kind = inner.mark?.kind
        if (kind === 'text' || kind === 'delta') text = this.found.strings[before] ?? text
        else if (kind === 'logprobs') logprobs = { start: this.valueStart, end: this.at }
        this.space()
        if (this.bytes[this.at] === 0x2c) this.at++
        else break
      }
      this.expect(0x7d)
    }
    if (logprobs) {
      const isNull = this.bytes[logprobs.start] === 0x6e
      this.found.logprobs.push({ ...logprobs, isNull, text, choice: this.choice })
    }
    this.depth--
    if (shape.scope === 'choice') this.choice = null
    if (shape.scope === 'call') this.call = outer
  }

  private openScope(shape: Shape): CallScope | null {
    const outer = this.call
    if (shape.scope === 'choice') {
      this.choice = { index: this.found.choices.length, open: this.at, textOpen: -1, finish: null }
      this.found.choices.push(this.choice)
      this.callCount = 0
    } else if (shape.scope === 'call') {
      this.call = { index: this.callCount++ }
    }
    return outer
  }

  private array(shape: Shape): void {
    this.enter()
    this.space()
    if (this.bytes[this.at] === 0x5d) {
      this.at++
    } else {
      for (;;) {
        this.value(shape.items ?? UNMARKED)
        this.space()
        if (this.bytes[this.at] === 0x2c) this.at++
        else break
      }
      this.expect(0x5d)
    }
    this.depth--
  }

  private string(shape: Shape): void {
    const start = this.at + 1
    this.skipString()
    const kind = shape.mark?.kind
    if (kind === 'plain' || kind === 'drop' || kind === 'finish' || kind === 'tag' || kind === 'json') {
      if (kind === 'plain' && this.simple) this.plain?.push({ start, end: this.at - 1 })
      if (this.simple) return
      if (decodeString(this.bytes, { start, end: this.at - 1, simple: false }) === null) throw new Malformed()
      return
    }
    if (this.inWhole || (start === this.at - 1 && kind === undefined)) return
    const end = this.at - 1
    const channel = shape.mark?.kind === 'text' ? shape.mark.channel : null
    let field = ''
    if (shape.mark?.kind === 'delta') field = shape.mark.field
    else if (channel === 'other') field = this.lastKey()
    this.note(
      kind === 'text' || kind === 'arguments' || kind === 'delta' ? kind : 'unknown',
      start,
      end,
      channel,
      field,
    )
  }

  private note(
    kind: StringSlot['kind'],
    start: number,
    end: number,
    channel: ChannelName | null = null,
    field = '',
  ): void {
    const { simple, choice, call } = this
    this.found.strings.push({ kind, channel, field, start, end, simple, choice, call })
  }

  /** The name of the field whose value was read. */
  private lastKey(): string {
    return decodeString(this.bytes, { start: this.keyStart, end: this.keyEnd, simple: false }) ?? ''
  }

  /** From a quote through the closing one; sets `simple`. */
  private skipString(): void {
    const quote = stringEnd(this.bytes, this.at + 1, this.end)
    if (quote === MALFORMED) throw new Malformed()
    this.simple = quote > 0
    this.at = Math.abs(quote) + 1
  }

  /** Reads a key; which of the marked fields it is, or -1. */
  private key(fields: Fields | undefined): number {
    if (this.bytes[this.at] !== QUOTE) throw new Malformed()
    const start = this.at + 1
    this.skipString()
    const end = this.at - 1
    this.keyStart = start
    this.keyEnd = end
    let field = -1
    if (this.simple) {
      if (fields) field = fields.findBytes(this.bytes, start, end)
    } else {
      const key = decodeString(this.bytes, { start, end, simple: false })
      if (key === null) throw new Malformed()
      if (fields) field = fields.find(key)
    }
    if (field < 0 && !this.inWhole && !(this.simple && isName(this.bytes, start, end))) this.note('key', start, end)
    return field
  }

  /** A number, true, false or null. */
  private scalar(shape: Shape): void {
    const start = this.at
    let number = 0
    while (this.at < this.end) {
      const byte = this.bytes[this.at] ?? 0
      const part =
        (byte >= 0x30 && byte <= 0x39) ||
        (byte >= 0x61 && byte <= 0x7a) ||
        byte === 0x2e ||
        byte === 0x2d ||
        byte === 0x2b ||
        byte === 0x45
      if (!part) break
      number = byte >= 0x30 && byte <= 0x39 ? number * 10 + byte - 0x30 : Number.NaN
      this.at++
    }
    if (!this.isScalar(start)) throw new Malformed()
    if (shape.mark?.kind === 'plain') this.plain?.push({ start, end: this.at })
    if (this.at - start >= LONG_NUMBER && shape.mark === undefined && !this.inWhole) this.longNumber(start, number)
    if (shape.mark?.kind !== 'index') return
    if (!Number.isInteger(number) || number < 0 || number > MAX_INDEX) throw new Malformed()
    if (this.call) this.call.index = number
    else if (this.choice) this.choice.index = number
  }

  /** A whole number may be one of a person. Measurements have fractions and pass. */
  private longNumber(start: number, digits: number): void {
    if (Number.isNaN(digits) && !Number.isInteger(Number(decoder.decode(this.bytes.subarray(start, this.at))))) return
    this.simple = true
    this.note('number', start, this.at)
  }

  /** Whether what stands from `start` to here is a scalar: text must not pass for one. */
  private isScalar(start: number): boolean {
    let digits = start
    while (digits < this.at && (this.bytes[digits] ?? 0) >= 0x30 && (this.bytes[digits] ?? 0) <= 0x39) digits++
    // Nearly all are whole numbers.
    if (digits === this.at && digits > start) return digits === start + 1 || this.bytes[start] !== 0x30
    if (this.at - start === NULL.length && NULL.every((byte, at) => this.bytes[start + at] === byte)) return true
    return SCALAR.test(decoder.decode(this.bytes.subarray(start, this.at)))
  }

  private enter(): void {
    this.at++
    if (++this.depth > MAX_DEPTH) throw new Malformed()
  }

  private space(): void {
    for (;;) {
      const byte = this.bytes[this.at]
      if (this.at < this.end && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)) this.at++
      else return
    }
  }

  private expect(byte: number): void {
    if (this.at >= this.end || this.bytes[this.at] !== byte) throw new Malformed()
    this.at++
  }
}

/** Characters of a number from which on it is looked at: shorter ones are counts, sizes and seconds of the clock. */
const LONG_NUMBER = 12

/** Choices and calls of one answer at the most: bounds the channels that a stream can open. */
const MAX_INDEX = 1023
