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
  'replace',
  'dummy',
  'foobar',
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

/** Whether half of a text stands in ascending runs of three or more (`abc`, `3456`, `890`): what a hand types for a key. */
export function isSequence(text: string): boolean {
  const lower = text.toLowerCase()
  let total = 0
  let run = 1
  for (let at = 1; at <= lower.length; at++) {
    const previous = lower.charCodeAt(at - 1)
    const code = lower.charCodeAt(at)
    if (code === previous + 1 || (code === 48 && previous === 57)) {
      run++
    } else {
      if (run >= 3) total += run
      run = 1
    }
  }
  return total * 2 >= text.length
}

/**
 * Whether a text reads like a name in source code: letters, digits, `_`, `$` and dots, parted by dots or capitals, with a word
 * at its end, and most of it words (`X509Credential`, `exports.findX509Error`), or all in capitals (`SHA256_DIGEST_SIZE`).
 */
export function isIdentifier(text: string): boolean {
  if (/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+){2,}$/.test(text)) return true
  if (!/^[A-Za-z_$][\w$.]*[a-z]{3}$/.test(text) || !/[.$]|[a-z0-9][A-Z]/.test(text)) return false
  let inWords = 0
  let words = 0
  for (const [word] of text.matchAll(/[A-Z]?[a-z]{2,}/g)) {
    if (word.length < 3 || !/[aeiouy]/i.test(word)) continue
    inWords += word.length
    words++
  }
  return inWords >= text.length * (words > 1 ? 0.6 : 0.7)
}
