/** Nesting of a record: its findings are at 3. */
const MAX_DEPTH = 16
/** Of numbers with no more digits than this, the text is the shortest that reads as the same value. */
const EXACT_DIGITS = 15

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const FAULT = -1

/** What a byte of a string asks for: 0 nothing, 1 a decision (end, escape, control character), 2 the rest of its UTF-8. */
const ASKS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) return 1
  return byte < 0x80 ? 0 : 2
})

/** The members that a verifier needs. */
const WANTED = [
  'begun',
  'deletedFrom',
  'hash',
  'instance',
  'outcome',
  'prev',
  'requestId',
  'run',
  'seq',
  'statement',
  'time',
] as const
export type Wanted = (typeof WANTED)[number]
const KEYS = WANTED.map(name => ({ name, bytes: new TextEncoder().encode(name) }))

const decoder = new TextDecoder()

/**
 * Reads lines as what the log writes and nothing else: one object as canonical JSON (RFC 8785) in UTF-8. So white space,
 * repeated or unsorted keys, other spellings of numbers and characters, lone surrogates, and bytes that are no UTF-8 are
 * all found. Makes no values: one pass over the bytes, about 1 ns each. `from` and `to` say where the wanted members'
 * values stand, 0 for what is not there.
 */
export class CanonicalLine {
  bytes: Uint8Array = new Uint8Array(0)
  /** Offsets of the values, strings without their quotes. */
  readonly from: Record<Wanted, number>
  readonly to: Record<Wanted, number>
  #end = 0

  constructor() {
    this.from = Object.fromEntries(WANTED.map(name => [name, 0])) as Record<Wanted, number>
    this.to = { ...this.from }
  }

  /** Whether the bytes from `start` to `end` are such a line. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.bytes = bytes
    this.#end = end
    for (const name of WANTED) this.from[name] = 0
    return bytes[start] === 0x7b && this.#object(start, 0) === end
  }

  has(name: Wanted): boolean {
    return this.from[name] !== 0
  }

  /** A wanted member's value as it is written. */
  text(name: Wanted): string {
    return decoder.decode(this.bytes.subarray(this.from[name], this.to[name]))
  }

