import type { Clock } from '../../src/ports/clock.ts'
import type { LimitLevel, Meter, MeterUsage, ReserveResult, StateStore } from '../../src/ports/state-store.ts'
import { assertMeters, assertReservation, assertSettlement } from '../../src/quota/charges.ts'
import { LEASE_RETRY_MS, Leases } from '../../src/quota/leases.ts'
import { SlidingWindow, SUB_WINDOWS } from '../../src/quota/window.ts'
import type { KeptWindows } from './kept-windows.ts'
import { createSweeper } from './sweeper.ts'

/** How long a settled reservation is remembered, so that repeating its calls changes nothing. Covers any retry. */
const SETTLED_RECORD_MS = 30_000
/** Entries looked at, for each charge, to forget what is over: more than are added, so that memory follows use. */
const SWEPT_PER_CHARGE = 2

interface Reservation {
  readonly result: ReserveResult
  readonly takings: readonly Taking[]
  settled: boolean
  expiresAt: number
}

/** What a reservation took from one limit, and how that becomes the true amount. */
type Taking = (amount: number | undefined) => void

/** One limit of one principal. */
interface Gauge {
  /** Milliseconds until there is room for `amount`; 0: now. */
  waitFor(nowMs: number, amount: number): number
  take(id: string, nowMs: number, amount: number): Taking
  level(nowMs: number): LimitLevel
}

/**
 * Quotas of a single instance, in memory; with `kept`, windows outlive the process. Atomic because nothing in `reserve`
 * waits. Memory is bounded by the principals active within their longest window, and the reservations made within it:
 * every call forgets some of what is over.
 *
 * Counts in the time that never goes back, started at the wall clock's, so that setting the clock frees no quota.
 */
