import { concat } from '../sse/frames.ts'

/** Replacing strings in the bytes of a JSON document. */

const encoder = new TextEncoder()

/** A place of a document and what is to stand there. */
export interface Edit {
  readonly start: number
  readonly end: number
  /** JSON text. */
  readonly text: string
}

/** What stands between the quotes of a JSON string. */
export function insideOf(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return JSON.stringify(text).slice(1, -1)
  }
  return text
}

/** Events are short, and copied faster byte by byte than by views of them. */
const SHORT = 512

/** The document with its edits. Nothing is copied where there are none. */
export function splice(bytes: Uint8Array, edits: Edit[]): Uint8Array {
  if (edits.length === 0) return bytes
  const [only] = edits
  if (only && edits.length === 1 && bytes.length <= SHORT && only.text.length <= SHORT) {
    const short = spliceShort(bytes, only)
    if (short) return short
  }
  if (edits.length > 1) edits.sort((one, other) => one.start - other.start)
  const pieces: Uint8Array[] = []
  let from = 0
  for (const { start, end, text } of edits) {
    pieces.push(bytes.subarray(from, start), encoder.encode(text))
    from = end
  }
  pieces.push(bytes.subarray(from))
  return concat(pieces)
}

/** Null where the text is not ASCII. */
function spliceShort(bytes: Uint8Array, { start, end, text }: Edit): Uint8Array | null {
  const shift = start + text.length - end
  const result = new Uint8Array(bytes.length + shift)
  if (shift >= 0) result.set(bytes)
  else for (let at = 0; at < start; at++) result[at] = bytes[at] as number
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 0x7f) return null
    result[start + at] = unit
  }
  for (let at = end; at < bytes.length; at++) result[at + shift] = bytes[at] as number
  return result
}
