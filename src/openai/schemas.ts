import * as v from 'valibot'
import { BOUNDS } from './bounds.ts'

/** What the fields of the different requests are made of: every text of a fault says what would be right. */

export type FieldSchema = v.GenericSchema
export type Fields = Readonly<Record<string, FieldSchema>>

export const text = v.string('must be a string')
export const flag = v.boolean('must be true or false')
export const name = v.pipe(
  text,
  v.minLength(1, 'must not be empty'),
  v.maxLength(BOUNDS.name, `has more than ${BOUNDS.name} characters`),
)

/** Without `max`, the bound is one that administrators set. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): FieldSchema {
  const wrong =
    max === Number.MAX_SAFE_INTEGER
      ? `must be a whole number of at least ${min}`
      : `must be a whole number from ${min} to ${max}`
  return v.pipe(v.number(wrong), v.safeInteger(wrong), v.minValue(min, wrong), v.maxValue(max, wrong))
}

export function number(min: number, max: number): FieldSchema {
  const wrong = `must be a number from ${min} to ${max}`
  return v.pipe(v.number(wrong), v.finite(wrong), v.minValue(min, wrong), v.maxValue(max, wrong))
}

/** A list whose length is bounded by a limit that administrators set. */
export function manyOf<Item extends FieldSchema>(item: Item, min = 0) {
  return v.pipe(v.array(item, 'must be an array'), v.minLength(min, 'must not be empty'))
}

export function list<Item extends FieldSchema>(item: Item, max: number, min = 0) {
  return v.pipe(
    v.array(item, 'must be an array'),
    v.minLength(min, 'must not be empty'),
    v.maxLength(max, `has more than ${max} items`),
  )
}

/** Keys that valibot's records pass over without a look, whatever is in them. */
const UNSEEN_KEYS = ['__proto__', 'prototype', 'constructor']

/** An object of values of one kind, under keys of the caller's choice: all of them are checked. */
export function mapping<Value extends FieldSchema>(
  value: Value,
  wrong: string,
  key: v.GenericSchema<string, string> = text,
) {
  return v.pipe(
    v.unknown(),
    v.check(value => !Array.isArray(value), wrong),
    v.check(
      object => typeof object !== 'object' || object === null || !UNSEEN_KEYS.some(name => Object.hasOwn(object, name)),
      `has a key that is not allowed: ${UNSEEN_KEYS.join(', ')}`,
    ),
    v.record(key, value, wrong),
  )
}

/** A schema, or arguments: what is in it is of no concern here, and every text in it is looked at by the guard. */
export const anyObject = v.pipe(
  v.unknown(),
  // Valibot takes a list for a record with the keys 0, 1, 2.
  v.check(value => !Array.isArray(value), 'must be an object'),
  v.record(v.string(), v.unknown(), 'must be an object'),
)

/** A function that the model may call, as the OpenAI API describes one. */
export const functionTool = v.strictObject({
  name,
  description: v.optional(text),
  parameters: v.optional(v.nullable(anyObject)),
  strict: v.optional(v.nullable(flag)),
})
