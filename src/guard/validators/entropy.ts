/** Shannon entropy of the characters of a text, in bits a character. */
export function entropy(text: string): number {
  const counts = new Map<number, number>()
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** What stands where a secret would be: `xxxx`, `EXAMPLE`, `your_token`, alphabets and runs. */
const PLACEHOLDERS = [
  'xxxxx',
  'example',
  'placeholder',
  'redacted',
  'your_',
  'your-',
  'changeme',
  'abcdefghij',
  '.....',
  '*****',
]

/**
 * Whether the variable part of a token may have come out of a random generator, and is not a stand-in such as `XXXX` or
 * `…EXAMPLE`: enough entropy for its length, no known stand-in inside.
 */
export function looksRandom(body: string): boolean {
  const most = Math.log2(Math.min(body.length, 32))
  if (entropy(body) < Math.min(2.6, most * 0.7)) return false
  const lower = body.toLowerCase()
  return !lower.endsWith('here') && !PLACEHOLDERS.some(placeholder => lower.includes(placeholder))
}

/** Whether a text has at least one ASCII digit and one ASCII letter: words of prose and of identifiers mostly have not. */
export function mixesDigits(text: string): boolean {
  let digits = false
  let letters = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 48 && code <= 57) digits = true
    else if ((code | 32) >= 97 && (code | 32) <= 122) letters = true
  }
  return digits && letters
}
