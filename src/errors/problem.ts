import { CATALOGUE, type ErrorCode } from './catalogue.ts'
import type { Refusal } from './refusal.ts'

/** The media type of an error answer of the admin API (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json'

/** An error answer of the admin API: RFC 9457's members, and the catalogue's code. */
export interface Problem {
  readonly type: `urn:sallyport:error:${ErrorCode}`
  /** The catalogue's sentence, the same for every problem of this code. */
  readonly title: string
  readonly status: number
  /** More exact, where there is more to say. */
  readonly detail?: string
  readonly code: ErrorCode
  /** The field at fault. */
  readonly param?: string
  readonly requestId: string
}

export function problemOf({ code, message, param }: Refusal, requestId: string): Problem {
  const { status, message: title } = CATALOGUE[code]
  return {
    type: `urn:sallyport:error:${code}`,
    title,
    status,
    ...(message !== undefined && { detail: message }),
    code,
    ...(param !== undefined && { param }),
    requestId,
  }
}
