import type * as v from 'valibot'
import { at, type Fault } from './fault.ts'

export const NO_MAPPING = 'should be a mapping of keys to values'

/**
 * Finds every key that the schema does not know, with the known key most like it, and every list in place of a mapping,
 * which Valibot takes for one. Walks what is there only.
 */
export function unknownKeys(schema: v.GenericSchema, value: unknown, path = ''): Fault[] {
  const { type } = schema
  if ('wrapped' in schema) return unknownKeys(schema.wrapped as v.GenericSchema, value, path)
  if (type === 'array' && 'item' in schema && Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => unknownKeys(schema.item as v.GenericSchema, item, at(path, index)))
  }
  if ((type === 'strict_object' || type === 'record') && Array.isArray(value)) return [{ path, reason: NO_MAPPING }]
  if (type !== 'strict_object' || !('entries' in schema)) return []
  if (typeof value !== 'object' || value === null) return []
  const entries = new Map(Object.entries(schema.entries as Record<string, v.GenericSchema>))
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const known = entries.get(key)
    if (known !== undefined) return unknownKeys(known, inner, at(path, key))
    const similar = mostLike(key, [...entries.keys()])
    const hint = similar === undefined ? `known here: ${[...entries.keys()].join(', ')}` : `did you mean "${similar}"?`
    return [{ path: at(path, key), reason: `unknown key; ${hint}` }]
  })
}

/** The candidate that takes the fewest edits, if these are few for the length of the word; case does not count. */
export function mostLike(word: string, candidates: readonly string[]): string | undefined {
  // Longer than any key of ours: nothing can be like it, and the distance is quadratic.
  if (word.length > 40) return undefined
  let best: string | undefined
  let fewest = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const edits = editDistance(plain(word), plain(candidate))
    if (edits < fewest && edits < candidate.length) {
      best = candidate
      fewest = edits
    }
  }
  return best
}

/** `client_ca` and `client-ca` are `clientCa` to us. */
function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[_-]/g, '')
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
