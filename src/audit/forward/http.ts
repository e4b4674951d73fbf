import type { Clock } from '../../ports/clock.ts'
import type { Hashing } from '../../ports/hashing.ts'
import { encodeAll } from './destination.ts'
import { readStatus } from './http-answer.ts'
import type { Speak } from './http-destination.ts'

export interface HttpOptions {
  /** As it is: nothing is put behind it. */
  readonly url: string
  /** With what authenticates. */
  readonly headers: Readonly<Record<string, string>>
  /** Present: batches are signed. */
  readonly hmacSecret?: string | undefined
  readonly hashing: Hashing
  readonly clock: Clock
}

/** A service that takes JSON Lines: the records as they stand in the log. Any 2xx means that it has them. */
export function plainHttp({ url, headers, hmacSecret, hashing, clock }: HttpOptions): Speak {
  const key = hmacSecret === undefined ? undefined : new TextEncoder().encode(hmacSecret)
  return async function speak(records, send) {
    const body = await encodeAll(records, ({ line }) => `${line}\n`)
    const name = `${records[0]?.id}-${records.length}`
    const signed = key && signature(key, name, Math.floor(clock.now() / 1000), body, hashing)
    const fields = { ...headers, 'content-type': 'application/x-ndjson', ...signed }
    return readStatus(await send({ method: 'POST', url, headers: fields, body }))
  }
}

/** The header fields of Standard Webhooks: libraries in many languages check them, and the time keeps old ones out. */
function signature(key: Uint8Array, id: string, seconds: number, body: string, hashing: Hashing) {
  const digest = hashing.hmacSha256(key, `${id}.${seconds}.${body}`)
  const bytes = digest.replace(/../g, pair => String.fromCharCode(Number.parseInt(pair, 16)))
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${btoa(bytes)}` }
}
