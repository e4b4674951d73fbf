import type { OnBlock } from '../config/config.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import type { Refusal } from '../errors/refusal.ts'
import { agree, type EventGuard, type GuardedEvent, type LetOut } from '../guard/event-guard.ts'
import { OpenEvent } from '../guard/open-event.ts'
import type { StrayTexts } from '../guard/stray-texts.ts'
import type { TextFilter } from '../guard/text-guard.ts'
import { frameData } from '../sse/frames.ts'
import type { Cut, EndContext, EventKeys, EventWire, OutputKeeper, TokenCounts } from '../wires/event-wire.ts'
import { FramedAnswer, isDone } from './framed-answer.ts'
import { mergeUsage, type PartialUsage, parseObject } from './usage.ts'

const encoder = new TextEncoder()
const LETTER_E = 0x65

/** Parts of an answer that are remembered as begun: bounds what a stream can make us keep. */
const MAX_PARTS = 1024

/** What of the answer's description goes into the gateway's own last events. */
const DESCRIPTION = ['id', 'object', 'type', 'role', 'created_at', 'model'] as const

export interface EventStreamGuardOptions {
  readonly wire: EventWire
  readonly events: EventGuard
  readonly texts: TextFilter
  readonly maxFrameBytes: number
  /** Why the answer has to be cut now, if it has to: asked after each event. */
  readonly cutFor: () => 'length' | null
  /** How the answer ends where something is blocked; `content_filter` where that is left out. */
  readonly onBlock?: OnBlock
  /** An event with text of the model went by. */
  readonly onText: () => void
  readonly onUsage: (usage: TokenCounts) => void
  /** What was used so far. */
  readonly usage: () => TokenCounts
  readonly errorBody: (refusal: Refusal) => Readonly<Record<string, unknown>>
}

/** The stream of an answer in typed events (Responses, Messages). */
export class EventStreamGuard extends FramedAnswer {
  private readonly options: EventStreamGuardOptions
  /** Whether the model server names its events in a line of their own. */
  private named: boolean | null = null
  private answer: Record<string, unknown> = {}
  private usage: PartialUsage = {}
  private parts: EventKeys[] = []
  private begun = false
  /** The number that the next event would have, where they are numbered. */
  private next: number | null = null
  private readonly kept: OutputKeeper | null

  constructor(options: EventStreamGuardOptions) {
    super(options.maxFrameBytes, text => options.texts.twin().whole(text) === text, options.onBlock)
    this.options = options
    this.kept = options.wire.keep?.() ?? null
  }

  errorEvent(code: ErrorCode): Uint8Array {
    const { wire, errorBody } = this.options
    return this.frameOf(wire.failed(errorBody({ code }), this.context()))
  }

  protected get strays(): StrayTexts {
    return this.options.events.strays
  }

  protected markHere(): () => void {
    const parts = [...this.parts]
    const { next } = this
    const output = this.kept?.mark()
    return () => {
      this.parts = parts
      this.next = next
      this.out = []
      this.block(() => this.cut('content_filter', output))
    }
  }

  protected event(frame: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
    const { events, wire, texts } = this.options
    // Some servers end every stream the same way; the wire's own last event has gone by.
    if (isDone(bytes, start, end)) return this.ended('')
    this.named ??= frame[0] === LETTER_E
    const guarded = events.event(bytes, start, end)
    if (!guarded) return this.fail('upstream_invalid', 'an event is not JSON that can be checked')
    const { type, keys, walked } = guarded
    if (walked.error || wire.isFailure(type)) return this.fail('upstream_failed', 'the model server sent an error')
    this.begun = true
    this.next = guarded.number === null ? null : guarded.number + guarded.held.length + guarded.missing.length + 1
    this.describe(bytes.subarray(start, end), type, keys)
    if (walked.usage) {
      this.usage = mergeUsage(this.usage, bytes.subarray(walked.usage.start, walked.usage.end))
      const { inputTokens, outputTokens } = this.usage
      if (inputTokens !== undefined) this.options.onUsage({ inputTokens, outputTokens: outputTokens ?? 0 })
    }
    this.release(guarded.held, guarded.missing, guarded.number)
    this.keep(guarded)
    if (guarded.grows) this.options.onText()
    const why = texts.blocked ? 'content_filter' : this.options.cutFor()
    if (!why && wire.isLast(type) && !(guarded.bytes instanceof OpenEvent)) {
      this.closing.push(guarded.bytes)
      return this.finish({ kind: 'complete' })
    }
    this.out.push(guarded.bytes)
    if (why === 'content_filter') this.block(() => this.cut(why))
    else if (why) this.cut(why)
  }

