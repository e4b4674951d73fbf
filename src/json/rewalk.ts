import type { Shape } from './shape.ts'
import { MALFORMED, stringEnd } from './strings.ts'
import { walkJson } from './walk.ts'
import type { Span, StringSlot, Walked } from './walked.ts'

/** Longer documents are not kept for comparison, in bytes. */
const MAX_KEPT = 1024

/**
 * Walks the documents of one stream. Most are the one before but for the piece of text inside: where that is so, byte for
 * byte, the walk would find the same, and only the text is read. Plain values may differ in what cannot change what the
 * walk finds: some servers count in an id, or write the time.
 */
export class Rewalker {
  private readonly shape: Shape
  /** The last document that was walked, if the next may be like it; it stood from `start` on. */
  private kept: Uint8Array | null = null
  /** By byte of `kept`, the kinds of bytes that may stand in its place. */
  private looseness: Uint8Array = NOTHING
  private start = 0
  private walked: Walked | null = null
  /** Where its text ended. */
  private textEnd = 0

  constructor(shape: Shape) {
    this.shape = shape
  }

  /** As `walkJson`; what it returns is good until the next call. */
  walk(bytes: Uint8Array, start: number, end: number): Walked | null {
    const again = this.again(bytes, start, end)
    if (again) return again
    const plain: Span[] = []
    const walked = walkJson(bytes, start, end, this.shape, plain)
    this.keep(bytes, start, end, walked, plain)
    return walked
  }

  private again(bytes: Uint8Array, start: number, end: number): Walked | null {
    const { kept, walked, textEnd } = this
    if (!kept || !walked || start !== this.start) return null
    const slot = walked.strings[0] as StringSlot
    const head = slot.start - start
    const tail = kept.length - (textEnd - start)
    if (end - start < head + tail) return null
    if (!this.isLike(kept, 0, head, bytes, start)) return null
    const found = stringEnd(bytes, slot.start, end)
    if (found === MALFORMED || Math.abs(found) + tail !== end) return null
    if (!this.isLike(kept, kept.length - tail, kept.length, bytes, end - kept.length)) return null
    const { kind, channel, field, choice, call } = slot
    walked.strings[0] = {
      kind,
      channel,
      field,
      start: slot.start,
      end: Math.abs(found),
      simple: found > 0,
      choice,
      call,
    }
    return walked
  }

  /** Whether what stands in `bytes`, `shift` further on, may stand in place of `kept[from, to)`. */
  private isLike(kept: Uint8Array, from: number, to: number, bytes: Uint8Array, shift: number): boolean {
    for (let at = from; at < to; at++) {
      const byte = bytes[at + shift] as number
      if (kept[at] !== byte && ((KINDS[byte] as number) & (this.looseness[at] as number)) === 0) return false
    }
    return true
  }

  private keep(bytes: Uint8Array, start: number, end: number, walked: Walked | null, plain: readonly Span[]): void {
    this.kept = null
    if (!walked || end - start > MAX_KEPT || !isLikeOthers(walked)) return
    // A copy: what the bytes are a part of may be large, and used again. `slice` of a Node buffer would be none.
    this.kept = new Uint8Array(bytes.subarray(start, end))
    this.looseness = loosenessOf(bytes, start, end, plain)
    this.start = start
    this.walked = walked
    this.textEnd = (walked.strings[0] as StringSlot).end
  }
}

const NOTHING = new Uint8Array(0)
const QUOTE = 0x22
const BACKSLASH = 0x5c

const DIGIT = 1
/** What stands in a string for itself. */
const LITERAL = 2
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return DIGIT | LITERAL
  return byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH ? LITERAL : 0
})

/** Inside a plain string that has no escapes, any literal may stand; in a whole number any digit, but for the first. */
function loosenessOf(bytes: Uint8Array, start: number, end: number, plain: readonly Span[]): Uint8Array {
  const looseness = new Uint8Array(end - start)
  for (const span of plain) {
    if (bytes[span.start - 1] === QUOTE) {
      looseness.fill(LITERAL, span.start - start, span.end - start)
    } else if (isWhole(bytes, span)) {
      looseness.fill(DIGIT, span.start + 1 - start, span.end - start)
    }
  }
  return looseness
}

function isWhole(bytes: Uint8Array, { start, end }: Span): boolean {
  for (let at = start; at < end; at++) if (((KINDS[bytes[at] as number] as number) & DIGIT) === 0) return false
  return true
}

/** Whether nothing but one piece of text matters: other places would move with its length. */
function isLikeOthers({ strings, choices, logprobs, dropped, usage, error }: Walked): boolean {
  return (
    strings.length === 1 &&
    strings[0]?.kind === 'text' &&
    choices.length === 1 &&
    choices[0]?.finish === null &&
    choices[0].textOpen <= strings[0].start &&
    logprobs.every(({ isNull }) => isNull) &&
    dropped.length === 0 &&
    usage === null &&
    !error
  )
}
