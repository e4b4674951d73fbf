/**
 * Whether one of the phrases, of one or two lower-case words, stands in `before`, the folded text in front of a match. Words
 * are runs of letters and digits, so that `phone_number=` mentions a phone. One walk over the text, whatever it holds.
 */
export function mentions(before: string, phrases: ReadonlySet<string>): boolean {
  const text = before.toLowerCase()
  let previous = ''
  let start = -1
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && isWordUnit(text.charCodeAt(at))) {
      if (start === -1) start = at
    } else if (start !== -1) {
      const word = text.slice(start, at)
      if (phrases.has(word) || (previous !== '' && phrases.has(`${previous} ${word}`))) return true
      previous = word
      start = -1
    }
  }
  return false
}

/** ASCII lower-case letters and digits, and everything beyond ASCII; not `_`, which joins words in identifiers. */
function isWordUnit(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code >= 0xc0
}
