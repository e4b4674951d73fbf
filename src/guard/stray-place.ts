import type { GuardedText, TextFilter } from './text-guard.ts'

/** What is remembered of a text in front of what is not decided: as long as a match and its context can be. */
const MAX_TAIL = 512
/** A shorter string with digits is no label by being repeated: numbers repeat themselves. */
const LABEL_LENGTH = 8
/** As often a string is tried behind itself, to see whether that would be a match. */
const MAX_REPEATS = 32

/** One string of the text at a place. */
interface Piece {
  /** What of it is not decided. */
  open: string
  /** What stands for the rest. */
  decided: string
  /** Told what stands for the whole string; null: it has gone out. */
  settle: ((text: string) => void) | null
}

/**
 * The strings at one place of a stream that no wire describes. They may be labels, each for itself, or pieces of a growing
 * text, and are treated as both: as one text, and each by itself. One that could be the beginning of a match waits for the next.
 */
export class StrayPlace {
  private readonly guard: TextFilter
  private text: GuardedText
  private pieces: Piece[] = []
  private tail = ''
  private last: string | null = null
  /** How often the last string came in a row, and whether there was another before. */
  private run = 0
  private changed = false
  /** What stands for the last string by itself, once that is asked. */
  private alone: string | null = null
  /** Whether the first string behind itself is a match, once that is asked. */
  private matches: boolean | null = null

  constructor(guard: TextFilter) {
    this.guard = guard
    this.text = guard.open()
  }

  /** Whether a string waits. */
  get waits(): boolean {
    return this.pieces.some(({ settle }) => settle !== null)
  }

  /** Takes the next string; `settle` is told what stands for it, at once or later. */
  push(string: string, settle: (text: string) => void): void {
    if (string === this.last) this.run++
    else {
      this.changed ||= this.last !== null
      this.last = string
      this.run = 1
      this.alone = null
    }
    if (this.run > 1 && this.isLabel(string)) {
      this.settle()
      this.alone ??= this.guard.twin().whole(string)
      return settle(this.alone)
    }
    this.pieces.push({ open: string, decided: '', settle })
    this.decide(this.text.push(string), this.text.heldLength)
  }

  /** Nothing goes on with the strings that wait: decides them. What comes later is still looked at together with them. */
  settle(): void {
    if (!this.waits) return
    const held = this.pieces.map(({ open }) => open).join('')
    const together = this.guard.twin().whole(this.tail + held)
    const rest = together.startsWith(this.tail) ? together.slice(this.tail.length) : this.guard.twin().whole(held)
    if (rest === held) {
      for (const piece of this.pieces) this.close(piece, piece.decided + piece.open)
    } else {
      this.end()
    }
  }

  /** The text is over. */
  end(): void {
    this.decide(this.text.end(), 0)
    this.text = this.guard.open()
    this.tail = ''
  }

  /** Too much waits: of the strings that do, the undecided ends are dropped. */
  drop(): void {
    for (const piece of this.pieces) this.close(piece, piece.decided)
  }

  /** Whether a string that came again is said again, and not a piece of a text. */
  private isLabel(string: string): boolean {
    if (!/\d/.test(string) || string.length >= LABEL_LENGTH) return this.run > (this.changed ? 2 : 1)
    this.matches ??= this.matchesRepeated(string)
    return !this.changed && !this.matches
  }

  private matchesRepeated(string: string): boolean {
    const twin = this.guard.twin()
    for (let count = 2; count <= MAX_REPEATS; count++) {
      const repeated = string.repeat(count)
      if (twin.whole(repeated) !== repeated) return true
    }
    return false
  }

  /** `out` stands for what was open, but for its last `held` units. */
  private decide(out: string, held: number): void {
    const open = this.pieces.map(piece => piece.open).join('')
    const decided = open.slice(0, open.length - held)
    this.tail = (this.tail + decided).slice(-MAX_TAIL)
    let same = 0
    while (same < decided.length && decided[same] === out[same]) same++
    // Where the two part, all that is left goes to the string in which they do: together they are what they have to be.
    let changed = out === decided ? '' : out.slice(same)
    let from = 0
    for (const piece of this.pieces) {
      const length = Math.min(piece.open.length, decided.length - from)
      piece.decided += piece.open.slice(0, Math.max(0, Math.min(length, same - from)))
      if (changed !== '' && from + length > same && piece.settle) {
        piece.decided += changed
        changed = ''
      }
      piece.open = piece.open.slice(length)
      from += length
      if (piece.open === '') this.close(piece, piece.decided)
    }
    this.pieces = this.pieces.filter(piece => piece.open !== '')
  }

  private close(piece: Piece, text: string): void {
    piece.settle?.(this.guard.twin().whole(text) === text ? text : this.guard.whole(text))
    piece.settle = null
  }
}
