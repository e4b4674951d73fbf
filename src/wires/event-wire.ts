import type { ChannelName, Shape } from '../json/shape.ts'

/** What an event is about: the item, block or part whose number or id it gives. */
export type EventKeys = Readonly<Record<string, string | number>>

/** A growing text of a stream of typed events. */
export interface EventChannel {
  /** `arguments`: the text is JSON, checked inside. */
  readonly name: ChannelName | 'arguments'
  /** The type of the events that it grows by. */
  readonly type: string
  /** The field of the piece inside the event. */
  readonly field: string
  readonly keys: EventKeys
}

/** How an answer that the gateway ends looks to the caller. */
export type Cut = 'length' | 'content_filter'

export interface TokenCounts {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What the gateway's own events at the end of a stream are made from. */
export interface EndContext {
  /** The answer as the stream's first event described it: id, model and the like. */
  readonly answer: Readonly<Record<string, unknown>>
  /** Keys of the parts that have begun and not ended. */
  readonly open: readonly EventKeys[]
  /** The items that have been let out, as far as they have. */
  readonly output: readonly unknown[]
  readonly usage: TokenCounts
}

/** Gives events of one stream the numbers that a model server left out. */
export interface EventRepair {
  /** Told of every event, in order: what it lacks, and the events that should have come in front of it. */
  event(
    type: string,
    keys: EventKeys,
  ): { readonly fields: EventKeys; readonly missing: readonly Record<string, unknown>[] }
}

/** Keeps the items of one answer as they are let out. */
export interface OutputKeeper {
  /** An item begins, or is let out as a whole. `size`: about what it takes to keep it, in characters. */
  item(fields: Readonly<Record<string, unknown>>, isDone: boolean, size: number): void
  /** A text of an item grows by what is let out. */
  grow(channel: EventChannel, text: string): void
  /** Remembers what has been let out up to now: called later, gives its items as the last event of an answer holds them. */
  mark(): () => readonly unknown[]
}

/** A wire whose stream is a sequence of events with a `type`: which of them hold text, and which end what. */
export interface EventWire {
  /** An event, and a whole answer. */
  readonly event: Shape
  readonly body: Shape
  /** The finish reasons that stand in a whole answer that was cut. */
  readonly finish: Readonly<Record<Cut, string>>
  /** The text that grows by this field of this type of event. */
  deltaOf(type: string, field: string): ChannelName | 'arguments'
  /** What ends with such an event: the texts whose keys agree with its own, all, or none. */
  closes(type: string): 'same' | 'all' | 'none'
  /** Opens or ends a part that the gateway would have to end itself: a block of a message. */
  readonly part?: { readonly opens: string; readonly ends: string }
  /** For events that clients tell apart by numbers, which some servers leave out. */
  readonly repair?: () => EventRepair
  /** Keeps what is let out of the answer: for the gateway's own last event. */
  readonly keep?: () => OutputKeeper
  /** The event that ends a stream in good order. */
  isLast(type: string): boolean
  /** Whether a stream that simply ends, with no text left open, is whole: some servers send no last event. */
  readonly mayEndSilently: boolean
  /** The model server tells that it failed. */
  isFailure(type: string): boolean
  /** The field of the first event that describes the answer. */
  readonly answerField: string
  /** The event that carries a rest of text. */
  delta(channel: EventChannel, text: string): Record<string, unknown>
  /** The events that end a cut answer, in order; the last one is sent when the record is safe. */
  cut(why: Cut, context: EndContext): readonly Record<string, unknown>[]
  /** The event that ends a failed answer. `error` is the body of an error answer of this wire. */
  failed(error: Readonly<Record<string, unknown>>, context: EndContext): Record<string, unknown>
}
