import type { Clock } from '../../src/ports/clock.ts'
import type { LimitLevel, Meter, MeterUsage, ReserveResult, StateStore } from '../../src/ports/state-store.ts'
import { assertMeters, assertReservation, assertSettlement } from '../../src/quota/charges.ts'
import { SlidingWindow, SUB_WINDOWS } from '../../src/quota/window.ts'
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

interface Taking {
  readonly window: SlidingWindow
  readonly subWindow: number
  readonly amount: number
}

/**
 * Quotas of a single instance, in memory. Atomic because nothing in `reserve` waits. Memory is bounded by the principals
 * active within their longest window, and the reservations made within it: every call forgets some of what is over.
 *
 * Counts in the time that never goes back, started at the wall clock's, so that setting the clock frees no quota.
 */
export function createEmbeddedStore(clock: Clock): StateStore {
  const epoch = clock.now() - clock.monotonic()
  const windows = new Map<string, SlidingWindow>()
  const reservations = new Map<string, Reservation>()
  const sweepWindows = createSweeper(windows, (window, now) => window.isOver(now))
  const sweepReservations = createSweeper(reservations, (reservation, now) => reservation.expiresAt <= now)

  const now = () => Math.floor(epoch + clock.monotonic())

  function usageNow(tenant: string, meters: readonly Meter[]): MeterUsage[] {
    assertMeters(tenant, meters)
    const at = now()
    return meters.map(meter => {
      const window = windows.get(windowName(tenant, meter))
      return { used: window?.total(at) ?? 0, resetMs: window?.resetMs(at) ?? 0 }
    })
  }

  function windowOf(tenant: string, { key, windowMs }: Meter): SlidingWindow {
    const name = windowName(tenant, { key, windowMs })
    let window = windows.get(name)
    if (window === undefined) {
      window = new SlidingWindow(windowMs)
      windows.set(name, window)
    }
    return window
  }

  function reserveNow(id: string, tenant: string, meters: readonly Meter[], amounts: readonly number[]): ReserveResult {
    assertMeters(tenant, meters)
    assertReservation(id, meters, amounts)
    const at = now()
    sweepWindows(at, (meters.length + 1) * SWEPT_PER_CHARGE)
    sweepReservations(at, SWEPT_PER_CHARGE)
    const name = `${tenant} ${id}`
    const earlier = reservations.get(name)
    if (earlier !== undefined && earlier.expiresAt > at) return earlier.result

    const charges = meters.map((meter, index) => ({
      limit: meter.limit,
      window: windowOf(tenant, meter),
      amount: amounts[index] as number,
    }))
    let retryAfterMs = 0
    let limitedBy = 0
    for (const [index, { limit, window, amount }] of charges.entries()) {
      const wait = window.waitFor(at, limit - amount)
      if (wait > retryAfterMs) [retryAfterMs, limitedBy] = [wait, index]
    }
    const levels = () => charges.map(({ limit, window }) => level(limit, window, at))
    if (retryAfterMs > 0) return { outcome: 'refused', limitedBy, retryAfterMs, levels: levels() }

    const takings = charges.map(({ window, amount }) => ({ window, subWindow: window.add(at, amount), amount }))
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
    for (const [index, { window, subWindow, amount }] of reservation.takings.entries()) {
      window.adjust(subWindow, (amounts[index] ?? amount) - amount)
    }
  }

  return {
    reserve: async (id, tenant, meters, amounts) => reserveNow(id, tenant, meters, amounts),
    settle: async (id, tenant, amounts) => settleNow(id, tenant, amounts),
    usage: async (tenant, meters) => usageNow(tenant, meters),
    ready: async () => true,
    close: async () => {
      windows.clear()
      reservations.clear()
    },
  }
}

function windowName(tenant: string, { key, windowMs }: Pick<Meter, 'key' | 'windowMs'>): string {
  return `${tenant} ${key} ${windowMs}`
}

function level(limit: number, window: SlidingWindow, at: number): LimitLevel {
  return { remaining: Math.max(0, limit - window.total(at)), resetMs: window.resetMs(at) }
}

/** An unsettled reservation is remembered for as long as any of its charges counts. */
function lifeOf(meters: readonly Meter[]): number {
  const longest = meters.reduce((most, { windowMs }) => Math.max(most, windowMs), 0)
  return Math.max(SETTLED_RECORD_MS, Math.ceil(longest + longest / SUB_WINDOWS))
}
