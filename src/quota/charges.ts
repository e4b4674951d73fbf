import type { Meter } from '../ports/state-store.ts'

const NAME = /^[\w.:%-]{1,256}$/
const MAX_ID_LENGTH = 256

/**
 * Checks what a store is given, the same for every store, once for each list of meters. Throws a RangeError, because a
 * wrong one is a bug: a key named twice would be checked twice against the same room.
 */
export function assertMeters(tenant: string, meters: readonly Meter[]): void {
  if (!NAME.test(tenant)) throw new RangeError('a tenant has 1 to 256 characters of [\\w.:%-]')
  const keys = new Set<string>()
  for (const { key, limit, windowMs } of meters) {
    if (!NAME.test(key)) throw new RangeError('a quota key has 1 to 256 characters of [\\w.:%-]')
    if (keys.has(key)) throw new RangeError(`${key} is charged twice`)
    keys.add(key)
    if (!Number.isSafeInteger(windowMs) || windowMs < 1)
      throw new RangeError(`window of ${key} is not whole and positive`)
    if (!Number.isSafeInteger(limit)) throw new RangeError(`limit of ${key} is not a whole number`)
  }
}

/** Checks the amounts of a reservation. Throws a RangeError: one above its limit could never be admitted. */
export function assertReservation(id: string, meters: readonly Meter[], amounts: readonly number[]): void {
  assertId(id)
  if (amounts.length !== meters.length) throw new RangeError('a reservation has one amount for each meter')
  for (let index = 0; index < meters.length; index++) {
    const { key, limit, lease } = meters[index] as Meter
    const amount = amounts[index] as number
    if (lease && amount > 1) throw new RangeError(`a reservation holds one unit of ${key} at most`)
    if (!isAmount(amount) || amount > limit) throw new RangeError(`amount of ${key} is not between 0 and its limit`)
  }
}

/** Checks a settlement: its amounts are whole and not negative. Throws a RangeError, as above. */
export function assertSettlement(id: string, tenant: string, amounts: readonly number[]): void {
  assertId(id)
  if (!NAME.test(tenant)) throw new RangeError('a tenant has 1 to 256 characters of [\\w.:%-]')
  if (!amounts.every(isAmount)) throw new RangeError('amounts to settle are whole and at least 0')
}

function assertId(id: string): void {
  if (id.length === 0 || id.length > MAX_ID_LENGTH) throw new RangeError('a reservation id has 1 to 256 characters')
}

function isAmount(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0
}
