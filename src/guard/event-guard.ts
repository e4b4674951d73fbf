import { decodeString } from '../json/strings.ts'
import { walkJson } from '../json/walk.ts'
import type { StringSlot, Tag, Walked } from '../json/walked.ts'
import type { EventChannel, EventKeys, EventRepair, EventWire } from '../wires/event-wire.ts'
import type { Gate } from './answer-guard.ts'
import { type Edit, insideOf, splice } from './edits.ts'
import { GuardedJson, jsonInSteps } from './json-stream.ts'
import { isSame, type Logprobs, readLogprobs, type Token, writeLogprobs } from './logprobs.ts'
import { OpenEvent, type Outgoing } from './open-event.ts'
import { isStray, StrayTexts } from './stray-texts.ts'
import type { GuardedText, TextFilter } from './text-guard.ts'
import { type ReleasedText, TrackedText } from './tracked-text.ts'
import { atOnce, type Steps } from './turns.ts'

/** Texts that one stream may have open at a time, and parts that it may have: bounds what it can make us keep. */
const MAX_CHANNELS = 1024

const decoder = new TextDecoder()
const EVERY = () => true

interface OpenText extends EventChannel {
  /** The keys and numbers that events of the text have when they go out. */
  readonly sent: EventKeys
  readonly guarded: GuardedText
  /** Its tokens, once there are any. */
  tracked: TrackedText | null
}

/** Text that is let out, and the tokens that it is made of. */
export interface LetOut {
  readonly channel: EventChannel
  readonly text: string
  /** As the wire writes them; null where the model server gives none. */
  readonly logprobs: unknown
}

/** Tokens that came beside a text, and those that go out in their place. */
interface Tokens {
  readonly came: Logprobs
  readonly out: Token[]
}

export interface GuardedEvent {
  readonly type: string
  readonly keys: EventKeys
  readonly walked: Walked
  /** What texts that end with this event still held: to be let out in front of it. */
  readonly held: readonly LetOut[]
  /** Events that the model server left out: to be let out in front of it, behind what was held. */
  readonly missing: readonly Record<string, unknown>[]
  /** What the event itself lets out of growing texts, on wires that keep it. */
  readonly grown: readonly LetOut[]
  /** The number of the first event that is put in front, else of this one; null where events have none. */
  readonly number: number | null
  /** The event grows a text. */
  readonly grows: boolean
  readonly bytes: Outgoing
}

/** Guards the growing texts of a stream of typed events, event by event. */
export class EventGuard {
  private readonly wire: EventWire
  private readonly guard: TextFilter
  private readonly copies: TextFilter
  private readonly gate: Gate
  private readonly repair: EventRepair | null
  /** What stands at places that no wire describes. */
  readonly strays: StrayTexts
  private readonly strayCopies: StrayTexts
  private readonly texts = new Map<string, OpenText>()
  /** Texts that have ended: one that grows on would be let out in two halves that nobody checked together. */
  private readonly ended = new Set<string>()
  /** Added to the numbers of all further events: as many as were put in. */
  private shift = 0
  /** The number of the next event of those that come without. */
  private next = 0

  /** `copies` guards, by the same rules, what goes by as a whole behind its pieces, so that no finding counts twice. */
  constructor(wire: EventWire, guard: TextFilter, copies: TextFilter, gate: Gate) {
    this.wire = wire
    this.guard = guard
    this.copies = copies
    this.gate = gate
    this.repair = wire.repair?.() ?? null
    this.strays = new StrayTexts(guard)
    this.strayCopies = new StrayTexts(copies)
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
    const known = closes !== 'none'
    const held = known ? this.close(closes === 'all' ? {} : keys) : []
    const repaired = this.repair?.event(type, keys)
    const missing = repaired?.missing ?? []
    const edits = this.drop(walked)
    const tokens = this.tokensOf(bytes, walked)
    const grown: LetOut[] = []
    let grows = false
    let open: OpenEvent | null = null
    for (const slot of walked.strings) {
      if (isStray(slot)) {
        open ??= new OpenEvent(bytes, edits)
        const strays = known ? this.strayCopies : this.strays
        if (!strays.take(bytes, start, slot, JSON.stringify([type, keys]), open)) return null
        continue
      }
      const text = decodeString(bytes, slot)
      if (text === null) return null
      let replaced: string
      if (slot.kind === 'delta') {
        grows ||= text !== ''
        const channel = this.channel(slot, type, keys, repaired?.fields)
        if (!channel) {
          if (text === '') continue
          return null
        }
        replaced = this.piece(text, channel, tokens?.get(slot))
        if (this.wire.keep) grown.push({ channel, text: replaced, logprobs: null })
      } else {
        replaced = atOnce(this.copy(text, slot, known, tokens?.get(slot)))
      }
      if (replaced !== text) edits.push({ start: slot.start, end: slot.end, text: insideOf(replaced) })
    }
    atOnce(this.editJson(bytes, walked, edits, known))
    this.editTokens(walked, tokens, edits)
    // A copy of what never went by in pieces.
    this.guard.blocked ??= this.copies.blocked
    const number = this.renumber(walked, bytes, held.length + missing.length, edits, repaired?.fields, start)
    // Only such events hold pieces. What opens and ends texts and items is said once.
    const isPiece = type.endsWith('delta')
    this.strayCopies.eventEnd(EVERY, true)
    this.strays.eventEnd(EVERY, !isPiece)
    const out = open && open.waits > 0 ? open : splice(bytes, edits)
    return { type, keys, walked, held, missing, grown, number, grows, bytes: out }
  }

