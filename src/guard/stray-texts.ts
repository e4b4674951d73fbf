import { pathOf } from '../json/path.ts'
import { decodeString } from '../json/strings.ts'
import type { StringSlot } from '../json/walked.ts'
import type { Edit } from './edits.ts'
import { insideOf } from './edits.ts'
import type { OpenEvent } from './open-event.ts'
import { StrayPlace } from './stray-place.ts'
import type { TextFilter } from './text-guard.ts'
import { atOnce, type Steps } from './turns.ts'

/** Places that are told apart; all further ones are taken for one. */
const MAX_PLACES = 64

const decoder = new TextDecoder()

interface Known {
  readonly scope: string
  readonly place: StrayPlace
  /** The event that had a string at the place last. */
  event: number
}

/**
 * Guards what stands at places that no wire describes: strings, names of fields, long numbers. A string of an event that could
 * be the beginning of a match lets its event wait until the next event tells: see `StrayPlace`.
 */
export class StrayTexts {
  private readonly guard: TextFilter
  /** Made with the first: most streams have none. */
  private places: Map<string, Known> | null = null
  private event = 0

  constructor(guard: TextFilter) {
    this.guard = guard
  }

  /**
   * What stands for a slot that is `unknown`, a `key` or a `number`, looked at by itself; null where nothing changes.
   * @returns 'malformed' for a string that is not valid
   */
  *edit(bytes: Uint8Array, slot: StringSlot): Steps<Edit | null | 'malformed'> {
    const text = slot.kind === 'number' ? numberText(bytes, slot) : decodeString(bytes, slot)
    return text === null ? 'malformed' : editOf(slot, text, yield* this.guard.inSteps(text))
  }

  /**
   * The same for a slot of an event of a stream, which may have to wait for what follows at its place.
   * @param scope tells apart places of the same path, such as choices
   * @returns false for a string that is not valid
   */
  take(bytes: Uint8Array, start: number, slot: StringSlot, scope: string, event: OpenEvent): boolean {
    event.waits++
    if (slot.kind !== 'unknown' || !this.guard.enforces) {
      const edit = atOnce(this.edit(bytes, slot))
      if (edit !== 'malformed') event.decide(edit)
      return edit !== 'malformed'
    }
    const text = decodeString(bytes, slot)
    if (text === null) return false
    const known = this.known(scope, pathOf(bytes, start, slot.start))
    known.event = this.event
    known.place.push(text, replaced => event.decide(editOf(slot, text, replaced)))
    // The name of a call: servers send it whole.
    if (slot.call) known.place.settle()
    return true
  }

  /** An event is over: a text of one of its scopes that it did not go on with is settled, and with `once` all of its own. */
  eventEnd(isOf: (scope: string) => boolean, once: boolean): void {
    if (!this.places) return
    for (const { scope, place, event } of this.places.values()) {
      if (place.waits && (event === this.event ? once : isOf(scope))) place.settle()
    }
    this.event++
  }

  /** The stream is over: decides all that waits. */
  end(): void {
    for (const { place } of this.places?.values() ?? []) place.end()
  }

  /** Too much waits. */
  drop(): void {
    for (const { place } of this.places?.values() ?? []) place.drop()
  }

  private known(scope: string, path: string): Known {
    this.places ??= new Map()
    const id = scope + path
    const key = this.places.size < MAX_PLACES || this.places.has(id) ? id : ''
    let known = this.places.get(key)
    if (!known) {
      known = { scope, place: new StrayPlace(this.guard), event: this.event }
      this.places.set(key, known)
    }
    return known
  }
}

function editOf({ kind, start, end }: StringSlot, text: string, replaced: string): Edit | null {
  if (replaced === text) return null
  return { start, end, text: kind === 'number' ? JSON.stringify(replaced) : insideOf(replaced) }
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
