import type { ChannelName } from './shape.ts'

/** What a walk over a JSON document has found: places in its bytes. */

/** A choice of an answer. */
export interface ChoiceScope {
  index: number
  /** Behind the `{` of the choice. */
  readonly open: number
  /** Behind the `{` of the object that holds the texts; -1 where there is none. */
  textOpen: number
  /** Its finish reason, when that is not null: the choice ends in this document. */
  finish: Span | null
}

/** A tool call of a choice. */
export interface CallScope {
  index: number
}

/**
 * A string that matters: `[start, end)` is what stands between its quotes. `key`: the name of a field that no shape marks;
 * `number`: a long whole number, which has no quotes.
 */
export interface StringSlot {
  readonly kind: 'text' | 'arguments' | 'delta' | 'unknown' | 'key' | 'number'
  readonly channel: ChannelName | null
  /** Of a `delta`, and of a text of the channel `other`: the name of its field; else ''. */
  readonly field: string
  readonly start: number
  readonly end: number
  /** Has neither escapes nor bytes above 127: its bytes are its text. */
  readonly simple: boolean
  readonly choice: ChoiceScope | null
  readonly call: CallScope | null
}

/** A value that says what an event is about: a string without its quotes, or a number. */
export interface Tag extends Span {
  readonly tag: string
  /** For strings, as in a slot; undefined for numbers. */
  readonly simple: boolean | undefined
}

/** A value that matters: `[start, end)` with its brackets. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Log-probabilities of tokens, and the text beside them that they repeat. */
export interface LogprobsSpan extends Span {
  readonly isNull: boolean
  readonly text: StringSlot | null
  readonly choice: ChoiceScope | null
}

export interface Walked {
  readonly strings: StringSlot[]
  readonly choices: ChoiceScope[]
  readonly logprobs: LogprobsSpan[]
  /** Values to be replaced by null. */
  readonly dropped: Span[]
  readonly tags: Tag[]
  /** Values that hold JSON of the model's making. */
  readonly json: Span[]
  usage: Span | null
  /** The finish reason of an answer without choices. */
  finish: Span | null
  /** The document has an `error` that is not null. */
  error: boolean
}
