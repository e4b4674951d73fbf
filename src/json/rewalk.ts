import type { Shape } from './shape.ts'
import { MALFORMED, stringEnd } from './strings.ts'
import { walkJson } from './walk.ts'
import type { StringSlot, Walked } from './walked.ts'

/** Longer documents are not kept for comparison, in bytes. */
const MAX_KEPT = 1024

/**
 * Walks the documents of one stream. Most are the one before but for the piece of text inside: where that is so, byte for
 * byte, the walk would find the same, and only the text is read.
 */
export class Rewalker {
  private readonly shape: Shape
  /** The last document that was walked, if the next may be like it; it stood from `start` on. */
  private kept: Uint8Array | null = null
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
    const walked = walkJson(bytes, start, end, this.shape)
    this.keep(bytes, start, end, walked)
    return walked
  }

  private again(bytes: Uint8Array, start: number, end: number): Walked | null {
    const { kept, walked, textEnd } = this
    if (!kept || !walked || start !== this.start) return null
    const slot = walked.strings[0] as StringSlot
    const head = slot.start - start
    const tail = kept.length - (textEnd - start)
    if (end - start < head + tail) return null
    for (let at = 0; at < head; at++) if (kept[at] !== bytes[start + at]) return null
    const found = stringEnd(bytes, slot.start, end)
    if (found === MALFORMED || Math.abs(found) + tail !== end) return null
    for (let at = 1; at <= tail; at++) if (kept[kept.length - at] !== bytes[end - at]) return null
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

  private keep(bytes: Uint8Array, start: number, end: number, walked: Walked | null): void {
    this.kept = null
    if (!walked || end - start > MAX_KEPT || !isLikeOthers(walked)) return
    // A copy: what the bytes are a part of may be large, and used again. `slice` of a Node buffer would be none.
    this.kept = new Uint8Array(bytes.subarray(start, end))
    this.start = start
    this.walked = walked
    this.textEnd = (walked.strings[0] as StringSlot).end
  }
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
