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
  /** Sent as JSON; a text as it is. */
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
export function askerOf(upstream: Upstream, server: UpstreamConfig): Ask {
  const { url, apiKey } = server
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
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      closeAfter: pinsThreads(server),
    }
    const signal = AbortSignal.timeout(timeoutMs)
    const answer = await post(upstream, call, MAX_MODEL_STATE_BYTES, signal)
    if (answer.ok) return { ok: true, status: answer.status, json: parsed(answer.bytes) }
    if (signal.aborted) return { ok: false, code: 'upstream_timeout', reason: `no answer within ${timeoutMs} ms` }
    return { ok: false, code: 'upstream_unavailable', reason: answer.reason }
  }
}

/**
 * llama-server gives every open connection one of a few threads, for 5 s after its last answer too. Kept connections would
 * leave the next callers waiting for those 5 s (measured: 15 calls at once took 10 s, with connections closed 60 ms).
 */
export function pinsThreads({ kind }: UpstreamConfig): boolean {
  return kind === 'llama.cpp'
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
