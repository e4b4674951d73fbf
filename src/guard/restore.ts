import { MAX_RESTORED_CHARACTERS } from '../config/limits.ts'
import type { GuardedText, TextFilter } from './text-guard.ts'
import type { Steps } from './turns.ts'

const OPEN = '['
const CLOSE = 0x5d

/**
 * Puts a request's own values back where an answer says their stand-ins: behind the guard, as a filter of its own. What is
 * put back is the caller's, and is looked at by nobody again. For one answer: `MAX_RESTORED_CHARACTERS` are put back, and
 * stand-ins of values that do not fit stay as they are.
 */
export class Restorer implements TextFilter {
  readonly blocked = null
  readonly enforces = true
  private readonly values: ReadonlyMap<string, string>
  /** All stand-ins, so that those of one beginning stand together. */
  private readonly sorted: readonly string[]
  private left = MAX_RESTORED_CHARACTERS

  /** By stand-in: the value. Stand-ins have the form `[A-Z0-9_]`, in brackets. */
  constructor(values: ReadonlyMap<string, string>) {
    this.values = values
    this.sorted = [...values.keys()].sort()
  }

  open(): GuardedText {
    return new RestoredText(this)
  }

  whole(text: string): string {
    if (!text.includes(OPEN)) return text
    const restored = this.open()
    return restored.push(text) + restored.end()
  }

  *inSteps(text: string): Steps<string> {
    yield
    return this.whole(text)
  }

  twin(): Restorer {
    return this
  }

  /** Takes the value of a stand-in, to be put back. */
  take(standIn: string): string | undefined {
    const value = this.values.get(standIn)
    if (value === undefined || value.length > this.left) return undefined
    this.left -= value.length
    return value
  }

  /** Whether some stand-in begins with the text and goes on behind it. */
  mayBecome(text: string): boolean {
    let low = 0
    let high = this.sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sorted[middle] as string) <= text) low = middle + 1
      else high = middle
    }
    return this.sorted[low]?.startsWith(text) ?? false
  }
}

/** One growing text. Held back is only an end of it that some stand-in begins with. */
class RestoredText implements GuardedText {
  private readonly restorer: Restorer
  private held = ''

  constructor(restorer: Restorer) {
    this.restorer = restorer
  }

  get heldLength(): number {
    return this.held.length
  }

  push(text: string): string {
    const { restorer } = this
    const all = this.held + text
    let restored = ''
    let done = 0
    let open = all.indexOf(OPEN)
    while (open >= 0) {
      const end = formEnd(all, open + 1)
      if (end === all.length) {
        if (!restorer.mayBecome(all.slice(open))) break
        this.held = all.slice(open)
        return restored + all.slice(done, open)
      }
      const value = all.charCodeAt(end) === CLOSE ? restorer.take(all.slice(open, end + 1)) : undefined
      if (value !== undefined) {
        restored += all.slice(done, open) + value
        done = end + 1
      }
      open = all.indexOf(OPEN, end)
    }
    this.held = ''
    return restored + all.slice(done)
  }

  /** The text is complete: what was held is no stand-in. */
  end(): string {
    const { held } = this
    this.held = ''
    return held
  }
}

/** Behind the letters, digits and underscores that stand from `from` on. */
function formEnd(text: string, from: number): number {
  let at = from
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const inForm = (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f
    if (!inForm) break
  }
  return at
}
