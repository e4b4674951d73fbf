import type { OtlpConfig } from '../../src/config/telemetry-config.ts'
import type { Upstream } from '../../src/ports/upstream.ts'

/** `again`: the collector may take it later. `reason` is for operators. */
export type Posted = { readonly ok: true } | { readonly ok: false; readonly again: boolean; readonly reason: string }

/** Answers are some bytes; what says more is none. */
const MAX_ANSWER_BYTES = 64 * 1024

/** The statuses on which the protocol has exporters try again. */
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** Sends one body, and looks at nothing but the status of the answer. Never rejects. */
export function post(
  upstream: Upstream,
  { url, headers, protocol }: OtlpConfig,
  path: string,
  body: Uint8Array,
  timeoutMs: number,
): Promise<Posted> {
  return new Promise(resolve => {
    let status = 0
    let left = MAX_ANSWER_BYTES
    const end = (result: Posted) => {
      clearTimeout(timer)
      resolve(result)
    }
    const answered = () => {
      if (status >= 200 && status < 300) return end({ ok: true })
      end({ ok: false, again: AGAIN.has(status), reason: `the collector answered ${status}` })
    }
    const timer = setTimeout(() => {
      flow.cancel()
      end({ ok: false, again: true, reason: `no answer within ${timeoutMs} ms` })
    }, timeoutMs)
    const type = protocol === 'json' ? 'application/json' : 'application/x-protobuf'
    const flow = upstream.send(
      { method: 'POST', url: url + path, headers: { ...headers, 'content-type': type }, body },
      {
        onHead: said => {
          status = said
        },
        // What else it says is not looked at.
        onData: ({ length }) => {
          left -= length
          if (left >= 0) return
          flow.cancel()
          answered()
        },
        onEnd: answered,
        onFailure: ({ message }) => end({ ok: false, again: true, reason: message }),
      },
    )
  })
}
