import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEmbeddedStore } from '../../adapters/embedded/state-store.ts'
import { nodeHashing } from '../../adapters/node/hashing.ts'
import { Allotment } from '../../src/quota/allotment.ts'
import { LEAST_PART, LearnedInput } from '../../src/quota/learned-input.ts'
import { createQuotaPlanner } from '../../src/quota/plan.ts'

/** What a prompt is in truth, as a part of its safe estimate: from a caller who trains the estimate as he likes. */
const ratio = fc.oneof(fc.double({ min: 0.05, max: 1, noNaN: true }), fc.constantFrom(0.05, 1))

test('whatever was learnt, a reservation falls short by half of the safe estimate at most, and all of it is charged', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(ratio, { minLength: 64, maxLength: 200 }),
      fc.integer({ min: 40, max: 5000 }),
      async (ratios, safe) => {
        const clock = { now: () => 1_000_000, monotonic: () => 0 }
        const store = createEmbeddedStore(clock)
        const limit = 1_000_000
        const planQuota = createQuotaPlanner(
          [{ name: 'input', per: ['team'], inputTokens: limit, windowMs: 60_000 }],
          nodeHashing,
        )
        const caller = { team: 'blue', app: 'a', env: 'e', tokenId: 't' }
        const learned = new LearnedInput(4)
        const prompt = { safe, characters: 3 * safe, surplus: 'none' } as const
        let charged = 0
        for (const [index, part] of ratios.entries()) {
          const tokens = learned.tokens('m', 'blue', prompt) ?? safe
          const actual = Math.ceil(safe * part)
          const plan = planQuota(caller, 'm', { inputTokens: tokens, outputTokens: 0 }, '127.0.0.1')
          const id = `r${index}`
          const result = await store.reserve(id, plan.tenant, plan.meters, plan.amounts)
          if (result.outcome === 'refused') {
            // No room for what it is taken to have, which is never more than a tenth above the safe estimate.
            expect(charged + 1.1 * safe + 1).toBeGreaterThan(limit)
            break
          }
          expect(actual - tokens).toBeLessThanOrEqual(safe * (1 - LEAST_PART))
          const use = { inputTokens: actual, outputTokens: 0 }
          for (const one of await new Allotment(store, id, plan, tokens).settlements(use)) {
            await store.settle(one.id, plan.tenant, one.amounts)
          }
          charged += actual
          learned.learn('m', 'blue', prompt, actual)
          const [level] = await store.usage(plan.tenant, plan.meters)
          expect(level?.used).toBe(charged)
        }
        await store.close()
      },
    ),
    { numRuns: 40 },
  )
})
