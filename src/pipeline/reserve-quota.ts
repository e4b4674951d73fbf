import type { Refusal } from '../errors/refusal.ts'
import { StoreUnavailableError } from '../ports/state-store.ts'
import { Allotment } from '../quota/allotment.ts'
import { quotaHeaders, retryHeaders } from '../quota/headers.ts'
import { NOTHING_USED } from '../quota/limit.ts'
import type { Exchange } from './exchange.ts'
import { largestAnswer } from './largest-answer.ts'
import type { Services } from './services.ts'

/**
 * Is there enough left? Reserves the prompt and the longest answer on every limit that applies, all or none, in one round
 * trip. Sets `reservation` and `limitHeaders`. A store that does not answer in time: not admitted.
 */
export async function reserveQuota(exchange: Exchange, services: Services): Promise<Refusal | undefined> {
  const { principal, model, body, endpoint } = exchange
  if (!principal || !model || !body) throw new Error('reserveQuota runs behind authoriseModel')
  if (services.config.quotas.length === 0) return undefined
  const output = largestAnswer(exchange)
  const use = endpoint.metered ? { inputTokens: exchange.estimatedInput, outputTokens: output } : NOTHING_USED
  const plan = services.planQuota(principal, model.id, use, exchange.address)
  if (plan.meters.length === 0) return undefined
  try {
    const result = await services.store.reserve(exchange.reservationId, plan.tenant, plan.meters, plan.amounts)
    exchange.limitHeaders = quotaHeaders(plan, result)
    if (result.outcome === 'granted') {
      exchange.reservation = new Allotment(services.store, exchange.reservationId, plan, use.inputTokens)
      services.leases.keep(exchange.reservation)
      return undefined
    }
    const charge = plan.charges[result.limitedBy]
    const name = charge?.limit.name ?? ''
    return {
      code: 'rate_limit_exceeded',
      message:
        charge?.kind === 'concurrent'
          ? `The limit "${name}" of requests at the same time is reached. Ask again when one of them has ended.`
          : `The limit "${name}" is used up. Wait as long as the retry-after header says.`,
      reason: name,
      headers: retryHeaders(result.retryAfterMs),
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    services.telemetry.count('sallyport_store_failures_total', { operation: 'reserve' })
    return { code: 'quota_unavailable', reason: error.message }
  }
}
