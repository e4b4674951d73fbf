import { decodeString, type StringSlot, type Tag, type Walked, walkJson } from '../json/walk.ts'
import type { EventChannel, EventKeys, EventWire } from '../wires/event-wire.ts'
import type { Gate } from './answer-guard.ts'
import { type Edit, insideOf, splice } from './edits.ts'
import { GuardedJson } from './json-stream.ts'
import type { GuardedText, TextFilter } from './text-guard.ts'

/** Texts that one stream may have open at a time, and parts that it may have: bounds what it can make us keep. */
const MAX_CHANNELS = 1024

const decoder = new TextDecoder()
const EMPTY_LIST = '[]'

interface OpenText extends EventChannel {
  readonly guarded: GuardedText
}

/** What a text that has ended still held. */
export interface HeldText {
  readonly channel: EventChannel
  readonly text: string
}

export interface GuardedEvent {
  readonly type: string
  readonly keys: EventKeys
  readonly walked: Walked
  /** What texts that end with this event still held: to be let out in front of it. */
  readonly held: readonly HeldText[]
  /** The number of the first event that is put in front, else of this one; null where events have none. */
  readonly number: number | null
  /** The event grows a text. */
  readonly grows: boolean
  readonly bytes: Uint8Array
}

/** Guards the growing texts of a stream of typed events, event by event. */
export class EventGuard {
  private readonly wire: EventWire
  private readonly guard: TextFilter
  private readonly copies: TextFilter
  private readonly gate: Gate
  private readonly texts = new Map<string, OpenText>()
  /** Texts that have ended: one that grows on would be let out in two halves that nobody checked together. */
  private readonly ended = new Set<string>()
  /** Added to the numbers of all further events: as many as were put in. */
  private shift = 0

  /** `copies` guards, by the same rules, what goes by as a whole behind its pieces, so that no finding counts twice. */
  constructor(wire: EventWire, guard: TextFilter, copies: TextFilter, gate: Gate) {
    this.wire = wire
    this.guard = guard
    this.copies = copies
    this.gate = gate
  }

  /** Whether some text has begun and not ended. */
  get open(): boolean {
    return this.texts.size > 0
  }

  /** Guards the event in `bytes[start, end)`. Null: it cannot be checked. */
  event(bytes: Uint8Array, start: number, end: number): GuardedEvent | null {
    const walked = walkJson(bytes, start, end, this.wire.event)
    if (!walked) return null
    const tags = readTags(bytes, walked.tags)
    if (!tags) return null
    const { type, keys } = tags
    // Errors of some servers are events without a type; nothing of them is let out.
    if (type === '' && !walked.error) return null
    const closes = this.wire.closes(type)
    const held = closes === 'none' ? [] : this.close(closes === 'all' ? {} : keys)
    const edits = this.drop(walked)
    let grows = false
    for (const slot of walked.strings) {
      if (isEdited(slot, edits)) continue
      const text = decodeString(bytes, slot)
      if (text === null) return null
      grows ||= slot.kind === 'delta' && text !== ''
      const replaced =
        slot.kind === 'delta' ? this.piece(text, slot, type, keys) : this.copy(text, slot, closes !== 'none')
      if (replaced === null) return null
      if (replaced !== text) edits.push({ start: slot.start, end: slot.end, text: insideOf(replaced) })
    }
    this.editJson(bytes, walked, edits, closes !== 'none')
    // A copy of what never went by in pieces.
    this.guard.blocked ??= this.copies.blocked
    const number = this.renumber(walked, bytes, held.length, edits)
    return { type, keys, walked, held, number, grows, bytes: splice(bytes, edits) }
  }

  /** Guards a whole answer. Null: it cannot be checked. */
  body(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly walked: Walked } | null {
    const walked = walkJson(bytes, 0, bytes.length, this.wire.body)
    if (!walked) return null
    const edits = this.drop(walked)
    let isCut = false
    for (const slot of walked.strings) {
      if (isEdited(slot, edits)) continue
      const text = decodeString(bytes, slot)
      if (text === null) return null
      const guarded = this.copy(text, slot, false)
      const passed = slot.channel ? this.gate.pass(guarded, slot.channel, 0) : guarded
      isCut ||= passed !== guarded
      if (passed !== text) edits.push({ start: slot.start, end: slot.end, text: insideOf(passed) })
    }
    this.editJson(bytes, walked, edits, false)
    if (isCut && walked.finish) edits.push({ ...walked.finish, text: `"${this.wire.finish.length}"` })
    return { bytes: splice(bytes, edits), walked }
  }