  protected ended(rest: string): void {
    const { events, wire } = this.options
    if (rest !== '') return this.fail('upstream_failed', 'the answer ended inside an event')
    if (!this.begun) return this.fail('upstream_failed', 'the answer was empty')
    if (events.open || !wire.mayEndSilently) return this.fail('upstream_failed', 'the answer ended too early')
    this.finish({ kind: 'complete' })
  }

  protected flushHeld(): void {
    this.release(this.options.events.end(), [], this.next)
  }

  /** Remembers what the gateway's own last events would have to say. */
  private describe(data: Uint8Array, type: string, keys: EventKeys): void {
    const { wire } = this.options
    if (wire.part?.opens === type && this.parts.length < MAX_PARTS) this.parts.push(keys)
    else if (wire.part?.ends === type) this.parts = this.parts.filter(part => !agree(part, keys))
    if (this.answer['id'] !== undefined || Object.keys(keys).length > 0) return
    const described = parseObject(data)?.[wire.answerField]
    if (typeof described !== 'object' || described === null) return
    const fields = described as Record<string, unknown>
    for (const name of DESCRIPTION) if (name in fields) this.answer[name] = fields[name]
  }

  private release(held: readonly LetOut[], missing: readonly Record<string, unknown>[], number: number | null): void {
    const events = held.map(({ channel, text, logprobs }) => {
      this.kept?.grow(channel, text)
      const event = this.options.wire.delta(channel, text)
      return logprobs === null ? event : { ...event, logprobs }
    })
    for (const [index, event] of [...events, ...missing].entries()) {
      this.out.push(this.frameOf(number === null ? event : { ...event, sequence_number: number + index }))
    }
  }

  /** Keeps what goes out of items, where the gateway's own last event would have to repeat it. */
  private keep({ type, grown, bytes }: GuardedEvent): void {
    if (!this.kept) return
    for (const { channel, text } of grown) this.kept.grow(channel, text)
    if (type !== 'response.output_item.added' && type !== 'response.output_item.done') return
    // Only events with pieces of text wait.
    if (bytes instanceof OpenEvent) return
    const data = frameData(bytes, () => true)
    if (!data || 'rest' in data) return
    const item = parseObject(data.bytes.subarray(data.start, data.end))?.['item']
    if (typeof item !== 'object' || item === null) return
    this.kept.item(item as Record<string, unknown>, type.endsWith('.done'), bytes.length)
  }

  /** Ends the answer the normal way. What texts hold is behind the cut: it is dropped. */
  private cut(why: Cut, output?: () => readonly unknown[]): void {
    const events = this.options.wire.cut(why, this.context(output))
    const frames = events.map((event, index) =>
      this.frameOf(this.next === null ? event : { ...event, sequence_number: this.next + index }),
    )
    this.closing = frames.slice(-1)
    this.out.push(...frames.slice(0, -1))
    this.finish({ kind: 'cut', finish: why })
  }

  /** `output`: what the caller has got of it, where that is not all that was let out. */
  private context(output = this.kept?.mark()): EndContext {
    return { answer: this.answer, open: this.parts, output: output?.() ?? [], usage: this.options.usage() }
  }

  private frameOf(event: Readonly<Record<string, unknown>>): Uint8Array {
    const name = this.named === false ? '' : `event: ${String(event['type'])}\n`
    return encoder.encode(`${name}data: ${JSON.stringify(event)}\n\n`)
  }
}
