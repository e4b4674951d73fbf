import type { Refusal } from '../errors/refusal.ts'
import { type LimitLevel, type ReserveResult, StoreUnavailableError } from '../ports/state-store.ts'
import { Allotment } from '../quota/allotment.ts'
import { quotaHeaders, retryHeaders } from '../quota/headers.ts'
import type { InputSize } from '../quota/input-size.ts'
import { NOTHING_USED } from '../quota/limit.ts'
import type { QuotaPlan } from '../quota/plan.ts'
import { announce } from './announce.ts'
import type { Exchange } from './exchange.ts'
import { largestAnswer } from './largest-answer.ts'
import type { Services } from './services.ts'

/**
 * Is there enough left? Reserves the prompt and the longest answer on every limit that applies, all or none, in one round
 * trip. Sets `reservation`, `input` and `limitHeaders`. A store that does not answer in time: not admitted.
 *
 * Prompts are reserved by an estimate. One that would be refused for it, and might fit as it is, is counted by a model server
 * and asked for again.
 */
export async function reserveQuota(exchange: Exchange, services: Services): Promise<Refusal | undefined> {
  const { principal, model, body, endpoint, address } = exchange
  if (!principal || !model || !body) throw new Error('reserveQuota runs behind authoriseModel')
  if (services.config.quotas.length === 0) return undefined
  const { inputSizes } = services
  const outputTokens = largestAnswer(exchange)
  const planFor = (inputTokens: number) =>
    services.planQuota(principal, model.id, endpoint.metered ? { inputTokens, outputTokens } : NOTHING_USED, address)
  let size = inputSizes.guess(exchange)
  let plan = planFor(size.tokens)
  if (plan.meters.length === 0) return undefined
  let mayCount = plan.inputLimit !== undefined && inputSizes.mayCount(exchange, services)
  const count = async (): Promise<Refusal | undefined> => {
    mayCount = false
    // Before any of its text leaves, a prompt is announced.
    const refusal = await announce(exchange, services)
    if (refusal) return refusal
    const counted = await inputSizes.count(exchange, services, size)
    if (counted) {
      size = counted
      exchange.estimatedInput = counted.tokens
    }
    return undefined
  }
  try {
    if (mayCount && inputSizes.isWorthCounting(exchange, size, plan)) {
      const refusal = await count()
      if (refusal) return refusal
      plan = planFor(size.tokens)
    }
    let result = await reserve(exchange, services, plan)
    if (result.outcome === 'refused' && mayCount && fits(planFor(inputSizes.leastOf(size)), result.levels)) {
      const estimated = size.tokens
      const refusal = await count()
      if (refusal) return refusal
      if (size.tokens < estimated) {
        plan = planFor(size.tokens)
        result = await reserve(exchange, services, plan)
      }
    }
    exchange.limitHeaders = quotaHeaders(plan, result)
    if (result.outcome === 'refused') {
      const refusal = refusedBy(plan, result)
      services.telemetry.count('sallyport_quota_refusals_total', { limit: refusal.reason })
      return refusal
    }
    admit(exchange, services, plan, size)
    return undefined
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    services.telemetry.count('sallyport_store_failures_total', { operation: 'reserve' })
    return { code: 'quota_unavailable', reason: error.message }
  }
}

function reserve({ reservationId }: Exchange, { store }: Services, plan: QuotaPlan): Promise<ReserveResult> {
  return store.reserve(reservationId, plan.tenant, plan.meters, plan.amounts)
}

function admit(exchange: Exchange, services: Services, plan: QuotaPlan, size: InputSize): void {
  const { endpoint, reservationId } = exchange
  const reserved = endpoint.metered ? size.tokens : 0
  exchange.reservation = new Allotment(services.store, reservationId, plan, reserved)
  if (endpoint.metered && plan.inputLimit !== undefined) exchange.input = size
  services.leases.keep(exchange.reservation)
}

/** Whether there is room for so much on every limit, as they were a moment ago. */
function fits({ amounts }: QuotaPlan, levels: readonly LimitLevel[]): boolean {
  return amounts.every((amount, index) => amount <= (levels[index]?.remaining ?? 0))
}

function refusedBy(
  plan: QuotaPlan,
  { limitedBy, retryAfterMs }: Extract<ReserveResult, { outcome: 'refused' }>,
): Refusal & { readonly reason: string } {
  const charge = plan.charges[limitedBy]
  const name = charge?.limit.name ?? ''
  return {
    code: 'rate_limit_exceeded',
    message:
      charge?.kind === 'concurrent'
        ? `The limit "${name}" of requests at the same time is reached. Ask again when one of them has ended.`
        : `The limit "${name}" is used up. Wait as long as the retry-after header says.`,
    reason: name,
    headers: retryHeaders(retryAfterMs),
  }
}
