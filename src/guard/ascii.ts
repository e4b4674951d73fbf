const encoder = new TextEncoder()

/**
 * Puts the units of a text into `bytes`, which has at least as many places, if the text is all ASCII; false where it is not.
 * The fastest way to the characters of a long text: one call, instead of one for each.
 */
export function isAsciiInto(text: string, bytes: Uint8Array): boolean {
  const { read, written } = encoder.encodeInto(text, bytes)
  // Beyond ASCII a unit takes more than a byte.
  return read === text.length && written === text.length
}
