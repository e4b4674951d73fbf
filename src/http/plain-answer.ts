import { CATALOGUE } from '../errors/catalogue.ts'
import { openAiError, type Refusal } from '../errors/refusal.ts'
import type { Answer } from '../ports/transport.ts'

const encoder = new TextEncoder()

/** An answer outside the inference path. */
export function plainAnswer(requestId: string, value: unknown, status = 200): Answer {
  return {
    status,
    headers: { 'x-request-id': requestId, 'content-type': 'application/json; charset=utf-8' },
    body: encoder.encode(JSON.stringify(value)),
  }
}

/** A refusal outside the inference path, which has no record. */
export function plainRefusal(requestId: string, refusal: Refusal): Answer {
  const { status, retry } = CATALOGUE[refusal.code]
  const { headers, ...answer } = plainAnswer(requestId, openAiError(refusal), status)
  return { ...answer, headers: { ...headers, ...(retry ? {} : { 'x-should-retry': 'false' }), ...refusal.headers } }
}
