import type { Upstream, UpstreamCall } from '../ports/upstream.ts'
import { concat } from '../sse/frames.ts'

/** A whole answer, or why there is none. */
export type Posted =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly bytes: Uint8Array
    }
  | { readonly ok: false; readonly reason: string }

/** Makes one call and takes its whole answer of at most `limit` bytes. Ends at once when the signal comes. Never rejects. */
export function post(upstream: Upstream, call: UpstreamCall, limit: number, signal: AbortSignal): Promise<Posted> {
  return new Promise(resolve => {
    const chunks: Uint8Array[] = []
    let size = 0
    let status = 0
    let headers: Readonly<Record<string, string>> = {}
    const settle = (posted: Posted) => {
      signal.removeEventListener('abort', abort)
      resolve(posted)
    }
    const stop = (reason: string) => {
      flow.cancel()
      settle({ ok: false, reason })
    }
    const abort = () => stop('given up')
    const flow = upstream.send(call, {
      onHead(received, fields) {
        status = received
        headers = fields
      },
      onData(chunk) {
        size += chunk.length
        if (size > limit) stop(`more than ${limit} bytes`)
        else chunks.push(chunk)
      },
      onEnd: () => settle({ ok: true, status, headers, bytes: concat(chunks) }),
      onFailure: ({ message }) => settle({ ok: false, reason: message }),
    })
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
}
