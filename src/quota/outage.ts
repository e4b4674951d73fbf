import { Breaker } from '../breaker.ts'
import { STORE_BREAKER_PAUSE_MS } from '../config/limits.ts'
import type { Clock } from '../ports/clock.ts'
import { type Meter, type ReserveResult, type StateStore, StoreUnavailableError } from '../ports/state-store.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import { OutageLedger } from './outage-ledger.ts'

export interface OutageOptions {
  readonly store: StateStore
  /** Counts what is `local` while the store is away: this instance alone. */
  readonly local: StateStore
  /** Gateways that share the store: each has this part of a local limit. */
  readonly instances: () => number
  /** Every limit lets something in without the store: the instance is ready even so. */
  readonly tolerates: () => boolean
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/** What a request takes without the store: the meters that count here, with this instance's share. */
interface Share {
  readonly meters: readonly Meter[]
  /** Where each of them stood among the request's own. */
  readonly places: readonly number[]
}

/**
 * A store that may be away. Each limit says what that means: a request with any limit that denies is refused, as without
 * this; limits that are `local` are counted by this instance alone, in its share; those that allow are not counted. What
 * was let in meanwhile is charged back when the store answers again. A breaker keeps requests from waiting for a store that is
 * known to be away, and lets one through now and then to see.
 */
export function withOutageModes({ store, local, instances, tolerates, clock, telemetry }: OutageOptions): StateStore {
  const breaker = new Breaker(STORE_BREAKER_PAUSE_MS)
  const ledger = new OutageLedger(store, clock, telemetry)
  const shares = new WeakMap<readonly Meter[], Share>()
  /** What was let in without the store and is still running. */
  const admitted = new Map<string, { readonly meters: readonly Meter[]; readonly share: Share }>()
  const nameOf = (id: string, tenant: string) => `${tenant} ${id}`

  async function calling<T>(call: () => Promise<T>): Promise<T> {
    if (!breaker.admits(clock.monotonic())) throw new StoreUnavailableError('the store is away')
    const wasOpen = breaker.open
    try {
      const result = await call()
      breaker.answered()
      if (wasOpen) telemetry.log('info', 'store_back')
      ledger.chargeBack()
      return result
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) {
        breaker.abandoned()
        throw error
      }
      breaker.failed(clock.monotonic())
      if (breaker.open && !wasOpen) telemetry.log('warn', 'store_away', { reason: error.message })
      throw error
    }
  }

  function shareOf(meters: readonly Meter[]): Share {
    const known = shares.get(meters)
    if (known) return known
    const places = meters.flatMap(({ onOutage }, place) => (onOutage === 'local' ? [place] : []))
    const share = {
      places,
      meters: places.map(place => {
        const meter = meters[place] as Meter
        return { ...meter, limit: Math.max(1, Math.floor(meter.limit / instances())) }
      }),
    }
    shares.set(meters, share)
    return share
  }

  async function admit(
    id: string,
    tenant: string,
    meters: readonly Meter[],
    amounts: readonly number[],
  ): Promise<ReserveResult> {
    const share = shareOf(meters)
    const own = share.meters.map(({ limit }, index) => Math.min(amounts[share.places[index] as number] ?? 0, limit))
    const result = await local.reserve(id, tenant, share.meters, own)
    telemetry.count('sallyport_store_outage_decisions_total', { outcome: result.outcome })
    if (result.outcome === 'granted') admitted.set(nameOf(id, tenant), { meters, share })
    const levels = meters.map(({ limit }) => ({ remaining: limit, resetMs: 0 }))
    for (const [index, place] of share.places.entries())
      levels[place] = result.levels[index] ?? { remaining: 0, resetMs: 0 }
    return result.outcome === 'granted'
      ? { outcome: 'granted', levels }
      : { ...result, limitedBy: share.places[result.limitedBy] ?? 0, levels }
  }

  return {
    async reserve(id, tenant, meters, amounts) {
      try {
        return await calling(() => store.reserve(id, tenant, meters, amounts))
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || meters.some(({ onOutage }) => !onOutage)) throw error
        return admit(id, tenant, meters, amounts)
      }
    },

    async settle(id, tenant, amounts) {
      const name = nameOf(id, tenant)
      const here = admitted.get(name)
      if (!here) return calling(() => store.settle(id, tenant, amounts))
      admitted.delete(name)
      ledger.add(tenant, here.meters, amounts)
      await local.settle(
        id,
        tenant,
        here.share.places.map(place => amounts[place] ?? 0),
      )
    },

    async renew(id, tenant, meters) {
      const here = admitted.get(nameOf(id, tenant))
      if (!here) return calling(() => store.renew(id, tenant, meters))
      await local.renew(id, tenant, here.share.meters)
      // Once the store is back, what runs counts there too; it is let go of when its time is over.
      await calling(() => store.renew(id, tenant, meters)).catch(() => undefined)
    },

    usage: (tenant, meters) => calling(() => store.usage(tenant, meters)),

    ready: async () => (await store.ready()) || tolerates(),

    async close() {
      await local.close()
      await store.close()
    },
  }
}
