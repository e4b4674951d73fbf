import { SETTLE_ATTEMPTS, SETTLE_RETRY_MS } from '../config/limits.ts'
import type { Settlement } from '../quota/allotment.ts'
import { NOTHING_USED, type TokenUse } from '../quota/limit.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/** What a request used, and who says so. */
interface Used extends TokenUse {
  readonly tokenSource?: 'upstream' | 'estimate'
}

/**
 * Replaces what was reserved by what was used. Off the critical path: the answer does not wait for it. Settling is
 * idempotent, so it is repeated while the store is away; a settlement that is given up leaves the larger reservation in
 * place until its window has passed, which is the strict side.
 */
export function settle(exchange: Exchange, services: Services, use: Used): void {
  const { reservation, requestId, endpoint } = exchange
  exchange.place?.settle(use.inputTokens + use.outputTokens)
  if (!reservation) return
  if (use.tokenSource === 'upstream') services.inputSizes.settled(exchange, use.inputTokens)
  exchange.reservation = undefined
  services.leases.letGo(reservation)
  const settled = endpoint.metered ? use : NOTHING_USED
  void reservation.settlements(settled).then(all => {
    for (const settlement of all) send(services, settlement, reservation.plan.tenant, requestId)
  })
}

function send(services: Services, { id, amounts }: Settlement, tenant: string, requestId: string): void {
  const attempt = (left: number, pauseMs: number): void => {
    services.store.settle(id, tenant, amounts).catch((error: unknown) => {
      services.telemetry.count('sallyport_store_failures_total', { operation: 'settle' })
      if (left > 1) {
        setTimeout(attempt, pauseMs, left - 1, pauseMs * 2)
      } else {
        const reason = error instanceof Error ? error.message : 'unknown'
        services.telemetry.log('error', 'settle_given_up', { requestId, reason })
      }
    })
  }
  attempt(SETTLE_ATTEMPTS, SETTLE_RETRY_MS)
}