  /** Guards a whole answer. Null: it cannot be checked. */
  *body(bytes: Uint8Array): Steps<{ readonly bytes: Uint8Array; readonly walked: Walked } | null> {
    const walked = walkJson(bytes, 0, bytes.length, this.wire.body)
    if (!walked) return null
    const edits = this.drop(walked)
    const tokens = this.tokensOf(bytes, walked)
    let isCut = false
    for (const slot of walked.strings) {
      if (isStray(slot)) {
        const edit = yield* this.strays.edit(bytes, slot)
        if (edit === 'malformed') return null
        if (edit) edits.push(edit)
        continue
      }
      const text = decodeString(bytes, slot)
      if (text === null) return null
      const own = tokens?.get(slot)
      const guarded = yield* this.copy(text, slot, false, own)
      const passed = slot.channel ? this.gate.pass(guarded, slot.channel, 0) : guarded
      if (passed !== guarded) {
        isCut = true
        // Which of them belong to what is left is not worth to be told.
        own?.out.splice(0)
      }
      if (passed !== text) edits.push({ start: slot.start, end: slot.end, text: insideOf(passed) })
    }
    yield* this.editJson(bytes, walked, edits, false)
    this.editTokens(walked, tokens, edits)
    if (isCut && walked.finish) edits.push({ ...walked.finish, text: `"${this.wire.finish.length}"` })
    return { bytes: splice(bytes, edits), walked }
  }

  /** Ends every text: what was held, decided. For a stream that ends without saying so. */
  end(): LetOut[] {
    return this.close({})
  }

  /**
   * Numbers the event behind those that are put in front of it, and gives it the numbers that the model server left out.
   */
  private renumber(
    walked: Walked,
    bytes: Uint8Array,
    inserted: number,
    edits: Edit[],
    fields: EventKeys | undefined,
    start: number,
  ): number | null {
    const number = walked.tags.find(({ tag }) => tag === 'sequence_number')
    let added = fields ? Object.entries(fields) : []
    let first: number | null = null
    if (number) {
      first = Number(decoder.decode(bytes.subarray(number.start, number.end))) + this.shift
      this.shift += inserted
      if (this.shift > 0) edits.push({ start: number.start, end: number.end, text: String(first + inserted) })
    } else if (this.repair) {
      first = this.next
      added = [['sequence_number', first + inserted], ...added]
    }
    if (first !== null) this.next = first + inserted + 1
    if (added.length > 0) {
      edits.push(insertion(bytes, start, added.map(([name, value]) => `"${name}":${JSON.stringify(value)},`).join('')))
    }
    return first
  }

  private close(keys: EventKeys): LetOut[] {
    const held: LetOut[] = []
    for (const [id, channel] of this.texts) {
      if (!agree(channel.keys, keys)) continue
      this.texts.delete(id)
      this.ended.add(id)
      const released = channel.tracked?.end() ?? { text: channel.guarded.end(), tokens: [] }
      const tokens: Token[] = []
      const text = this.passTracked(channel, released, tokens)
      if (text === '') continue
      const logprobs: unknown = channel.tracked ? JSON.parse(writeLogprobs('bare', tokens, [])) : null
      held.push({ channel: { ...channel, keys: channel.sent }, text, logprobs })
    }
    return held
  }

