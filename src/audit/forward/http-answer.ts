import type { UpstreamCall } from '../../ports/upstream.ts'
import type { Posted } from '../../validators/post.ts'
import { type Delivery, oneLine } from './destination.ts'

/** Sends one request within the deadline of its batch and takes the whole answer. Never rejects. */
export type Send = (call: UpstreamCall) => Promise<Posted>

const decoder = new TextDecoder()

/**
 * What a status says where the service's own answer says nothing else. Only 400 and 422 are about what was sent: a wrong token
 * or address (401, 403, 404) is mended by people, and until then nothing is given up.
 */
export function readStatus(posted: Posted): Delivery {
  if (!posted.ok) return { kind: 'failed', reason: posted.reason }
  const { status, headers } = posted
  if (status >= 200 && status <= 299) return { kind: 'taken' }
  const said = oneLine(textOf(posted))
  const reason = `it answered ${status}${said && `: ${said}`}`
  if (status === 413) return { kind: 'too-large', reason }
  if (status === 400 || status === 422) return { kind: 'refused', reason }
  return { kind: 'failed', reason, retryAfterMs: retryAfterMs(headers) }
}

/** As seconds or as a date (RFC 9110), which counts against the answer's own: clocks differ. */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers['retry-after'] ?? ''
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const ms = Date.parse(value) - Date.parse(headers['date'] ?? '')
  return ms > 0 ? ms : undefined
}

export function textOf(posted: Posted): string {
  return posted.ok ? decoder.decode(posted.bytes) : ''
}

/** The answer's JSON object; undefined where it is none. */
export function jsonOf(posted: Posted): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(textOf(posted))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
