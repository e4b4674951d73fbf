/** Folded characters in front of a match that its validator may look at. */
export const CONTEXT_LENGTH = 64

/** Kept text is cut back to `CONTEXT_LENGTH` only when it has grown to this: doing it at every piece costs more. */
const MAX_KEPT = 2 * CONTEXT_LENGTH

/** What stands in front of the undecided part of a growing text, folded. */
export class PrecedingText {
  private kept = ''

  /** As much of the text in front of `at` as a validator may look at. */
  before(undecided: string, at: number): string {
    if (at >= CONTEXT_LENGTH) return undecided.slice(at - CONTEXT_LENGTH, at)
    return (this.kept + undecided.slice(0, at)).slice(-CONTEXT_LENGTH)
  }

  /** `undecided` is decided up to `at`. */
  add(undecided: string, at: number): void {
    if (at >= CONTEXT_LENGTH) {
      this.kept = undecided.slice(at - CONTEXT_LENGTH, at)
    } else if (at > 0) {
      this.kept += undecided.slice(0, at)
      if (this.kept.length > MAX_KEPT) this.kept = this.kept.slice(-CONTEXT_LENGTH)
    }
  }
}

/** Whether a unit may belong to a word: a letter of ASCII, or anything beyond it. */
export function isLetter(unit: number): boolean {
  const lower = unit | 0x20
  return (lower >= 0x61 && lower <= 0x7a) || unit >= 0x80
}
