import type { LimitLevel, ReserveResult } from '../ports/state-store.ts'
import type { ChargeKind } from './limit.ts'
import type { QuotaPlan } from './plan.ts'

/**
 * The rate-limit headers of OpenAI's API for a decision on `plan`. Where several limits of a kind apply, the one with
 * the least left speaks for them, because it is the one that the caller meets next.
 */
export function quotaHeaders(plan: QuotaPlan, { levels }: ReserveResult): Record<string, string> {
  const headers: Record<string, string> = {}
  const requests = tightestOf(plan, levels, 'requests')
  const requestLevel = levels[requests]
  if (requestLevel !== undefined) {
    headers['x-ratelimit-limit-requests'] = String(plan.meters[requests]?.limit)
    headers['x-ratelimit-remaining-requests'] = String(requestLevel.remaining)
    headers['x-ratelimit-reset-requests'] = formatDuration(requestLevel.resetMs)
  }
  const tokens = tightestOf(plan, levels, 'tokens')
  const tokenLevel = levels[tokens]
  if (tokenLevel !== undefined) {
    headers['x-ratelimit-limit-tokens'] = String(plan.meters[tokens]?.limit)
    headers['x-ratelimit-remaining-tokens'] = String(tokenLevel.remaining)
    headers['x-ratelimit-reset-tokens'] = formatDuration(tokenLevel.resetMs)
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

/** The index of the first meter of this kind with the least left, among equals the longest to reset; -1: none. */
function tightestOf(plan: QuotaPlan, levels: readonly LimitLevel[], kind: ChargeKind): number {
  let tightest = -1
  let least: LimitLevel | undefined
  for (let index = 0; index < levels.length; index++) {
    const level = levels[index] as LimitLevel
    if (plan.charges[index]?.kind !== kind) continue
    const isTighter =
      least === undefined ||
      level.remaining < least.remaining ||
      (level.remaining === least.remaining && level.resetMs > least.resetMs)
    if (!isTighter) continue
    tightest = index
    least = level
  }
  return tightest
}
