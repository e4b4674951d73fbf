/**
 * What a walk over JSON bytes should notice: a shape mirrors the document and marks the places that matter. One shape
 * describes one wire. A string at a place that no shape describes is text of unknown purpose, and is checked by itself.
 */

/** The growing texts of a choice. Their order is part of a channel's number: append only. */
export const CHANNELS = ['content', 'reasoning_content', 'reasoning', 'refusal', 'text'] as const
export type ChannelName = (typeof CHANNELS)[number]

export type Mark =
  /** Never holds text from the model: ids, names of things, fixed words. */
  | { readonly kind: 'plain' }
  /** A piece of a growing text. */
  | { readonly kind: 'text'; readonly channel: ChannelName }
  /** A piece of a function call's JSON arguments. */
  | { readonly kind: 'arguments' }
  /** Repeats text token by token: becomes null. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'usage' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'index' }
  | { readonly kind: 'error' }

export interface Shape {
  readonly mark?: Mark
  readonly fields?: ReadonlyMap<string, Shape>
  readonly items?: Shape
  /** Opens a scope with an `index` of its own. */
  readonly scope?: 'choice' | 'call'
  /** The object of a choice that holds its texts: where held text is put when the choice ends. */
  readonly holdsText?: boolean
}

export const plain: Shape = { mark: { kind: 'plain' } }
export const dropped: Shape = { mark: { kind: 'drop' } }
export const usage: Shape = { mark: { kind: 'usage' } }
export const finish: Shape = { mark: { kind: 'finish' } }
export const index: Shape = { mark: { kind: 'index' } }
export const error: Shape = { mark: { kind: 'error' } }
export const callArguments: Shape = { mark: { kind: 'arguments' } }

export function text(channel: ChannelName): Shape {
  return { mark: { kind: 'text', channel } }
}

export function object(fields: Readonly<Record<string, Shape>>, more: Omit<Shape, 'fields'> = {}): Shape {
  return { ...more, fields: new Map(Object.entries(fields)) }
}

export function each(items: Shape): Shape {
  return { items }
}