  /** The text that a slot grows; null: it must not grow any more, or there are too many. */
  private channel(slot: StringSlot, type: string, keys: EventKeys, fields: EventKeys | undefined): OpenText | null {
    const { field } = slot
    const name = this.wire.deltaOf(type, field)
    const id = idOf(name, keys)
    let channel = this.texts.get(id)
    if (!channel) {
      if (this.ended.has(id) || this.texts.size + this.ended.size >= MAX_CHANNELS) return null
      const guarded = name === 'arguments' ? new GuardedJson(() => this.guard.open()) : this.guard.open()
      channel = { name, type, field, keys, sent: fields ? { ...keys, ...fields } : keys, guarded, tracked: null }
      this.texts.set(id, channel)
    }
    return channel
  }

  private piece(text: string, channel: OpenText, tokens: Tokens | undefined): string {
    const came = tokens?.came.content ?? []
    if (!channel.tracked && (came.length === 0 || channel.name === 'arguments')) {
      return this.pass(channel, channel.guarded.push(text))
    }
    channel.tracked ??= new TrackedText(channel.guarded, of => this.guard.twin().whole(of))
    return this.passTracked(channel, channel.tracked.push(text, came), tokens?.out ?? [])
  }

  private passTracked(channel: EventChannel, { text, tokens }: ReleasedText, out: Token[]): string {
    const passed = this.pass(channel, text)
    for (const { token, end } of tokens) if (end <= passed.length) out.push(token)
    return passed
  }

  private pass({ name }: EventChannel, text: string): string {
    return name === 'arguments' ? text : this.gate.pass(text, name, 0)
  }

  /** A text that stands in the event as a whole; `known`: it has gone by in pieces, and was counted then. */
  private *copy(text: string, slot: StringSlot, known: boolean, tokens: Tokens | undefined): Steps<string> {
    const guard = known ? this.copies : this.guard
    if (slot.kind === 'arguments') return yield* jsonInSteps(guard, text)
    if (!tokens || tokens.came.content.length === 0) return yield* guard.inSteps(text)
    const released = TrackedText.whole(guard, text, tokens.came.content)
    for (const { token } of released.tokens) tokens.out.push(token)
    return released.text
  }

  /** The tokens beside the texts of a document, as long as there are rules that change text; null for none. */
  private tokensOf(bytes: Uint8Array, { logprobs }: Walked): Map<StringSlot, Tokens> | null {
    if (logprobs.length === 0 || !this.guard.enforces) return null
    const tokens = new Map<StringSlot, Tokens>()
    for (const { start, end, isNull, text } of logprobs) {
      if (isNull || !text) continue
      tokens.set(text, { came: readLogprobs(decoder.decode(bytes.subarray(start, end))), out: [] })
    }
    return tokens
  }

  private editTokens({ logprobs }: Walked, tokens: Map<StringSlot, Tokens> | null, edits: Edit[]): void {
    if (!tokens) return
    for (const { start, end, isNull, text } of logprobs) {
      const own = text && tokens.get(text)
      if (isNull || (own?.came.whole && isSame(own.came.content, own.out))) continue
      edits.push({ start, end, text: writeLogprobs('bare', own?.out ?? [], []) })
    }
  }

  private *editJson(bytes: Uint8Array, walked: Walked, edits: Edit[], known: boolean): Steps<void> {
    for (const span of walked.json) {
      const json = decoder.decode(bytes.subarray(span.start, span.end))
      const replaced = yield* jsonInSteps(known ? this.copies : this.guard, json)
      if (replaced !== json) edits.push({ ...span, text: replaced })
    }
  }

  /** What cannot be checked goes, as long as there are rules that change text. */
  private drop(walked: Walked): Edit[] {
    if (!this.guard.enforces) return []
    return walked.dropped.map(({ start, end }) => ({ start, end, text: 'null' }))
  }
}

/** The same whatever the order of the keys: servers, and the gateway's own events, do not keep to one. */
function idOf(name: string, keys: EventKeys): string {
  let id = name
  for (const key of Object.keys(keys).sort()) id += ` ${key}=${JSON.stringify(keys[key])}`
  return id
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

/** Fields to be put at the head of the object that begins at `start`, which has others. */
function insertion(bytes: Uint8Array, start: number, text: string): Edit {
  const at = bytes.indexOf(0x7b, start) + 1
  return { start: at, end: at, text }
}