  /** Ends every text: what was held, decided. For a stream that ends without saying so. */
  end(): HeldText[] {
    return this.close({})
  }

  /** Numbers the event behind those that are put in front of it. */
  private renumber(walked: Walked, bytes: Uint8Array, inserted: number, edits: Edit[]): number | null {
    const number = walked.tags.find(({ tag }) => tag === 'sequence_number')
    if (!number) return null
    const first = Number(decoder.decode(bytes.subarray(number.start, number.end))) + this.shift
    this.shift += inserted
    if (this.shift > 0) {
      edits.push({ start: number.start, end: number.end, text: String(first + inserted) })
    }
    return first
  }

  private close(keys: EventKeys): HeldText[] {
    const held: HeldText[] = []
    for (const [id, channel] of this.texts) {
      if (!agree(channel.keys, keys)) continue
      this.texts.delete(id)
      this.ended.add(id)
      const text = this.pass(channel, channel.guarded.end())
      if (text !== '') held.push({ channel, text })
    }
    return held
  }

  private piece(text: string, slot: StringSlot, type: string, keys: EventKeys): string | null {
    const { field } = slot
    const name = this.wire.deltaOf(type, field)
    const id = JSON.stringify([name, keys])
    let channel = this.texts.get(id)
    if (!channel) {
      if (this.ended.has(id)) return text === '' ? text : null
      if (this.texts.size + this.ended.size >= MAX_CHANNELS) return null
      const guarded = name === 'arguments' ? new GuardedJson(() => this.guard.open()) : this.guard.open()
      channel = { name, type, field, keys, guarded }
      this.texts.set(id, channel)
    }
    return this.pass(channel, channel.guarded.push(text))
  }

  private pass({ name }: EventChannel, text: string): string {
    return name === 'arguments' ? text : this.gate.pass(text, name, 0)
  }

  /** A text that stands in the event as a whole; `known`: it has gone by in pieces, and was counted then. */
  private copy(text: string, slot: StringSlot, known: boolean): string {
    if (slot.kind === 'arguments') return this.json(text, known)
    return (known ? this.copies : this.guard).whole(text)
  }

  private editJson(bytes: Uint8Array, walked: Walked, edits: Edit[], known: boolean): void {
    for (const span of walked.json) {
      const json = decoder.decode(bytes.subarray(span.start, span.end))
      const replaced = this.json(json, known)
      if (replaced !== json) edits.push({ ...span, text: replaced })
    }
  }

  private json(text: string, known: boolean): string {
    const guarded = new GuardedJson(() => (known ? this.copies : this.guard).open())
    return guarded.push(text) + guarded.end()
  }

  /** What repeats text token by token goes, as long as there are rules that change text. */
  private drop(walked: Walked): Edit[] {
    if (!this.guard.enforces) return []
    return walked.dropped.map(({ start, end }) => ({ start, end, text: EMPTY_LIST }))
  }
}

/** Whether the string lies in a place that is replaced anyway. */
function isEdited(slot: StringSlot, edits: readonly Edit[]): boolean {
  return edits.some(edit => slot.start > edit.start && slot.end < edit.end)
}

/** Whether two sets of keys agree wherever both have one. */
export function agree(one: EventKeys, other: EventKeys): boolean {
  return Object.entries(other).every(([name, value]) => one[name] === undefined || one[name] === value)
}

/** The event's type ('' for none) and keys; null where a key is given twice with different values. */
function readTags(bytes: Uint8Array, tags: readonly Tag[]): { type: string; keys: EventKeys } | null {
  let type = ''
  const keys: Record<string, string | number> = {}
  for (const { tag, start, end, simple } of tags) {
    if (tag === 'sequence_number') continue
    const value =
      simple === undefined
        ? Number(decoder.decode(bytes.subarray(start, end)))
        : decodeString(bytes, { start, end, simple })
    if (value === null) return null
    if (tag === 'type') type = String(value)
    else if (keys[tag] !== undefined && keys[tag] !== value) return null
    else keys[tag] = value
  }
  return { type, keys }
}
