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

/** One word of the normalised text. What stands around it is looked at only when asked for: mostly, it is not. */
export class Word {
  /** An apostrophe inside is dropped: `don't` is `dont`. */
  readonly text: string
  private readonly source: string
  private readonly previousEnd: number
  private readonly start: number
  private readonly end: number

  constructor(source: string, previousEnd: number, start: number, end: number) {
    this.source = source
    this.previousEnd = previousEnd
    this.start = start
    this.end = end
    const word = source.slice(start, end)
    this.text = /['\u2019]/.test(word) ? word.replace(/['\u2019]/, '') : word
  }

  /** A line, a sentence, a clause, a bracket or a quotation begins with it. */
  get opens(): boolean {
    return this.isFirst || /[^\s]|\n/.test(this.between)
  }

  /** A line or a sentence begins with it. */
  get lineStart(): boolean {
    return this.isFirst || /[\n.!?][\s#*>"'`([{_-]*$/.test(this.between)
  }

  /** A sentence ended in front of it. */
  get ends(): boolean {
    return /[\n.!?]/.test(this.between)
  }

  /** The first character behind it that is no space. */
  get next(): string {
    let behind = this.end
    while (behind < this.end + BETWEEN && this.source[behind] === ' ') behind++
    return this.source[behind] ?? ''
  }

  private get isFirst(): boolean {
    return this.previousEnd === 0
  }

  private get between(): string {
    return this.source.slice(Math.max(this.previousEnd, this.start - BETWEEN), this.start)
  }
}

/** The normalised text: lower-case, decomposed without marks, invisible characters out, look-alikes as Latin letters. */
export function normalise(text: string): string {
  const plain = withoutBackslashes(text)
  if (!/[^\x00-\x7f]/.test(plain)) return plain.toLowerCase()
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

const WORD = /[\p{L}\p{N}]+(?:['\u2019][a-z]+)?/gu
/** Of what stands between two words this much is looked at. */
const BETWEEN = 32

/** The words of a normalised text, in order. */
export function* wordsOf(normalised: string): Generator<Word> {
  if (!/[^\x00-\x7f]/.test(normalised)) {
    yield* asciiWords(normalised)
    return
  }
  let previousEnd = 0
  for (const { 0: word, index } of normalised.matchAll(WORD)) {
    yield new Word(normalised, previousEnd, index, index + word.length)
    previousEnd = index + word.length
  }
}

/** As `WORD` finds them, four times as fast. */
function* asciiWords(text: string): Generator<Word> {
  let previousEnd = 0
  let at = 0
  for (;;) {
    while (at < text.length && !isWordUnit(text.charCodeAt(at))) at++
    if (at === text.length) return
    const start = at
    while (at < text.length && isWordUnit(text.charCodeAt(at))) at++
    if (text[at] === "'") {
      let behind = at + 1
      while (isLowerCase(text.charCodeAt(behind))) behind++
      if (behind > at + 1) at = behind
    }
    yield new Word(text, previousEnd, start, at)
    previousEnd = at
  }
}

function isWordUnit(unit: number): boolean {
  return isLowerCase(unit) || (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a)
}

function isLowerCase(unit: number): boolean {
  return unit >= 0x61 && unit <= 0x7a
}
