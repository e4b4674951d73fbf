import type { LoggedRecord } from '../../ports/forward-log.ts'
import type { Upstream } from '../../ports/upstream.ts'
import { post } from '../../validators/post.ts'
import type { Delivery, Destination } from './destination.ts'
import type { Send } from './http-answer.ts'

/** How one kind of service is spoken to: encodes a batch, sends it, reads what was taken. */
export type Speak = (records: readonly LoggedRecord[], send: Send, signal: AbortSignal) => Promise<Delivery>

/** An answer about a batch: a few hundred bytes a record, of a service that says something about each. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** A service over HTTP. Redirects are not followed: a token would go with them. */
export function httpDestination(speak: Speak, upstream: Upstream): Destination {
  return {
    async deliver(records, signal) {
      const delivery = await speak(records, call => post(upstream, call, MAX_ANSWER_BYTES, signal), signal)
      if (delivery.kind !== 'failed' || !signal.aborted) return delivery
      return { ...delivery, reason: 'it did not answer in time' }
    },
    close: async () => undefined,
  }
}
