import type { Refusal } from '../errors/refusal.ts'

/** A field of a request beyond its bound, or one that is not allowed here at all. */
export type Excess =
  | { readonly param: string; readonly amount: number; readonly what?: string; readonly limit: number }
  | { readonly param: string; readonly forbidden: string }

/** Names the field, what it has and what it may have. */
export function excessRefusal(excess: Excess): Refusal {
  const { param } = excess
  if ('forbidden' in excess) {
    return { code: 'field_forbidden', param, message: `The field "${param}" ${excess.forbidden}.` }
  }
  const { amount, what, limit } = excess
  const is = what === undefined ? `is ${amount}` : `has ${amount} ${what}`
  return { code: 'invalid_value', param, message: `The field "${param}" ${is}; the limit is ${limit}.` }
}
