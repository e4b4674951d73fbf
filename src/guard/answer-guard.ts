import { Rewalker } from '../json/rewalk.ts'
import { CHANNELS, type ChannelName, type Shape } from '../json/shape.ts'
import {
  type CallScope,
  type ChoiceScope,
  decodeString,
  type Span,
  type StringSlot,
  type Walked,
  walkJson,
} from '../json/walk.ts'
import { type Edit, insideOf, splice } from './edits.ts'
import { GuardedJson } from './json-stream.ts'
import type { GuardedText, TextFilter } from './text-guard.ts'

const LENGTH = '"length"'
const CONTENT_FILTER = '"content_filter"'

/** Decides how much of each released text may go out: where lengths are limited and counted. */
export interface Gate {
  /** The part of `text` that may be let out. Less than all of it means that the answer is cut here. */
  pass(text: string, channel: ChannelName, choice: number): string
}

interface TextChannel {
  readonly name: ChannelName
  readonly choice: number
  readonly guarded: GuardedText
}

interface CallChannel {
  readonly choice: number
  /** NO_CALL: the call of the older `function_call` form. */
  readonly call: number
  readonly guarded: GuardedJson
}

const NO_CALL = -1
const NO_CHOICES: number[] = []

/** What a choice still held when it ended, as fields of a text object. */
export interface Held {
  readonly choice: number
  readonly fields: string
}

export interface GuardedDocument {
  readonly bytes: Uint8Array
  readonly walked: Walked
  /** To be let out in front of the document. */
  readonly held: readonly Held[]
}

/**
 * Guards the texts of one answer, document by document: the events of a stream, or one whole body. A document in which
 * nothing has to change comes back as the bytes that came; in the others, only the strings that change are replaced.
 */
export class AnswerGuard {
  private readonly shape: Shape
  private readonly walker: Rewalker
  private readonly guard: TextFilter
  private readonly gate: Gate
  private readonly texts = new Map<number, TextChannel>()
  /** Made with the first call: most answers have none. */
  private calls: Map<number, CallChannel> | null = null
  /** By choice that has begun: whether it has ended. */
  private readonly ended = new Map<number, boolean>()
  /** Choices of which the gate kept a part back. */
  private cutShort: number[] = NO_CHOICES

  constructor(shape: Shape, guard: TextFilter, gate: Gate) {
    this.shape = shape
    this.walker = new Rewalker(shape)
    this.guard = guard
    this.gate = gate
  }

  /** Choices that have begun and not ended, in order. */
  get openChoices(): number[] {
    const open: number[] = []
    for (const [choice, ended] of this.ended) if (!ended) open.push(choice)
    return open.sort((one, other) => one - other)
  }

  /** Choices that have begun, ended or not. */
  get begunChoices(): number[] {
    return [...this.ended.keys()]
  }

  /** Guards one event of a stream: the document in `bytes[start, end)`. Null: it cannot be checked. */
  event(bytes: Uint8Array, start: number, end: number): GuardedDocument | null {
    const walked = this.walker.walk(bytes, start, end)
    if (!walked) return null
    const edits = this.drop(walked)
    for (const slot of walked.strings) {
      if (edits.length > 0 && isInside(slot, walked.dropped)) continue
      const text = decodeString(bytes, slot)
      const replaced = text === null ? null : this.piece(text, slot)
      if (replaced === null) return null
      if (replaced !== text) edits.push({ start: slot.start, end: slot.end, text: insideOf(replaced) })
    }
    const held: Held[] = []
    for (const choice of walked.choices) {
      if (!this.ended.has(choice.index)) this.ended.set(choice.index, false)
      if (choice.finish) this.finish(bytes, choice, edits, held)
    }
    return { bytes: splice(bytes, edits), walked, held }
  }

  /** Guards a whole body. Null: it cannot be checked. */
  body(bytes: Uint8Array): GuardedDocument | null {
    const walked = walkJson(bytes, 0, bytes.length, this.shape)
    if (!walked) return null
    const edits = this.drop(walked)
    for (const slot of walked.strings) {
      if (edits.length > 0 && isInside(slot, walked.dropped)) continue
      const text = decodeString(bytes, slot)
      if (text === null) return null
      let replaced = slot.kind === 'arguments' ? this.json(text) : this.guard.whole(text)
      if (slot.kind === 'text' && slot.channel && slot.choice) {
        const passed = this.gate.pass(replaced, slot.channel, slot.choice.index)
        const { finish } = slot.choice
        if (passed !== replaced && finish) {
          slot.choice.finish = null
          edits.push({ start: finish.start, end: finish.end, text: LENGTH })
        }
        replaced = passed
      }
      if (replaced !== text) edits.push({ start: slot.start, end: slot.end, text: insideOf(replaced) })
    }
    return { bytes: splice(bytes, edits), walked, held: [] }
  }

