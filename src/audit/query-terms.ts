import { formatQuantity, parseQuantity, QUANTITY_HINTS } from '../config/units.ts'

/** How a request can end, as records tell it. */
export const OUTCOMES = ['begun', 'served', 'refused', 'failed', 'aborted'] as const

/** A status, or `4xx` for all of a kind. */
export const STATUS = '[1-5](?:\\d\\d|xx)'

/** A moment in ms since the epoch, or how many ms it was ago. */
export type QueryTime = { readonly at: number } | { readonly ago: number }

export const QUERY_TIME_HINT = `a time such as 2026-11-24T09:00:00Z, or ${QUANTITY_HINTS.duration}`

/** Reads a time, or a duration as so long ago. Undefined where the text is neither. */
export function readQueryTime(text: string): QueryTime | undefined {
  const ago = parseQuantity('duration', text)
  if (ago !== undefined) return { ago }
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : { at }
}

/** In ms since the epoch. */
export function momentOf(time: QueryTime, nowMs: number): number {
  return 'at' in time ? time.at : nowMs - time.ago
}

export function queryTimeText(time: QueryTime): string {
  return 'at' in time ? new Date(time.at).toISOString() : formatQuantity('duration', time.ago)
}
