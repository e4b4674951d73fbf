/** Strings of JSON, read from its bytes. */

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** A byte-order mark inside a string is a character like others. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The text of a JSON string's inside; null where it is not valid. Invalid UTF-8 becomes U+FFFD. */
export function decodeString(bytes: Uint8Array, slot: { start: number; end: number; simple: boolean }): string | null {
  if (slot.simple) {
    if (slot.end - slot.start > 64) return decoder.decode(bytes.subarray(slot.start, slot.end))
    let text = ''
    for (let at = slot.start; at < slot.end; at++) text += String.fromCharCode(bytes[at] ?? 0)
    return text
  }
  try {
    return JSON.parse(`"${decoder.decode(bytes.subarray(slot.start, slot.end))}"`) as string
  } catch {
    return null
  }
}

/** What `stringEnd` gives for a string that no JSON may hold. */
export const MALFORMED = 0

/**
 * Where the closing quote of a JSON string stands whose inside begins at `from`, which is not 0: negative when the string
 * has escapes or bytes above 127.
 */
export function stringEnd(bytes: Uint8Array, from: number, end: number): number {
  let all = 0
  let escaped = false
  for (let at = from; at < end; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) return escaped || all >= 0x80 ? -at : at
    if (byte === BACKSLASH) {
      escaped = true
      at++
    } else if (byte < 0x20) {
      return MALFORMED
    }
    all |= byte
  }
  return MALFORMED
}

/** Field names are at most this long. */
const MAX_NAME = 40

/** Digits in a field's name at the most. */
const MAX_NAME_DIGITS = 4

/** Whether a key can only be the name of a field: personal data and keys have more digits, or signs. */
export function isName(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > MAX_NAME) return false
  let digits = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    const isLetter = (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f || byte === 0x2d
    if (isLetter) continue
    if (byte < 0x30 || byte > 0x39 || ++digits > MAX_NAME_DIGITS) return false
  }
  return true
}
