/** The most of an answer that a record holds, in UTF-16 units. */
export const MAX_SNIPPET = 200

/** The beginning of an answer, collected while it streams. */
export interface Snippet {
  /** Takes the next piece of released, that is already redacted, text. Costs nothing once the snippet is full. */
  add(text: string): void
  /** What was collected: at most `limit` UTF-16 units, never with half of a surrogate pair. */
  text(): string
}

/** Starts an empty snippet. Feed it only text that has passed the output guard. */
export function createSnippet(limit = MAX_SNIPPET): Snippet {
  let held = ''
  return {
    add(text) {
      if (held.length < limit) held += text.length <= limit - held.length ? text : text.slice(0, limit - held.length)
    },
    text() {
      const last = held.charCodeAt(held.length - 1)
      // A pair may be split between two pieces, so a half is only known to be one at the end.
      const whole = last >= 0xd800 && last <= 0xdbff ? held.slice(0, -1) : held
      return whole.toWellFormed()
    },
  }
}
