import { fold, MAX_IGNORABLE_RUN } from './fold.ts'

/** Folded characters in front of a match that its validator may look at. */
const CONTEXT_LENGTH = 64

/** Raw characters that are sure to hold that many folded ones. */
const CONTEXT_RAW_LENGTH = CONTEXT_LENGTH * (MAX_IGNORABLE_RUN + 1)

/** Raw text is folded and cut back to `CONTEXT_LENGTH` only when it has grown to this: doing it at every piece costs more. */
const MAX_RECENT = 2 * CONTEXT_LENGTH

/** What stands in front of the undecided part of a growing text: kept as it came, and folded only when a validator asks. */
export class PrecedingText {
  /** The nearest as it came, and folded what was in front of that. */
  private recent = ''
  private remembered = ''
  /** What was last asked for, and of which place in the whole text: a place often has many candidates. */
  private context = ''
  private contextOf = -1

  /**
   * The folded text in front of `at`: as much as a validator may look at.
   * @param buffer the undecided part
   * @param place `at` in the whole text
   */
  before(buffer: string, at: number, place: number): string {
    if (this.contextOf !== place) {
      this.context = this.foldedBefore(buffer, at)
      this.contextOf = place
    }
    return this.context
  }

  /** `buffer` is decided up to `at`. */
  add(buffer: string, at: number): void {
    if (at >= CONTEXT_RAW_LENGTH) {
      this.remembered = ''
      this.recent = buffer.slice(at - CONTEXT_RAW_LENGTH, at)
      return
    }
    if (at === 0) return
    this.recent += at === buffer.length ? buffer : buffer.slice(0, at)
    if (this.recent.length > MAX_RECENT) {
      this.remembered = (this.remembered + fold(this.recent).text).slice(-CONTEXT_LENGTH)
      this.recent = ''
    }
  }

  private foldedBefore(buffer: string, at: number): string {
    const near = fold(buffer.slice(Math.max(0, at - CONTEXT_LENGTH), at)).text
    if (near.length === CONTEXT_LENGTH) return near
    if (at >= CONTEXT_RAW_LENGTH) return fold(buffer.slice(at - CONTEXT_RAW_LENGTH, at)).text.slice(-CONTEXT_LENGTH)
    return (this.remembered + fold(this.recent + buffer.slice(0, at)).text).slice(-CONTEXT_LENGTH)
  }
}
