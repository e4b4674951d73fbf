import * as v from 'valibot'
import { name, text } from '../config/fields.ts'
import { DEFAULT_PAGE, MAX_MODEL_GLOB_CHARACTERS, MAX_MODEL_ID_CHARACTERS, MAX_PAGE } from '../config/limits.ts'

/** Building blocks of the admin API's schemas. No message repeats the value that it is about. */

export const described = v.description
export const NOTHING = v.strictObject({})

/** A team, an application, an environment, a token's id. */
export { name }
export const tokenId = v.pipe(text(64), v.regex(/^[A-Za-z0-9._-]+$/, 'should be the id of a token'))
export const modelId = text(MAX_MODEL_ID_CHARACTERS)
export const modelGlob = text(MAX_MODEL_GLOB_CHARACTERS)

/** A moment, as it is told. */
export const moment = v.pipe(v.string(), v.isoTimestamp(), described('ISO 8601, UTC.'))

export const limit = v.pipe(
  v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,4}$/, `should be a number from 1 to ${MAX_PAGE}`)),
    String(DEFAULT_PAGE),
  ),
  described(`Entries of a page, from 1 to ${MAX_PAGE}.`),
  v.transform(Number),
  v.minValue(1, `should be a number from 1 to ${MAX_PAGE}`),
  v.maxValue(MAX_PAGE, `should be a number from 1 to ${MAX_PAGE}`),
)
export const after = v.exactOptional(
  v.pipe(
    text(128),
    v.regex(/^[\w.:-]+$/, 'should be the `next` of a page'),
    described('The `next` of the page before.'),
  ),
)
export const next = v.exactOptional(v.pipe(v.string(), described('There are more: `after` of the next page.')))

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** One page of a list that is in order, and where the next begins. */
export function page<T>(
  all: readonly T[],
  { after: last, limit: most }: { readonly after?: string; readonly limit: number },
  keyOf: (entry: T) => string,
): { readonly entries: readonly T[]; readonly next?: string } {
  const start = last === undefined ? 0 : all.findIndex(entry => keyOf(entry) > last)
  const entries = start < 0 ? [] : all.slice(start, start + most)
  const end = entries.at(-1)
  return start >= 0 && start + most < all.length && end !== undefined ? { entries, next: keyOf(end) } : { entries }
}
