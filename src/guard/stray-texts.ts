import { pathOf } from '../json/path.ts'
import { decodeString } from '../json/strings.ts'
import type { StringSlot } from '../json/walked.ts'
import type { Edit } from './edits.ts'
import { insideOf } from './edits.ts'
import type { TextFilter } from './text-guard.ts'

/** Places that are remembered; all further ones share a memory. */
const MAX_PLACES = 64
/** What is remembered of a place: as long as a match can be. */
const MAX_TAIL = 512

const decoder = new TextDecoder()

interface Place {
  last: string
  /** The texts up to and with the last one, as they came. */
  tail: string
}

/**
 * Guards what stands at places that no wire describes: strings, names of fields, long numbers. Nobody knows whether such
 * strings are labels, each for itself, or pieces of a growing text. So nothing is held back: each is checked by itself, and
 * together with what came at its place before. A match over two of them loses all of it that has not gone out.
 */
export class StrayTexts {
  private readonly guard: TextFilter
  /** Made with the first: most streams have none. */
  private places: Map<string, Place> | null = null

  constructor(guard: TextFilter) {
    this.guard = guard
  }

  /**
   * What stands for a slot that is `unknown`, a `key` or a `number`; null where nothing changes.
   * @param scope tells apart places of the same path, such as choices; null: the document is no event of a stream
   * @returns 'malformed' for a string that is not valid
   */
  edit(bytes: Uint8Array, start: number, slot: StringSlot, scope: string | null): Edit | null | 'malformed' {
    const text = slot.kind === 'number' ? numberText(bytes, slot) : decodeString(bytes, slot)
    if (text === null) return 'malformed'
    const replaced =
      slot.kind === 'unknown' && scope !== null
        ? this.grown(scope + pathOf(bytes, start, slot.start), text)
        : this.guard.whole(text)
    if (replaced === text) return null
    return {
      start: slot.start,
      end: slot.end,
      text: slot.kind === 'number' ? JSON.stringify(replaced) : insideOf(replaced),
    }
  }

  private grown(path: string, text: string): string {
    const own = this.guard.whole(text)
    if (!this.guard.enforces) return own
    this.places ??= new Map()
    const key = this.places.size < MAX_PLACES || this.places.has(path) ? path : ''
    const place = this.places.get(key)
    if (!place) {
      this.places.set(key, { last: text, tail: text.slice(-MAX_TAIL) })
      return own
    }
    // A label that is said again.
    if (place.last === text) return own
    const { tail } = place
    place.last = text
    place.tail = (tail + text).slice(-MAX_TAIL)
    const redact = (of: string) => this.guard.twin().whole(of)
    if (redact(tail + text) === redact(tail) + redact(text)) return own
    const together = this.guard.whole(tail + text)
    let same = 0
    while (same < tail.length && tail[same] === together[same]) same++
    return together.slice(same)
  }
}

/** Whether a string stands at such a place. */
export function isStray({ kind }: StringSlot): boolean {
  return kind === 'unknown' || kind === 'key' || kind === 'number'
}

/** A number's digits, however they are written. */
function numberText(bytes: Uint8Array, { start, end }: StringSlot): string {
  const written = decoder.decode(bytes.subarray(start, end)).replace('-', '')
  return /^\d+$/.test(written) ? written : String(Number(written))
}
