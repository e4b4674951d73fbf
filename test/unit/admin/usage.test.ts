import { expect, test } from 'vitest'
import { systemClock } from '../../../adapters/node/clock.ts'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import type { AdminServices } from '../../../src/admin/services.ts'
import { SHOW_USAGE } from '../../../src/admin/usage.ts'
import type { QuotaLimit } from '../../../src/quota/limit.ts'
import { createQuotaPlanner } from '../../../src/quota/plan.ts'
import { UsageTotals } from '../../../src/quota/usage-totals.ts'

const WINDOW = { windowMs: 60_000, requests: 10, tokens: 1000 } as const

type Limit = Pick<QuotaLimit, 'per' | 'match'>

/** What the route needs of a gateway with ten thousand tokens of twenty teams, and six models. */
function servicesFor(limits: readonly Limit[]): AdminServices {
  const quotas = limits.map((limit, index) => ({ name: `q${index}`, ...WINDOW, ...limit }))
  const tokens = Array.from({ length: 10_000 }, (_, at) => ({
    tokenId: `t${at}`,
    team: `team${at % 20}`,
    app: `app${at % 5}`,
    env: 'e',
  }))
  return {
    clock: systemClock,
    config: { quotas, models: Array.from({ length: 6 }, (_, at) => ({ id: `m${at}` })) },
    planQuota: createQuotaPlanner(quotas, nodeHashing),
    registry: { list: async () => tokens },
    totals: new UsageTotals(0, 10),
    store: { usage: async (_: string, meters: readonly object[]) => meters.map(() => ({ used: 1, resetMs: 1 })) },
  } as unknown as AdminServices
}

async function usageOf(services: AdminServices) {
  const call = { params: {}, query: {}, body: undefined, by: undefined }
  const result = await SHOW_USAGE.run(call as never, services)
  if (!result.ok) throw new Error(result.refusal.code)
  return result.value as { readonly limits: readonly object[]; readonly complete: boolean }
}

const SHARED: readonly Limit[] = [{ per: ['team'] }, { per: ['team', 'app'] }, { per: ['team', 'model'] }]

test('requests go on while the windows of many tokens and models are looked for', async () => {
  const services = servicesFor([...SHARED, { per: ['token'], match: { team: ['another'] } }])
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  })
  const { limits, complete } = await usageOf(services)
  longest = Math.max(longest, performance.now() - last)
  clearInterval(timer)
  // Of each team one window, one with its one application, and one for each model; requests and tokens.
  expect([limits.length, complete]).toEqual([2 * 20 * (1 + 1 + 6), true])
  expect(longest).toBeLessThan(500)
})

test('tokens of one application are looked at once where no limit tells them apart', async () => {
  const services = servicesFor(SHARED)
  let planned = 0
  const planQuota: AdminServices['planQuota'] = (...of) => {
    planned++
    return services.planQuota(...of)
  }
  const { limits, complete } = await usageOf({ ...services, planQuota })
  expect([limits.length, complete, planned]).toEqual([2 * 20 * (1 + 1 + 6), true, 20 * 6])
})

test('with more windows than are shown, nothing more is looked for', async () => {
  const services = servicesFor([{ per: ['token', 'model'] }])
  let planned = 0
  const planQuota: AdminServices['planQuota'] = (...of) => {
    planned++
    return services.planQuota(...of)
  }
  const { limits, complete } = await usageOf({ ...services, planQuota })
  expect([limits.length, complete]).toEqual([1000, false])
  expect(planned).toBe(501)
})
