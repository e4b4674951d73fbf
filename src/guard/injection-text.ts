/**
 * The form of a text in which injections are looked for: what costs an attacker nothing (case, width, accents, look-alike
 * letters, invisible characters, odd spacing, a backslash in front of every letter) is taken away. Linear in the text.
 */

/** Cyrillic, Greek and other letters that look like Latin ones, lower-case, after decomposition. */
const LOOK_ALIKES = new Map([
  ...pairs('аᴀɑα', 'a'),
  ...pairs('вьβ', 'b'),
  ...pairs('сϲᴄ', 'c'),
  ...pairs('ԁɗ', 'd'),
  ...pairs('еєҽε', 'e'),
  ...pairs('ɡց', 'g'),
  ...pairs('нһհ', 'h'),
  ...pairs('іɩιıӏ', 'i'),
  ...pairs('јϳ', 'j'),
  ...pairs('кκ', 'k'),
  ...pairs('ⅼ', 'l'),
  ...pairs('мᴍ', 'm'),
  ...pairs('пոη', 'n'),
  ...pairs('оοσօ', 'o'),
  ...pairs('рρ', 'p'),
  ...pairs('ԛ', 'q'),
  ...pairs('гᴦ', 'r'),
  ...pairs('ѕꜱ', 's'),
  ...pairs('тτ', 't'),
  ...pairs('υսᴜ', 'u'),
  ...pairs('ѵν', 'v'),
  ...pairs('ԝωɯ', 'w'),
  ...pairs('хχ', 'x'),
  ...pairs('уγү', 'y'),
  ...pairs('ᴢ', 'z'),
])

function pairs(looks: string, like: string): [string, string][] {
  return Array.from(looks, look => [look, like])
}

const BEYOND_ASCII = /[^\x00-\x7f]/

/** Tags repeat ASCII invisibly (U+E0020 for a space); models read them. */
const TAGS = /[\u{e0020}-\u{e007e}]+/gu

/** The normalised text: lower-case, decomposed without marks, invisible characters out, look-alikes as Latin letters. */
export function normalise(text: string): string {
  const plain = withoutBackslashes(text)
  if (!BEYOND_ASCII.test(plain)) return plain.toLowerCase()
  return plain
    .replace(TAGS, asciiOf)
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}\u{e0000}-\u{e007f}]/gu, '')
    .replace(/[^\x00-\x7f]/g, unit => LOOK_ALIKES.get(unit) ?? unit)
}

function asciiOf(tags: string): string {
  const signs = Array.from(tags, tag => String.fromCharCode((tag.codePointAt(0) as number) - 0xe0000))
  return `\n${signs.join('')}\n`
}

/** A text with a backslash at every other character is one written to be read without them. */
function withoutBackslashes(text: string): string {
  let count = 0
  for (let at = text.indexOf('\\'); at !== -1; at = text.indexOf('\\', at + 1)) count++
  return count * 4 > text.length ? text.replaceAll('\\', '') : text
}

/** Digits and signs that stand for letters. */
const LEET: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  8: 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
}
/** Where one stands inside a word. */
const LEET_INSIDE = /[a-z][0134578@$!]+[a-z]/
const WORD = /[a-z0-9@$!]+/g
const SPACED = /(?<![a-z0-9])[a-z0-9](?:[ ._*|-]{1,3}[a-z0-9](?![a-z0-9])){5,}/g

/**
 * Another way to read a normalised text, where digits stand for letters or each letter by itself: `1gn0re`, `i g n o r e`
 * (two spaces or more part the words). Null where there is nothing of the kind.
 */
export function spelledOut(normalised: string): string | null {
  const joined = normalised.replace(SPACED, run =>
    run
      .replace(/[ ._*|-]{2,3}/g, '\n')
      .replace(/[ ._*|-]/g, '')
      .replaceAll('\n', ' '),
  )
  const leet = LEET_INSIDE.test(joined) ? joined.replace(WORD, withLetters) : joined
  return leet === normalised ? null : leet
}

function withLetters(word: string): string {
  return !LEET_INSIDE.test(word) ? word : word.replace(/[0134578@$!]/g, sign => LEET[sign] ?? sign)
}

const BASE64 = /[A-Za-z0-9+/]{24,}={0,2}/g
const PLAIN = /^[\t\n\r\x20-\x7e]+$/

/** What a text says in Base64, where that is text again; null where it says nothing. */
export function decodedIn(text: string): string | null {
  let decoded = ''
  for (const [run] of text.matchAll(BASE64)) {
    const read = atob(run.slice(0, run.length - (run.length % 4)))
    if (read.includes(' ') && PLAIN.test(read)) decoded += `${read}\n`
  }
  return decoded === '' ? null : decoded
}
