import type { LoggedRecord } from '../../ports/forward-log.ts'

/** Of the records of a batch, one that will never be taken. */
export interface Refused {
  /** Its place in the batch. */
  readonly index: number
  /** Safe to print. */
  readonly reason: string
}

/** What became of a batch. */
export type Delivery =
  /** The destination has all of it, but for those that it refused while it took others. */
  | { readonly kind: 'taken'; readonly refused?: readonly Refused[]; readonly lost?: Lost }
  /** It has the first `taken` records (default none), but for those refused; of the rest nothing is known. */
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly taken?: number
      readonly refused?: readonly Refused[]
      readonly retryAfterMs?: number | undefined
    }
  /** It took none, because of what is in some of them. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It took none, because they are too long together. */
  | { readonly kind: 'too-large'; readonly reason: string }

/** Records that were refused, of which the destination does not say which. */
export interface Lost {
  readonly records: number
  readonly reason: string
}

/** Somewhere that records are sent to. */
export interface Destination {
  /** Sends a batch of at least one record, in order. Never rejects, and ends soon after the signal. A repeat does no harm. */
  deliver(records: readonly LoggedRecord[], signal: AbortSignal): Promise<Delivery>
  close(): Promise<void>
}

/** A turn of the event loop that has taken so long is over, in ms. */
const TURN_MS = 2

/** Writes records one behind the other, in turns of the event loop: a large batch would hold up requests. */
export async function encodeAll(
  records: readonly LoggedRecord[],
  encode: (record: LoggedRecord) => string,
): Promise<string> {
  let text = ''
  let began = performance.now()
  for (const record of records) {
    text += encode(record)
    if (performance.now() - began < TURN_MS) continue
    await new Promise(resolve => setTimeout(resolve))
    began = performance.now()
  }
  return text
}

/** What a service said, in one line that is safe to print: it may repeat what is in a record, so little of it. */
export function oneLine(text: unknown, max = 200): string {
  const line = String(text)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return line.length > max ? `${line.slice(0, max)}…`.toWellFormed() : line
}
