import { SETTLE_ATTEMPTS, SETTLE_RETRY_MS } from '../config/limits.ts'
import { settlementOf } from '../quota/plan.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/**
 * Replaces the reservation by what was used. Off the critical path: the answer does not wait for it. Settling is idempotent,
 * so it is repeated while the store is away; a settlement that is given up leaves the larger reservation in place until
 * its window has passed, which is the strict side.
 */
export function settle(exchange: Exchange, services: Services, tokens: number): void {
  const plan = exchange.reservation
  if (!plan) return
  exchange.reservation = undefined
  const amounts = settlementOf(plan, exchange.endpoint.metered ? tokens : 0)
  const attempt = (left: number, pauseMs: number): void => {
    services.store.settle(exchange.reservationId, plan.tenant, amounts).catch((error: unknown) => {
      services.telemetry.count('sallyport_store_failures_total', { operation: 'settle' })
      if (left > 1) {
        setTimeout(attempt, pauseMs, left - 1, pauseMs * 2)
      } else {
        const reason = error instanceof Error ? error.message : 'unknown'
        services.telemetry.log('error', 'settle_given_up', { requestId: exchange.requestId, reason })
      }
    })
  }
  attempt(SETTLE_ATTEMPTS, SETTLE_RETRY_MS)
}
