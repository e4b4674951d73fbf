import { fold, opensPair, rawEnd } from './fold.ts'

/** A text that comes in pieces and is let go from the front: as it came, and folded. */
export class GrowingText {
  /** What is there, folded; without what must wait for the next piece to tell what it is. */
  text = ''
  /** The same as it came. */
  raw = ''
  /** Offset of `raw` in the whole text. */
  offset = 0
  /** Raw index of each folded unit, and the raw length; undefined while every index is its own. */
  private starts: Int32Array | undefined
  /** Whether `raw` and `text` are the same. */
  private plain = true
  /** The first half of a code point that may fold. */
  private half = ''
  /** Invisible characters at the end. */
  private run = 0

  /** Raw characters that are there. */
  get length(): number {
    return this.raw.length + this.half.length
  }

  /** Whether `raw` and `text` are the same, and what comes next will be so too if it is its own folded form. */
  get isPlain(): boolean {
    return this.plain && this.half === ''
  }

  append(piece: string, complete: boolean): void {
    let raw = this.half === '' ? piece : this.half + piece
    this.half = ''
    const last = raw.length - 1
    if (!complete && opensPair(raw.charCodeAt(last))) {
      this.half = raw.charAt(last)
      raw = raw.slice(0, last)
    }
    const { text, starts, run } = fold(raw, this.run)
    this.run = run
    if (text !== raw) this.plain = false
    if (this.starts || starts) this.starts = this.joined(raw, text.length, starts)
    this.raw = this.raw === '' ? raw : this.raw + raw
    this.text = this.text === '' ? text : this.text + text
  }

  /** Appends a piece that is its own folded form; for plain texts. */
  appendPlain(piece: string): void {
    if (piece !== '') this.run = 0
    this.raw += piece
    this.text = this.raw
  }

  /** As if `piece` and `rest` were appended, and all in front of `rest` released; returns what is. */
  passPlain(piece: string, rest: string): string {
    this.run = 0
    const released = this.raw === '' ? piece : this.raw + piece
    this.offset += released.length
    this.raw = rest
    this.text = rest
    return released
  }

  /** Where a folded unit begins in `raw`; the length for the end of the text. */
  rawStart(at: number): number {
    return this.starts?.[at] ?? at
  }

  /** Where the folded units in front of `end` end in `raw`: invisible characters behind do not belong to them. */
  rawEnd(end: number): number {
    return rawEnd(this.raw, this.starts, end)
  }

  /** Lets go of the folded units in front of `at`, and of `raw` up to `rawAt`. */
  release(at: number, rawAt: number): void {
    this.offset += rawAt
    const { starts } = this
    if (starts) {
      const rest = starts.subarray(at).map(start => start - rawAt)
      this.starts = rest.at(-1) === rest.length - 1 ? undefined : rest
    }
    this.raw = rawAt === this.raw.length ? '' : this.raw.slice(rawAt)
    this.text = at === this.text.length ? '' : this.text.slice(at)
    this.plain ||= this.raw === ''
  }

  private joined(raw: string, size: number, starts: Int32Array | undefined): Int32Array {
    const { length } = this.text
    const shift = this.raw.length
    const joined = new Int32Array(length + size + 1)
    for (let at = 0; at < length; at++) joined[at] = this.rawStart(at)
    for (let at = 0; at < size; at++) joined[length + at] = shift + (starts?.[at] ?? at)
    joined[length + size] = shift + raw.length
    return joined
  }
}