  /**
   * Ends a choice: decides what it still holds and gives it as the fields of a text object (`"content":"…"`), or ''.
   * The choice must not grow any more.
   */
  remainder(choice: number): string {
    this.ended.set(choice, true)
    const fields: string[] = []
    for (const channel of this.texts.values()) {
      if (channel.choice !== choice) continue
      const text = this.pass(channel.guarded.end(), channel)
      if (text !== '') fields.push(`${JSON.stringify(channel.name)}:${JSON.stringify(text)}`)
    }
    const toolCalls: string[] = []
    for (const channel of this.calls?.values() ?? []) {
      if (channel.choice !== choice) continue
      const rest = channel.guarded.end()
      if (rest === '') continue
      const json = JSON.stringify(rest)
      if (channel.call === NO_CALL) fields.push(`"function_call":{"arguments":${json}}`)
      else toolCalls.push(`{"index":${channel.call},"function":{"arguments":${json}}}`)
    }
    if (toolCalls.length > 0) fields.push(`"tool_calls":[${toolCalls.join()}]`)
    return fields.join()
  }

  /** What stands for the next piece of a string of a stream; null: it cannot be trusted. */
  private piece(text: string, slot: StringSlot): string | null {
    const { choice } = slot
    if (slot.kind === 'unknown' || !choice) return this.guard.whole(text)
    if (this.ended.get(choice.index)) return text === '' ? text : null
    if (slot.kind === 'arguments') {
      const { guarded } = this.callChannel(choice.index, slot.call)
      const decided = guarded.push(text)
      return choice.finish ? decided + guarded.end() : decided
    }
    const channel = this.textChannel(choice.index, slot.channel ?? 'content')
    const decided = channel.guarded.push(text)
    return this.pass(choice.finish ? decided + channel.guarded.end() : decided, channel)
  }

  private pass(text: string, { name, choice }: TextChannel): string {
    const passed = this.gate.pass(text, name, choice)
    if (passed !== text && !this.cutShort.includes(choice)) this.cutShort = [...this.cutShort, choice]
    return passed
  }

  /**
   * The choice ends in this event. What it holds elsewhere than in the event's own strings is put into the event's empty
   * text object, or else goes in front: beside other fields it could meet one of its own name.
   */
  private finish(bytes: Uint8Array, choice: ChoiceScope, edits: Edit[], held: Held[]): void {
    if (this.ended.get(choice.index)) return
    const fields = this.remainder(choice.index)
    const at = choice.textOpen
    if (fields !== '' && at >= 0 && closesAt(bytes, at)) {
      edits.push({ start: at, end: at, text: fields })
    } else if (fields !== '') {
      held.push({ choice: choice.index, fields })
    }
    const reason = this.guard.blocked ? CONTENT_FILTER : this.cutShort.includes(choice.index) ? LENGTH : null
    if (reason && choice.finish) edits.push({ start: choice.finish.start, end: choice.finish.end, text: reason })
  }

  /** What repeats text token by token becomes null, as long as there are rules that change text. */
  private drop(walked: Walked): Edit[] {
    if (!this.guard.enforces) return []
    return walked.dropped.map(span => ({ start: span.start, end: span.end, text: 'null' }))
  }

  private json(text: string): string {
    const guarded = new GuardedJson(() => this.guard.open())
    return guarded.push(text) + guarded.end()
  }

  private textChannel(choice: number, name: ChannelName): TextChannel {
    const key = choice * CHANNELS.length + CHANNELS.indexOf(name)
    let channel = this.texts.get(key)
    if (!channel) {
      channel = { name, choice, guarded: this.guard.open() }
      this.texts.set(key, channel)
    }
    return channel
  }

  private callChannel(choice: number, scope: CallScope | null): CallChannel {
    const call = scope?.index ?? NO_CALL
    const key = choice * CALL_STRIDE + call + 1
    this.calls ??= new Map()
    let channel = this.calls.get(key)
    if (!channel) {
      channel = { choice, call, guarded: new GuardedJson(() => this.guard.open()) }
      this.calls.set(key, channel)
    }
    return channel
  }
}

const CALL_STRIDE = 2048

function isInside(slot: StringSlot, spans: readonly Span[]): boolean {
  return spans.some(span => slot.start > span.start && slot.end < span.end)
}

/** Whether the object that was opened just before `at` is empty. */
function closesAt(bytes: Uint8Array, at: number): boolean {
  let next = at
  while (bytes[next] === 0x20 || bytes[next] === 0x0a || bytes[next] === 0x0d || bytes[next] === 0x09) next++
  return bytes[next] === 0x7d
}
