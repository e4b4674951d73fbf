import type { StateStore } from '../ports/state-store.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Allotment } from './allotment.ts'
import { LEASE_RENEWAL_MS } from './leases.ts'

/** Renews what running requests hold, for as long as there are any. */
export class LeaseKeeper {
  private readonly held = new Set<Allotment>()
  private readonly store: StateStore
  private readonly telemetry: Telemetry
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(store: StateStore, telemetry: Telemetry) {
    this.store = store
    this.telemetry = telemetry
  }

  keep(allotment: Allotment): void {
    if (allotment.plan.leases === undefined) return
    this.held.add(allotment)
    this.timer ??= setInterval(() => this.renew(), LEASE_RENEWAL_MS)
  }

  /** Before it is settled: a renewal that comes later would hold the leases again. */
  letGo(allotment: Allotment): void {
    if (!this.held.delete(allotment) || this.held.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  private renew(): void {
    for (const { id, plan } of this.held) {
      // A renewal that is lost is followed by another one before the lease ends.
      this.store.renew(id, plan.tenant, plan.leases ?? []).catch(() => {
        this.telemetry.count('sallyport_store_failures_total', { operation: 'renew' })
      })
    }
  }
}
