import type { UpstreamKind } from '../config/config.ts'

/** What a kind of server calls the requests that it works on, and those that wait in it, in its Prometheus metrics. */
const GAUGES: Partial<Readonly<Record<UpstreamKind, readonly string[]>>> = {
  vllm: ['vllm:num_requests_running', 'vllm:num_requests_waiting'],
  'llama.cpp': ['llamacpp:requests_processing', 'llamacpp:requests_deferred'],
}

/** Whether servers of the kind say how much they have to do. */
export function reportsLoad(kind: UpstreamKind): boolean {
  return GAUGES[kind] !== undefined
}

/** The requests in a server, from its metrics in Prometheus' text format; undefined where they do not say. */
export function loadIn(metrics: string, kind: UpstreamKind): number | undefined {
  let sum: number | undefined
  for (const name of GAUGES[kind] ?? []) {
    // One series an engine.
    for (const [, value] of metrics.matchAll(new RegExp(`^${name}(?:\\{[^\\n]*\\})? (\\S+)`, 'gm'))) {
      const requests = Number(value)
      if (requests >= 0 && requests < Number.POSITIVE_INFINITY) sum = (sum ?? 0) + requests
    }
  }
  return sum
}
