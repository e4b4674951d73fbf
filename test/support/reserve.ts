import type { Meter, ReserveResult, StateStore } from '../../src/ports/state-store.ts'

/** A meter and what is taken from it. */
export type Charge = Meter & { readonly amount: number }

/** Reserves amounts that stand beside their meters. */
export function reserveCharges(
  store: StateStore,
  id: string,
  tenant: string,
  charges: readonly Charge[],
): Promise<ReserveResult> {
  const amounts = charges.map(({ amount }) => amount)
  const meters = charges.map(({ key, limit, windowMs, lease }) => ({ key, limit, windowMs, ...(lease && { lease }) }))
  return store.reserve(id, tenant, meters, amounts)
}
