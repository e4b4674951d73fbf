import { UNBOUNDED_OUTPUT_TOKENS } from '../config/limits.ts'
import type { Refusal } from '../errors/refusal.ts'
import { StoreUnavailableError } from '../ports/state-store.ts'
import { largestOutput } from '../quota/estimate.ts'
import { quotaHeaders, retryHeaders } from '../quota/headers.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'

/**
 * Is there enough left? Reserves the prompt and the longest answer on every limit that applies, all or none, in one round
 * trip. Sets `reservation` and `limitHeaders`. A store that does not answer in time: not admitted.
 */
export async function reserveQuota(exchange: Exchange, services: Services): Promise<Refusal | undefined> {
  const { principal, model, body, endpoint } = exchange
  if (!principal || !model || !body) throw new Error('reserveQuota runs behind authoriseModel')
  if (services.config.quotas.length === 0) return undefined
  const prompts = Array.isArray(body.fields['prompt']) ? body.fields['prompt'].length : 1
  const output =
    endpoint.outputFields.length > 0
      ? prompts * largestOutput(body.fields, model.maxOutputTokens ?? UNBOUNDED_OUTPUT_TOKENS)
      : 0
  const plan = services.planQuota(principal, model.id, endpoint.metered ? exchange.estimatedInput + output : 0)
  if (plan.meters.length === 0) return undefined
  try {
    const result = await services.store.reserve(exchange.reservationId, plan.tenant, plan.meters, plan.amounts)
    exchange.limitHeaders = quotaHeaders(plan, result)
    if (result.outcome === 'granted') {
      exchange.reservation = plan
      return undefined
    }
    const limit = plan.limits[result.limitedBy] ?? ''
    return {
      code: 'rate_limit_exceeded',
      message: `The limit "${limit}" is used up. Wait as long as the retry-after header says.`,
      reason: limit,
      headers: retryHeaders(result.retryAfterMs),
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    services.telemetry.count('sallyport_store_failures_total', { operation: 'reserve' })
    return { code: 'quota_unavailable', reason: error.message }
  }
}