  /** Whether a wanted member's value is this ASCII text. */
  is(name: Wanted, text: string): boolean {
    const { bytes } = this
    const from = this.from[name]
    if (from === 0 || this.to[name] - from !== text.length) return false
    for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text.charCodeAt(at)) return false
    return true
  }

  /** A wanted member's value as a whole number from 1, or 0 where it is none. */
  count(name: Wanted): number {
    const { bytes } = this
    const to = this.to[name]
    let value = 0
    for (let at = this.from[name]; at < to; at++) {
      const digit = (bytes[at] as number) - ZERO
      if (digit < 0 || digit > 9) return 0
      value = value * 10 + digit
    }
    return this.has(name) && Number.isSafeInteger(value) ? value : 0
  }

  /** Each returns where the value ends, or `FAULT`. */
  #value(at: number, depth: number): number {
    const byte = this.bytes[at]
    if (byte === QUOTE) return this.#string(at)
    if (byte === 0x7b) return this.#object(at, depth)
    if (byte === 0x5b) return this.#array(at, depth)
    if (byte === 0x74) return this.#literal(at, 'true')
    if (byte === 0x66) return this.#literal(at, 'false')
    if (byte === 0x6e) return this.#literal(at, 'null')
    return this.#number(at)
  }

  #object(start: number, depth: number): number {
    const { bytes } = this
    if (depth >= MAX_DEPTH) return FAULT
    if (bytes[start + 1] === 0x7d) return start + 2
    let lastFrom = 0
    let lastTo = 0
    for (let at = start + 1; ; at++) {
      if (bytes[at] !== QUOTE) return FAULT
      const keyEnd = this.#string(at)
      if (keyEnd === FAULT || bytes[keyEnd] !== COLON) return FAULT
      const keyFrom = at + 1
      const keyTo = keyEnd - 1
      if (lastFrom !== 0 && !this.#sorted(lastFrom, lastTo, keyFrom, keyTo)) return FAULT
      const end = this.#value(keyEnd + 1, depth + 1)
      if (end === FAULT) return FAULT
      if (depth === 0) this.#note(keyFrom, keyTo, keyEnd + 1, end)
      lastFrom = keyFrom
      lastTo = keyTo
      at = end
      if (bytes[at] === COMMA) continue
      return bytes[at] === 0x7d ? at + 1 : FAULT
    }
  }

  #array(start: number, depth: number): number {
    const { bytes } = this
    if (depth >= MAX_DEPTH) return FAULT
    if (bytes[start + 1] === 0x5d) return start + 2
    for (let at = start + 1; ; at++) {
      at = this.#value(at, depth + 1)
      if (at === FAULT) return FAULT
      if (bytes[at] === COMMA) continue
      return bytes[at] === 0x5d ? at + 1 : FAULT
    }
  }

  /** Keeps where a wanted value is. */
  #note(keyFrom: number, keyTo: number, from: number, to: number): void {
    const { bytes } = this
    const length = keyTo - keyFrom
    for (const { name, bytes: key } of KEYS) {
      if (key.length !== length || key[0] !== bytes[keyFrom]) continue
      let same = 1
      while (same < length && key[same] === bytes[keyFrom + same]) same++
      if (same < length) continue
      const isText = bytes[from] === QUOTE
      this.from[name] = isText ? from + 1 : from
      this.to[name] = isText ? to - 1 : to
      return
    }
  }

  #string(start: number): number {
    const { bytes } = this
    for (let at = start + 1; ; ) {
      while (ASKS[bytes[at] as number] === 0) at++
      const byte = bytes[at]
      if (byte === QUOTE) return at < this.#end ? at + 1 : FAULT
      if (byte === BACKSLASH) at = this.#escape(at)
      else if (byte !== undefined && byte >= 0x80) at = this.#wide(at)
      else return FAULT
      if (at === FAULT || at > this.#end) return FAULT
    }
  }

  /** Canonical JSON escapes what must be escaped and nothing else, in its shortest form. */
  #escape(at: number): number {
    const { bytes } = this
    const kind = bytes[at + 1] ?? 0
    if (kind !== 0x75) return '"\\bfnrt'.includes(String.fromCharCode(kind)) ? at + 2 : FAULT
    const code = String.fromCharCode(...bytes.subarray(at + 2, at + 6))
    return /^00(?:0[0-7be-f]|1[0-9a-f])$/.test(code) ? at + 6 : FAULT
  }

  /** A character of two to four bytes: no overlong forms, no surrogates, nothing past U+10FFFF (RFC 3629). */
  #wide(at: number): number {
    const { bytes } = this
    const lead = bytes[at] as number
    const second = bytes[at + 1] ?? 0
    if (lead < 0xc2 || lead > 0xf4) return FAULT
    const min = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const max = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < min || second > max) return FAULT
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    for (let next = 2; next < length; next++) {
      if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return FAULT
    }
    return at + length
  }

  #literal(at: number, text: string): number {
    for (let next = 0; next < text.length; next++) if (this.bytes[at + next] !== text.charCodeAt(next)) return FAULT
    return at + text.length
  }

  #number(start: number): number {
    const { bytes } = this
    let at = start
    while (isDigit(bytes[at])) at++
    const whole = at - start
    let fraction = 0
    if (bytes[at] === DOT && whole > 0 && bytes[start] !== ZERO) {
      const from = ++at
      while (isDigit(bytes[at])) at++
      fraction = at - from
      if (fraction === 0 || bytes[at - 1] === ZERO) return FAULT
    }
    const isPlain = whole > 0 && (bytes[start] !== ZERO || whole === 1) && whole + fraction <= EXACT_DIGITS
    return isPlain && !isInNumber(bytes[at]) ? at : this.#oddNumber(start)
  }

  /** Negative, tiny, huge, with an exponent: the text has to be the one that ECMAScript writes for the value. */
  #oddNumber(start: number): number {
    let at = start
    while (isInNumber(this.bytes[at])) at++
    const text = String.fromCharCode(...this.bytes.subarray(start, Math.min(at, start + 32)))
    return text !== '' && String(Number(text)) === text ? at : FAULT
  }

  /** Whether one key comes before another, in the order of UTF-16 units. */
  #sorted(aFrom: number, aTo: number, bFrom: number, bTo: number): boolean {
    const { bytes } = this
    const common = Math.min(aTo - aFrom, bTo - bFrom)
    for (let at = 0; at < common; at++) {
      const a = bytes[aFrom + at] as number
      const b = bytes[bFrom + at] as number
      if (a >= 0x80 || b >= 0x80 || a === BACKSLASH || b === BACKSLASH)
        return this.#key(aFrom, aTo) < this.#key(bFrom, bTo)
      if (a !== b) return a < b
    }
    return aTo - aFrom < bTo - bFrom
  }

  #key(from: number, to: number): string {
    return JSON.parse(decoder.decode(this.bytes.subarray(from - 1, to + 1))) as string
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}

function isInNumber(byte: number | undefined): boolean {
  return isDigit(byte) || byte === MINUS || byte === DOT || byte === 0x2b || byte === 0x65 || byte === 0x45
}
