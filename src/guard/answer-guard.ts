import { Rewalker } from '../json/rewalk.ts'
import { CHANNELS, type ChannelName, type Shape } from '../json/shape.ts'
import { decodeString } from '../json/strings.ts'
import { walkJson } from '../json/walk.ts'
import type { CallScope, ChoiceScope, StringSlot, Walked } from '../json/walked.ts'
import { ChoiceTokens, tokensOf } from './choice-tokens.ts'
import { type Edit, insideOf, splice } from './edits.ts'
import { GuardedJson, jsonInSteps } from './json-stream.ts'
import type { Logprobs, Token } from './logprobs.ts'
import { OpenEvent, type Outgoing } from './open-event.ts'
import { isStray, StrayTexts } from './stray-texts.ts'
import type { GuardedText, TextFilter } from './text-guard.ts'
import { TrackedText } from './tracked-text.ts'
import type { Steps } from './turns.ts'

const LENGTH = '"length"'
const CONTENT_FILTER = '"content_filter"'

/** Decides how much of each released text may go out: where lengths are limited and counted. */
export interface Gate {
  /** The part of `text` that may be let out. Less than all of it means that the answer is cut here. */
  pass(text: string, channel: ChannelName, choice: number): string
}

interface TextChannel {
  readonly name: ChannelName
  /** The field that it grows by. */
  readonly field: string
  readonly choice: number
  readonly guarded: GuardedText
  /** Its tokens, once there are any. */
  tracked: TrackedText | null
}

interface CallChannel {
  readonly choice: number
  /** NO_CALL: the call of the older `function_call` form. */
  readonly call: number
  readonly guarded: GuardedJson
}

const NO_CALL = -1
const NO_CHOICES: number[] = []
/** Fields of unknown names that one answer may grow by. */
const MAX_OTHERS = 32

/** What a choice still held when it ended. */
export interface Held {
  readonly choice: number
  /** As fields of a text object (`"content":"…"`). */
  readonly fields: string
  /** As a field of the choice, with a comma behind it; '' for none. */
  readonly logprobs: string
}

export interface GuardedDocument<Bytes = Uint8Array> {
  readonly bytes: Bytes
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
  /** Made with the first event: whole answers have none. */
  private walker: Rewalker | null = null
  private readonly guard: TextFilter
  private readonly gate: Gate
  /** The finish reason of a choice that is blocked in the event that ends it. */
  private readonly blockedFinish: string
  /** What stands at places that no wire describes. */
  readonly strays: StrayTexts
  private readonly texts = new Map<number, TextChannel>()
  /** Growing texts of fields that no wire describes: made with the first. */
  private others: Map<string, TextChannel> | null = null
  /** Made with the first call: most answers have none. */
  private calls: Map<number, CallChannel> | null = null
  /** How the answer writes its tokens, once it has. */
  private form: Logprobs['form'] | null = null
  /** By choice that has begun: whether it has ended. */
  private readonly ended = new Map<number, boolean>()
  /** Choices of which the gate kept a part back. */
  private cutShort: number[] = NO_CHOICES

