/**
 * Whether one of the words or phrases stands in `before`, the folded text in front of a match. Phrases are lower-case; they
 * count only as whole words. The last line counts, and the line above it, which may be a label or a table's head.
 */
export function mentions(before: string, phrases: readonly string[]): boolean {
  const text = before.toLowerCase()
  for (const phrase of phrases) {
    for (let at = text.lastIndexOf(phrase); at >= 0; at = at > 0 ? text.lastIndexOf(phrase, at - 1) : -1) {
      if (!isWordUnit(text.charCodeAt(at - 1)) && !isWordUnit(text.charCodeAt(at + phrase.length))) return true
    }
  }
  return false
}

/** ASCII letters and digits, and everything beyond ASCII; not `_`, which joins words in identifiers. */
function isWordUnit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code >= 0xc0
}