export function createEmbeddedStore(clock: Clock, kept?: KeptWindows): StateStore {
  const epoch = clock.now() - clock.monotonic()
  const windows = kept?.restore() ?? new Map<string, SlidingWindow>()
  const leases = new Map<string, Leases>()
  const reservations = new Map<string, Reservation>()
  const sweepWindows = createSweeper(windows, (window, now) => window.isOver(now))
  const sweepLeases = createSweeper(leases, (held, now) => held.count(now) === 0)
  const sweepReservations = createSweeper(reservations, (reservation, now) => reservation.expiresAt <= now)

  const now = () => Math.floor(epoch + clock.monotonic())

  function usageNow(tenant: string, meters: readonly Meter[]): MeterUsage[] {
    assertMeters(tenant, meters)
    const at = now()
    return meters.map(meter => {
      const name = counterName(tenant, meter)
      if (meter.lease) return { used: leases.get(name)?.count(at) ?? 0, resetMs: 0 }
      const window = windows.get(name)
      return { used: window?.total(at) ?? 0, resetMs: window?.resetMs(at) ?? 0 }
    })
  }

  function gaugeOf(tenant: string, meter: Meter): Gauge {
    const { limit, windowMs, lease } = meter
    const name = counterName(tenant, meter)
    return lease
      ? leaseGauge(
          limit,
          entryOf(leases, name, () => new Leases(windowMs)),
        )
      : windowGauge(
          limit,
          entryOf(windows, name, () => new SlidingWindow(windowMs)),
          window => kept?.changed(name, window),
        )
  }

  function reserveNow(id: string, tenant: string, meters: readonly Meter[], amounts: readonly number[]): ReserveResult {
    assertMeters(tenant, meters)
    assertReservation(id, meters, amounts)
    const at = now()
    sweepWindows(at, (meters.length + 1) * SWEPT_PER_CHARGE)
    sweepLeases(at, (meters.length + 1) * SWEPT_PER_CHARGE)
    sweepReservations(at, SWEPT_PER_CHARGE)
    const name = `${tenant} ${id}`
    const earlier = reservations.get(name)
    if (earlier !== undefined && earlier.expiresAt > at) return earlier.result

    const gauges = meters.map(meter => gaugeOf(tenant, meter))
    let retryAfterMs = 0
    let limitedBy = 0
    for (const [index, gauge] of gauges.entries()) {
      const wait = gauge.waitFor(at, amounts[index] as number)
      if (wait > retryAfterMs) [retryAfterMs, limitedBy] = [wait, index]
    }
    const levels = () => gauges.map(gauge => gauge.level(at))
    if (retryAfterMs > 0) return { outcome: 'refused', limitedBy, retryAfterMs, levels: levels() }

    const takings = gauges.map((gauge, index) => gauge.take(id, at, amounts[index] as number))
    const result = { outcome: 'granted', levels: levels() } as const
    reservations.set(name, { result, takings, settled: false, expiresAt: at + lifeOf(meters) })
    return result
  }

  function settleNow(id: string, tenant: string, amounts: readonly number[]): void {
    assertSettlement(id, tenant, amounts)
    const reservation = reservations.get(`${tenant} ${id}`)
    if (reservation === undefined || reservation.settled) return
    reservation.settled = true
    reservation.expiresAt = now() + SETTLED_RECORD_MS
    for (const [index, correct] of reservation.takings.entries()) correct(amounts[index])
  }

  function renewNow(id: string, tenant: string, meters: readonly Meter[]): void {
    const at = now()
    for (const meter of meters) {
      if (meter.lease) entryOf(leases, counterName(tenant, meter), () => new Leases(meter.windowMs)).take(id, at)
    }
    const reservation = reservations.get(`${tenant} ${id}`)
    if (reservation) reservation.expiresAt = Math.max(reservation.expiresAt, at + SETTLED_RECORD_MS)
  }

  return {
    reserve: async (id, tenant, meters, amounts) => reserveNow(id, tenant, meters, amounts),
    settle: async (id, tenant, amounts) => settleNow(id, tenant, amounts),
    renew: async (id, tenant, meters) => renewNow(id, tenant, meters),
    usage: async (tenant, meters) => usageNow(tenant, meters),
    ready: async () => true,
    close: async () => {
      kept?.close()
      windows.clear()
      leases.clear()
      reservations.clear()
    },
  }
}

function counterName(tenant: string, { key, windowMs }: Meter): string {
  return `${tenant} ${key} ${windowMs}`
}

function entryOf<T>(all: Map<string, T>, name: string, make: () => T): T {
  let found = all.get(name)
  if (found === undefined) {
    found = make()
    all.set(name, found)
  }
  return found
}

function windowGauge(limit: number, window: SlidingWindow, changed: (window: SlidingWindow) => void): Gauge {
  return {
    waitFor: (at, amount) => window.waitFor(at, limit - amount),
    take(_, at, amount) {
      const subWindow = window.add(at, amount)
      if (amount > 0) changed(window)
      return settled => {
        const delta = (settled ?? amount) - amount
        if (delta !== 0 && window.adjust(subWindow, delta)) changed(window)
      }
    },
    level: at => ({ remaining: Math.max(0, limit - window.total(at)), resetMs: window.resetMs(at) }),
  }
}

function leaseGauge(limit: number, leases: Leases): Gauge {
  return {
    waitFor: (at, amount) => (leases.count(at) + amount > limit ? LEASE_RETRY_MS : 0),
    take(id, at, amount) {
      if (amount > 0) leases.take(id, at)
      return () => leases.free(id)
    },
    level: at => ({ remaining: Math.max(0, limit - leases.count(at)), resetMs: 0 }),
  }
}

/** An unsettled reservation is remembered for as long as any of its charges counts. */
function lifeOf(meters: readonly Meter[]): number {
  const longest = meters.reduce((most, { windowMs }) => Math.max(most, windowMs), 0)
  return Math.max(SETTLED_RECORD_MS, Math.ceil(longest + longest / SUB_WINDOWS))
}
