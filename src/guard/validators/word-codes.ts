import { isLetter } from '../preceding-text.ts'
import { codeOf, OTHER, SPACE } from './phrase-trie.ts'

// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/** Enough for the longest: a character in front may stand for eighteen. */
const ROOM = 2048
/** Code points beyond ASCII of which it is remembered what they are without accents. */
const MAX_KNOWN = 4096

const LF = 0x0a
const DOT = 0x2e

/** What a code point beyond ASCII is among words: its letters in lower case without accents. */
interface Plain {
  readonly codes: readonly number[]
  /** Whether anything of it is beyond ASCII still. */
  readonly other: boolean
}

/**
 * The words of the text in front of a match as a phrase trie reads them: in lower case without accents, one space around each.
 * Rows of labels and numbers ask for this at every number, so that it costs a few nanoseconds a character and makes no garbage.
 */
class WordCodes {
  readonly codes = new Uint8Array(ROOM)
  /** By code: the index in the text of the character that it came from. */
  readonly places = new Uint16Array(ROOM)
  size = 0
  private readonly known = new Map<number, Plain>()

  /** Reads a text; whether it has letters that are none of ASCII's with or without accents. */
  read(text: string): boolean {
    const { codes, places } = this
    let others = false
    this.size = 0
    if (!hasLetters(text)) return false
    let size = 1
    let lower = false
    codes[0] = SPACE
    for (let at = 0; at < text.length && size < ROOM - 2; at++) {
      const unit = charCodeAt.call(text, at)
      if (unit >= 0x80) {
        const point = text.codePointAt(at) ?? unit
        const plain = this.plain(point)
        for (const code of plain.codes) {
          if (size >= ROOM - 2 || (code === SPACE && codes[size - 1] === SPACE)) continue
          places[size] = at
          codes[size++] = code
        }
        others ||= plain.other
        if (point > 0xffff) at++
        lower = false
        continue
      }
      const upper = unit >= 65 && unit <= 90
      const code = codeOf(upper ? unit + 32 : unit)
      if (code !== OTHER && code !== SPACE) {
        if (upper && lower) {
          places[size] = at
          codes[size++] = SPACE
        }
        places[size] = at
        codes[size++] = code
        lower = unit >= 97
        continue
      }
      lower = false
      if (codes[size - 1] !== SPACE) {
        places[size] = at
        codes[size++] = SPACE
      }
      if (!endsLabel(text, at, unit)) continue
      places[size] = at
      codes[size++] = OTHER
      codes[size++] = SPACE
    }
    if (codes[size - 1] !== SPACE) codes[size++] = SPACE
    this.size = size
    return others
  }

  private plain(point: number): Plain {
    const known = this.known.get(point)
    if (known) return known
    const text = String.fromCodePoint(point).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
    const codes = Array.from({ length: text.length }, (_, at) => codeOf(text.charCodeAt(at)))
    const plain = { codes, other: /[^\x00-\x7f]/.test(text) }
    if (this.known.size === MAX_KNOWN) this.known.clear()
    this.known.set(point, plain)
    return plain
  }
}

/** The one that all rules share. */
export const wordCodes = new WordCodes()

/** Whether a text has a letter of ASCII or anything beyond it. */
function hasLetters(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (isLetter(charCodeAt.call(text, at))) return true
  return false
}

/** The end of a line, or of a clause (`endsClause`). */
function endsLabel(text: string, at: number, unit: number): boolean {
  if (unit === LF) return true
  return unit === DOT ? endsSentence(text, at) : unit === 0x2c || unit === 0x3b || unit === 0x21 || unit === 0x3f
}

/** A full stop in front of a space, unless behind an abbreviation such as `tel` or `no`. */
export function endsSentence(text: string, at: number): boolean {
  if (text.charCodeAt(at + 1) !== 0x20) return false
  let letters = 0
  while (letters < 4 && at - letters > 0 && isAsciiLetter(text.charCodeAt(at - 1 - letters))) letters++
  return letters === 0 || letters === 4
}

function isAsciiLetter(unit: number): boolean {
  const lower = unit | 0x20
  return lower >= 97 && lower <= 122
}
