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

/** The normalised text: lower-case, decomposed without marks, invisible characters out, look-alikes as Latin letters. */
export function normalise(text: string): string {
  const plain = withoutBackslashes(text)
  if (!BEYOND_ASCII.test(plain)) return plain.toLowerCase()
  return plain
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}\u{e0000}-\u{e007f}]/gu, '')
    .replace(/[^\x00-\x7f]/g, unit => LOOK_ALIKES.get(unit) ?? unit)
}

/** A text with a backslash at every other character is one written to be read without them. */
function withoutBackslashes(text: string): string {
  let count = 0
  for (let at = text.indexOf('\\'); at !== -1; at = text.indexOf('\\', at + 1)) count++
  return count * 4 > text.length ? text.replaceAll('\\', '') : text
}
