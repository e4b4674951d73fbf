import type { LimitLevel, ReserveResult } from '../ports/state-store.ts'
import type { ChargeKind, QuotaPlan } from './plan.ts'

/**
 * The rate-limit headers of OpenAI's API for a decision on `plan`. Where several limits of a kind apply, the one with
 * the least left speaks for them, because it is the one that the caller meets next.
 */
export function quotaHeaders(plan: QuotaPlan, { levels }: ReserveResult): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const kind of ['requests', 'tokens'] as const) {
    const tightest = tightestOf(plan, levels, kind)
    if (tightest === undefined) continue
    headers[`x-ratelimit-limit-${kind}`] = String(tightest.limit)
    headers[`x-ratelimit-remaining-${kind}`] = String(tightest.remaining)
    headers[`x-ratelimit-reset-${kind}`] = formatDuration(tightest.resetMs)
  }
  return headers
}

/** When to come back: whole seconds, never too early, and the exact milliseconds for the clients that know them. */
export function retryHeaders(retryAfterMs: number): Record<string, string> {
  return { 'retry-after': String(Math.ceil(retryAfterMs / 1000)), 'retry-after-ms': String(Math.ceil(retryAfterMs)) }
}

/** A duration as OpenAI writes it: `20ms`, `1s`, `7.66s`, `6m0s`, `24h0m0s`. */
export function formatDuration(ms: number): string {
  const whole = Math.ceil(ms)
  if (whole < 1000) return `${whole}ms`
  const minutes = Math.floor(whole / 60_000)
  const seconds = `${(whole % 60_000) / 1000}s`
  if (minutes === 0) return seconds
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`
}

function tightestOf(plan: QuotaPlan, levels: readonly LimitLevel[], kind: ChargeKind) {
  return plan.charges
    .flatMap(({ limit }, index) => {
      const level = levels[index]
      return level !== undefined && plan.kinds[index] === kind ? [{ limit, ...level }] : []
    })
    .toSorted((a, b) => a.remaining - b.remaining || b.resetMs - a.resetMs)[0]
}
