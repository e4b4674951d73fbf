import type { Clock } from '../ports/clock.ts'
import type { Meter, StateStore } from '../ports/state-store.ts'
import type { Telemetry } from '../ports/telemetry.ts'

/** Limits of principals that are remembered: one is about 300 bytes. What does not fit is forgiven, and counted. */
const MAX_ENTRIES = 50_000
/** No limit: what is charged back has been used, whether or not there was room. */
const WHATEVER_THERE_IS = Number.MAX_SAFE_INTEGER

interface Entry {
  readonly tenant: string
  readonly meter: Meter
  amount: number
  usedAtMs: number
}

/**
 * What was used while the store was away, added up by limit and principal, until it can be charged. It is charged when the
 * store is back, hence later than it was used: on the strict side.
 */
export class OutageLedger {
  private readonly entries = new Map<string, Entry>()
  private readonly store: StateStore
  private readonly clock: Clock
  private readonly telemetry: Telemetry
  private charging = false

  constructor(store: StateStore, clock: Clock, telemetry: Telemetry) {
    this.store = store
    this.clock = clock
    this.telemetry = telemetry
  }

  add(tenant: string, meters: readonly Meter[], amounts: readonly number[]): void {
    for (const [index, meter] of meters.entries()) {
      const amount = amounts[index] ?? 0
      if (meter.lease || amount === 0) continue
      const name = `${tenant} ${meter.key} ${meter.windowMs}`
      const entry = this.entries.get(name)
      const usedAtMs = this.clock.monotonic()
      if (entry) {
        entry.amount += amount
        entry.usedAtMs = usedAtMs
      } else if (this.entries.size < MAX_ENTRIES) {
        this.entries.set(name, { tenant, meter, amount, usedAtMs })
      } else {
        this.telemetry.count('sallyport_store_outage_forgiven_total')
      }
    }
  }

  /** Begins to charge what there is, one entry after the other; what fails stays for the next time. */
  chargeBack(): void {
    if (this.charging || this.entries.size === 0) return
    this.charging = true
    void this.chargeAll().finally(() => {
      this.charging = false
    })
  }

  private async chargeAll(): Promise<void> {
    for (const [name, { tenant, meter, amount, usedAtMs }] of this.entries) {
      this.entries.delete(name)
      // What was used a window ago counts no more.
      if (this.clock.monotonic() - usedAtMs > meter.windowMs) continue
      try {
        const id = `charge-back:${crypto.randomUUID()}`
        await this.store.reserve(id, tenant, [{ ...meter, limit: WHATEVER_THERE_IS }], [0])
        await this.store.settle(id, tenant, [amount])
        this.telemetry.count('sallyport_store_outage_charged_back_total', undefined, amount)
      } catch {
        // A charge that was made although no answer came is made twice: on the strict side.
        this.add(tenant, [meter], [amount])
        return
      }
    }
  }
}
