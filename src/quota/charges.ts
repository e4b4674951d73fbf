import type { Charge } from '../ports/state-store.ts'

const NAME = /^[\w.:%-]{1,256}$/
const MAX_ID_LENGTH = 256

/**
 * Checks what a store is given, the same for every store. Throws a RangeError, because a wrong charge is a bug: an
 * amount above its limit could never be admitted, and a key named twice would be checked twice against the same room.
 */
export function assertReservation(id: string, tenant: string, charges: readonly Charge[]): void {
  assertNames(id, tenant)
  let index = 0
  for (const { key, limit, windowMs, amount } of charges) {
    if (!NAME.test(key)) throw new RangeError('a quota key has 1 to 256 characters of [\\w.:%-]')
    if (!Number.isSafeInteger(windowMs) || windowMs < 1)
      throw new RangeError(`window of ${key} is not whole and positive`)
    if (!Number.isSafeInteger(limit)) throw new RangeError(`limit of ${key} is not a whole number`)
    if (!isAmount(amount) || amount > limit) throw new RangeError(`amount of ${key} is not between 0 and its limit`)
    for (let other = 0; other < index; other++) {
      if (charges[other]?.key === key) throw new RangeError(`${key} is charged twice`)
    }
    index += 1
  }
}

/** Checks the amounts of a settlement: whole and not negative. Throws a RangeError, as above. */
export function assertSettlement(id: string, tenant: string, amounts: readonly number[]): void {
  assertNames(id, tenant)
  if (!amounts.every(isAmount)) throw new RangeError('amounts to settle are whole and at least 0')
}

function assertNames(id: string, tenant: string): void {
  if (id.length === 0 || id.length > MAX_ID_LENGTH) throw new RangeError('a reservation id has 1 to 256 characters')
  if (!NAME.test(tenant)) throw new RangeError('a tenant has 1 to 256 characters of [\\w.:%-]')
}

function isAmount(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0
}
