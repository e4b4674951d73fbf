/**
 * What a walk over JSON bytes should notice: a shape mirrors the document and marks the places that matter. One shape
 * describes one wire. A string at a place that no shape describes is text of unknown purpose, and is checked by itself.
 */

/** The growing texts of a choice. Their order is part of a channel's number: append only. */
export const CHANNELS = ['content', 'reasoning_content', 'reasoning', 'refusal', 'text', 'other'] as const
export type ChannelName = (typeof CHANNELS)[number]

export type Mark =
  /** Never holds text from the model: ids, names of things, fixed words. */
  | { readonly kind: 'plain' }
  /** A piece of a growing text. */
  | { readonly kind: 'text'; readonly channel: ChannelName }
  /** A piece of a growing text of typed events: the event's type, or the field, tells which. */
  | { readonly kind: 'delta'; readonly field: string }
  /** Says what an event is or what it is about. */
  | { readonly kind: 'tag'; readonly tag: string }
  /** JSON of the model's making, checked inside. */
  | { readonly kind: 'json' }
  /** A piece of a function call's JSON arguments. */
  | { readonly kind: 'arguments' }
  /** Repeats text token by token, with the probability of each. */
  | { readonly kind: 'logprobs' }
  /** Repeats the prompt or the text in a form that cannot be checked: becomes null. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'usage' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'index' }
  | { readonly kind: 'error' }

export interface Shape {
  readonly mark?: Mark
  readonly fields?: Fields
  readonly items?: Shape
  /** What a string is whose field is not marked; nothing: text of unknown purpose. */
  readonly others?: Shape
  /** Opens a scope with an `index` of its own. */
  readonly scope?: 'choice' | 'call'
  /** The object of a choice that holds its texts: where held text is put when the choice ends. */
  readonly holdsText?: boolean
}

/** The marked fields of an object, found by their bytes: most keys of a stream's events are never made into strings. */
export class Fields {
  private readonly names: readonly string[]
  private readonly bytes: readonly Uint8Array[]
  private readonly shapes: readonly Shape[]

  /** At most 31, so that a set of them fits a number. */
  constructor(fields: Readonly<Record<string, Shape>>) {
    this.names = Object.keys(fields)
    this.shapes = Object.values(fields)
    const encoder = new TextEncoder()
    this.bytes = this.names.map(name => encoder.encode(name))
    if (this.names.length > 31) throw new RangeError('an object has more than 31 marked fields')
  }

  /** The number of the field whose name stands in `bytes[start, end)`, or -1. */
  findBytes(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    for (let field = 0; field < this.bytes.length; field++) {
      const name = this.bytes[field]
      if (!name || name.length !== length) continue
      let at = 0
      while (at < length && name[at] === bytes[start + at]) at++
      if (at === length) return field
    }
    return -1
  }

  find(name: string): number {
    return this.names.indexOf(name)
  }

  shapeOf(field: number): Shape | undefined {
    return this.shapes[field]
  }
}

export const plain: Shape = { mark: { kind: 'plain' } }
/** Text of unknown purpose, at a place where an unmarked field would be taken for something else. */
export const unmarked: Shape = {}
export const dropped: Shape = { mark: { kind: 'drop' } }
export const logprobs: Shape = { mark: { kind: 'logprobs' } }
export const json: Shape = { mark: { kind: 'json' } }
export const usage: Shape = { mark: { kind: 'usage' } }
export const finish: Shape = { mark: { kind: 'finish' } }
export const index: Shape = { mark: { kind: 'index' } }
export const error: Shape = { mark: { kind: 'error' } }
export const callArguments: Shape = { mark: { kind: 'arguments' } }

export function text(channel: ChannelName): Shape {
  return { mark: { kind: 'text', channel } }
}

export function delta(field: string): Shape {
  return { mark: { kind: 'delta', field } }
}

export function tag(name: string): Shape {
  return { mark: { kind: 'tag', tag: name } }
}

export function object(fields: Readonly<Record<string, Shape>>, more: Omit<Shape, 'fields'> = {}): Shape {
  return { ...more, fields: new Fields(fields) }
}

export function each(items: Shape): Shape {
  return { items }
}
