// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/** Features are told apart by this many bits of their hash. */
const BITS = 17
/** How many features there are. */
export const FEATURES = 2 ** BITS
/** A segment ends at the first end of a word behind this many characters, */
const SEGMENT = 192
/** or at the latest behind this many, where nothing parts the words. */
const LONGEST_SEGMENT = 256
/** A character ends at most three n-grams and three words or pairs of words. */
const MOST = LONGEST_SEGMENT * 6

/**
 * The features of a normalised text, segment by segment: runs of 3, 4 and 5 characters, words, pairs of words next to each
 * other and with one between, each as a number below `FEATURES`. White space counts as one space, digits are all the same, a
 * sign counts at most three times in a row. In scripts that do not part their words a character is one.
 *
 * Change what is read, and the weights have to be trained anew (`npm run train:injection`).
 */
export class FeatureReader {
  /** The features of the segment read last: the first `count`. */
  readonly features = new Int32Array(MOST)
  count = 0
  /** By feature: the segment that has it, of the last 255. One that is there twice counts once, however often words are said. */
  private readonly seenIn = new Uint8Array(FEATURES)
  private segment = 0
  private text = ''
  private at = 0
  // The characters in front, the nearest first.
  private one = SPACE
  private two = SPACE
  private three = SPACE
  private four = SPACE
  // Hashes of the word that is being read (0: none), and of the two in front of it.
  private word = 0
  private last = 0
  private lastButOne = 0

  /** Begins a text. */
  open(text: string): void {
    this.text = text
    this.at = 0
    this.one = this.two = this.three = this.four = SPACE
    this.word = this.last = this.lastButOne = 0
  }

  /** Reads the next segment into `features`; false where there is none. */
  read(): boolean {
    const { text } = this
    const { length } = text
    if (this.at > length) return false
    this.count = 0
    if (++this.segment > 255) {
      this.seenIn.fill(0)
      this.segment = 1
    }
    let taken = 0
    while (this.at < length) {
      const read = charCodeAt.call(text, this.at++)
      const kind = KINDS[read] as number
      const unit = kind === DIGIT ? ZERO : kind === BLANK ? SPACE : read
      if (unit === this.one && (unit === SPACE || (unit === this.two && unit === this.three))) continue
      taken++
      this.endRuns(unit)
      if (kind === LETTER || kind === DIGIT) this.word = mix(this.word === 0 ? WORD : this.word, unit)
      else {
        this.endWord()
        if (kind === IDEOGRAPH) {
          this.word = mix(WORD, unit)
          this.endWord()
        }
        if (taken >= SEGMENT) return true
      }
      if (taken >= LONGEST_SEGMENT) return true
    }
    this.endWord()
    this.at = length + 1
    return this.count > 0
  }

  /** Adds the n-grams that end with the character. */
  private endRuns(unit: number): void {
    const { one, two, three, four } = this
    let hash = mix(mix(mix(RUN, unit), one), two)
    this.add(hash)
    hash = mix(hash, three)
    this.add(hash)
    this.add(mix(hash, four))
    this.four = three
    this.three = two
    this.two = one
    this.one = unit
  }

  private endWord(): void {
    const { word, last, lastButOne } = this
    if (word === 0) return
    this.add(word)
    if (last !== 0) this.add(mix(last, word))
    if (lastButOne !== 0) this.add(mix(mix(lastButOne, APART), word))
    this.lastButOne = last
    this.last = word
    this.word = 0
  }

  private add(hash: number): void {
    const feature = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> (32 - BITS)
    if (this.seenIn[feature] === this.segment) return
    this.seenIn[feature] = this.segment
    this.features[this.count++] = feature
  }
}

const SPACE = 0x20
const ZERO = 0x30
const RUN = 0x811c9dc5 | 0
const WORD = 0x1b873593
const APART = 0x10001

function mix(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193) ^ (hash >>> 16)
}

const SIGN = 0
const LETTER = 1
const DIGIT = 2
const BLANK = 3
const IDEOGRAPH = 4
/** By unit. */
const KINDS = kinds()

function kinds(): Uint8Array {
  const table = new Uint8Array(0x10000).fill(SIGN)
  table.fill(BLANK, 0, 0x21).fill(DIGIT, 0x30, 0x3a).fill(LETTER, 0x61, 0x7b).fill(LETTER, 0xaa, 0x2000)
  table.fill(BLANK, 0x7f, 0xa1).fill(BLANK, 0x2000, 0x200b).fill(LETTER, 0x2c00, 0x2e00)
  table.fill(IDEOGRAPH, 0x3041, 0xa4d0).fill(LETTER, 0xa4d0, 0xff00).fill(IDEOGRAPH, 0xf900, 0xfb00)
  table[0x3000] = BLANK
  return table
}