  /** `endsBlocked`: whether a blocked choice ends as one that a filter ended; else it does not end. */
  constructor(shape: Shape, guard: TextFilter, gate: Gate, endsBlocked = true) {
    this.shape = shape
    this.guard = guard
    this.gate = gate
    this.blockedFinish = endsBlocked ? CONTENT_FILTER : 'null'
    this.strays = new StrayTexts(guard)
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
  event(bytes: Uint8Array, start: number, end: number): GuardedDocument<Outgoing> | null {
    // Places behind the text move with it, and those of tokens matter.
    this.walker ??= new Rewalker(this.shape)
    const walked = this.form ? walkJson(bytes, start, end, this.shape) : this.walker.walk(bytes, start, end)
    if (!walked) return null
    const edits = this.drop(walked)
    const tokens = this.tokensOf(bytes, walked)
    let open: OpenEvent | null = null
    for (const slot of walked.strings) {
      if (isStray(slot) || !slot.choice) {
        open ??= new OpenEvent(bytes, edits)
        if (!this.strays.take(bytes, start, slot, slot.choice ? `${slot.choice.index}` : '', open)) return null
        continue
      }
      const text = decodeString(bytes, slot)
      const replaced = text === null ? null : this.piece(text, slot, slot.choice, tokens?.get(slot.choice))
      if (replaced === null) return null
      if (replaced !== text) edits.push({ start: slot.start, end: slot.end, text: insideOf(replaced) })
    }
    const held: Held[] = []
    for (const choice of walked.choices) {
      if (!this.ended.has(choice.index)) this.ended.set(choice.index, false)
      const own = tokens?.get(choice)
      if (own) this.textless(own, choice)
      if (choice.finish) this.finish(bytes, choice, edits, held, own)
      own?.edit(edits)
    }
    this.strays.eventEnd(scope => scope === '' || walked.choices.some(({ index }) => `${index}` === scope), false)
    return { bytes: open && open.waits > 0 ? open : splice(bytes, edits), walked, held }
  }

  /** Guards a whole body. Null: it cannot be checked. */
  *body(bytes: Uint8Array): Steps<GuardedDocument | null> {
    const walked = walkJson(bytes, 0, bytes.length, this.shape)
    if (!walked) return null
    const edits = this.drop(walked)
    const tokens = this.tokensOf(bytes, walked)
    for (const slot of walked.strings) {
      if (isStray(slot)) {
        const edit = yield* this.strays.edit(bytes, slot)
        if (edit === 'malformed') return null
        if (edit) edits.push(edit)
        continue
      }
      const text = decodeString(bytes, slot)
      if (text === null) return null
      let replaced = slot.kind === 'arguments' ? yield* jsonInSteps(this.guard, text) : null
      if (slot.kind === 'text' && slot.channel && slot.choice) {
        const own = tokens?.get(slot.choice)
        const mine = own?.take(slot.channel) ?? NO_TOKENS
        const released =
          mine.length > 0
            ? TrackedText.whole(this.guard, text, mine)
            : { text: yield* this.guard.inSteps(text), tokens: [] }
        replaced = this.gate.pass(released.text, slot.channel, slot.choice.index)
        own?.give(released, replaced.length, slot.channel)
        const { finish } = slot.choice
        if (replaced !== released.text && finish) {
          slot.choice.finish = null
          edits.push({ start: finish.start, end: finish.end, text: LENGTH })
        }
      }
      replaced ??= yield* this.guard.inSteps(text)
      if (replaced !== text) edits.push({ start: slot.start, end: slot.end, text: insideOf(replaced) })
    }
    for (const own of tokens?.values() ?? []) own.edit(edits)
    return { bytes: splice(bytes, edits), walked, held: [] }
  }

  /** Ends a choice: decides what it still holds. The choice must not grow any more. */
  remainder(choice: number): Held {
    const own = this.form && new ChoiceTokens(this.form)
    const fields = this.rest(choice, own)
    return { choice, fields, logprobs: own?.field ?? '' }
  }

  private rest(choice: number, tokens: ChoiceTokens | null | undefined): string {
    this.ended.set(choice, true)
    const fields: string[] = []
    for (const channel of [...this.texts.values(), ...(this.others?.values() ?? [])]) {
      if (channel.choice !== choice) continue
      const text = this.endText(channel, tokens)
      if (text !== '') fields.push(`${JSON.stringify(channel.field)}:${JSON.stringify(text)}`)
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

  private endText(channel: TextChannel, tokens: ChoiceTokens | null | undefined): string {
    if (!channel.tracked) return this.pass(channel.guarded.end(), channel)
    const released = channel.tracked.end()
    const passed = this.pass(released.text, channel)
    tokens?.give(released, passed.length, channel.name)
    return passed
  }

  /** What stands for the next piece of a string of a stream; null: it cannot be trusted. */
  private piece(text: string, slot: StringSlot, choice: ChoiceScope, tokens: ChoiceTokens | undefined): string | null {
    if (this.ended.get(choice.index)) return text === '' ? text : null
    if (slot.kind === 'arguments') {
      const { guarded } = this.callChannel(choice.index, slot.call)
      const decided = guarded.push(text)
      return choice.finish ? decided + guarded.end() : decided
    }
    const channel = this.textChannel(choice.index, slot.channel ?? 'content', slot.field)
    if (!channel) return null
    const mine = tokens && text !== '' ? tokens.take(channel.name) : NO_TOKENS
    if (mine.length === 0 && !channel.tracked) {
      const decided = channel.guarded.push(text)
      return this.pass(choice.finish ? decided + channel.guarded.end() : decided, channel)
    }
    const released = this.track(channel).push(text, mine)
    const passed = this.pass(released.text, channel)
    tokens?.give(released, passed.length, channel.name)
    return choice.finish ? passed + this.endText(channel, tokens) : passed
  }

  /** Tokens that came without text: their text may follow, and some have none. */
  private textless(tokens: ChoiceTokens, choice: ChoiceScope): void {
    for (const name of ['content', 'refusal'] as const) {
      const mine = tokens.take(name)
      if (mine.length === 0 || this.ended.get(choice.index)) continue
      const field = name === 'content' && this.texts.has(textKey(choice.index, 'text')) ? 'text' : name
      const channel = this.textChannel(choice.index, field, '')
      if (channel) tokens.give(this.track(channel).push('', mine), 0, name)
    }
  }

  private track(channel: TextChannel): TrackedText {
    channel.tracked ??= new TrackedText(channel.guarded, text => this.guard.twin().whole(text))
    return channel.tracked
  }

  /** The tokens in a document, as long as there are rules that change text; null for none. */
  private tokensOf(bytes: Uint8Array, walked: Walked): Map<ChoiceScope, ChoiceTokens> | null {
    if (!this.guard.enforces || (!this.form && walked.logprobs.every(({ isNull }) => isNull))) return null
    const tokens = tokensOf(bytes, walked, this.form)
    for (const { form } of tokens.values()) this.form = form
    return tokens
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
  private finish(
    bytes: Uint8Array,
    choice: ChoiceScope,
    edits: Edit[],
    held: Held[],
    tokens: ChoiceTokens | undefined,
  ): void {
    if (this.ended.get(choice.index)) return
    const at = choice.textOpen
    if (at >= 0 && closesAt(bytes, at)) {
      const fields = this.rest(choice.index, tokens)
      if (fields !== '') edits.push({ start: at, end: at, text: fields })
    } else {
      const rest = this.remainder(choice.index)
      if (rest.fields !== '') held.push(rest)
    }
    const reason = this.guard.blocked ? this.blockedFinish : this.cutShort.includes(choice.index) ? LENGTH : null
    if (reason && choice.finish) edits.push({ start: choice.finish.start, end: choice.finish.end, text: reason })
  }

  /** What cannot be checked becomes null, as long as there are rules that change text. */
  private drop(walked: Walked): Edit[] {
    if (!this.guard.enforces) return []
    return walked.dropped.map(({ start, end }) => ({ start, end, text: 'null' }))
  }

  /** Null: the answer has too many. `field` is the name of a text of the channel `other`. */
  private textChannel(choice: number, name: ChannelName, field: string): TextChannel | null {
    if (name === 'other') return this.otherChannel(choice, field)
    const key = textKey(choice, name)
    let channel = this.texts.get(key)
    if (!channel) {
      channel = { name, field: name, choice, guarded: this.guard.open(), tracked: null }
      this.texts.set(key, channel)
    }
    return channel
  }

  private otherChannel(choice: number, field: string): TextChannel | null {
    this.others ??= new Map()
    const key = `${choice} ${field}`
    let channel = this.others.get(key)
    if (!channel && this.others.size < MAX_OTHERS) {
      channel = { name: 'other', field, choice, guarded: this.guard.open(), tracked: null }
      this.others.set(key, channel)
    }
    return channel ?? null
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

const NO_TOKENS: readonly Token[] = []

function textKey(choice: number, name: ChannelName): number {
  return choice * CHANNELS.length + CHANNELS.indexOf(name)
}

/** Whether the object that was opened just before `at` is empty. */
function closesAt(bytes: Uint8Array, at: number): boolean {
  let next = at
  while (bytes[next] === 0x20 || bytes[next] === 0x0a || bytes[next] === 0x0d || bytes[next] === 0x09) next++
  return bytes[next] === 0x7d
}
