import type { UpstreamConfig } from '../config/config.ts'
import { MAX_MODEL_STATE_BYTES } from '../config/limits.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import type { Upstream } from '../ports/upstream.ts'
import { post } from '../validators/post.ts'

/** One request to a model server's own API. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** From the server's root, which lies above the `/v1` of its URL; with the query. */
  readonly path: `/${string}`
  readonly body?: unknown
  readonly timeoutMs: number
}

/** What a model server said, or why it said nothing. */
export type Said =
  /** `json` is undefined where the body is none. */
  | { readonly ok: true; readonly status: number; readonly json: unknown }
  | { readonly ok: false; readonly code: ErrorCode; readonly reason: string }

/** Asks the model server that it is bound to. Never rejects; ends at the question's deadline at the latest. */
export type Ask = (question: Question) => Promise<Said>

/** Binds questions to a model server, with its API key. */
export function askerOf(upstream: Upstream, { url, apiKey }: UpstreamConfig): Ask {
  const root = url.replace(/\/v1$/, '')
  return async function ask({ method, path, body, timeoutMs }) {
    const call = {
      method,
      url: path.startsWith('/v1/') ? url + path.slice('/v1'.length) : root + path,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }
    const signal = AbortSignal.timeout(timeoutMs)
    const answer = await post(upstream, call, MAX_MODEL_STATE_BYTES, signal)
    if (answer.ok) return { ok: true, status: answer.status, json: parsed(answer.bytes) }
    if (signal.aborted) return { ok: false, code: 'upstream_timeout', reason: `no answer within ${timeoutMs} ms` }
    return { ok: false, code: 'upstream_unavailable', reason: answer.reason }
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
