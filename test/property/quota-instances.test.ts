import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEmbeddedStore } from '../../adapters/embedded/state-store.ts'
import { nodeHashing } from '../../adapters/node/hashing.ts'
import { Allotment } from '../../src/quota/allotment.ts'
import { LEASE_MS, LEASE_RENEWAL_MS } from '../../src/quota/leases.ts'
import type { QuotaLimit } from '../../src/quota/limit.ts'
import { createQuotaPlanner } from '../../src/quota/plan.ts'

/**
 * Several instances of the gateway that share a store, some of which are killed, against an exact log of what was
 * admitted: the whole life of requests, from the reservation over extensions to the settlement.
 */

const WINDOW_MS = 6000
const STRICTNESS_MS = WINDOW_MS / 60
const INSTANCES = 3

interface Entry {
  readonly at: number
  tokens: number
}

interface Running {
  readonly instance: number
  readonly allotment: Allotment
  readonly reserved: Entry
  readonly extensions: Entry[]
  renewedAt: number
}

/** What the limits may count of the past at a moment: exactly, and as strictly as a sliding window is allowed to. */
function within(entries: readonly Entry[], now: number, reachMs: number): number {
  return entries.reduce((sum, { at, tokens }) => (at > now - reachMs || at === now ? sum + tokens : sum), 0)
}

const instance = fc.nat(INSTANCES - 1)
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), instance, input: fc.nat(40), output: fc.nat(80) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('extend' as const), which: fc.nat(9) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(9), factor: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), instance }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.oneof(fc.nat(100), fc.nat(4000)) }) },
)

test('requests of several instances stay within the limits, nothing leaks, and debt counts', async () => {
  const seen = { refused: 0, extended: 0, debt: 0, leases: 0, killed: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.record({ tokens: fc.integer({ min: 20, max: 400 }), concurrent: fc.integer({ min: 1, max: 4 }) }),
      fc.array(step, { maxLength: 80, size: 'max' }),
      async ({ tokens, concurrent }, steps) => {
        let time = 1_790_000_000_000
        const store = createEmbeddedStore({ now: () => time, monotonic: () => time })
        const limit: QuotaLimit = { name: 'team', per: ['team'], tokens, concurrent, windowMs: WINDOW_MS }
        // Each instance plans for itself: meters are the same by what they say alone.
        const planners = Array.from({ length: INSTANCES }, () => createQuotaPlanner([limit], nodeHashing))
        const caller = { team: 'search', app: 'web', env: 'test', tokenId: 'tok' }
        const log: Entry[] = []
        let running: Running[] = []
        /** Ends of the leases of requests whose instance was killed. */
        let orphans: number[] = []
        let lastId = 0

        async function pass(ms: number) {
          for (let left = ms; left > 0; ) {
            const beat = Math.min(left, LEASE_RENEWAL_MS)
            time += beat
            left -= beat
            for (const each of running) {
              if (time - each.renewedAt < LEASE_RENEWAL_MS) continue
              const { id, plan } = each.allotment
              await store.renew(id, plan.tenant, plan.leases ?? [])
              each.renewedAt = time
            }
          }
          orphans = orphans.filter(until => until > time)
        }

        async function ask(at: number, input: number, output: number) {
          const planner = planners[at] as (typeof planners)[number]
          const plan = planner(caller, 'llama', { inputTokens: input, outputTokens: output }, '::1')
          const id = `r${++lastId}`
          const result = await store.reserve(id, plan.tenant, plan.meters, plan.amounts)
          const amount = plan.amounts[0] ?? 0
          const holders = running.length + orphans.length
          if (result.outcome === 'granted') {
            expect(within(log, time, WINDOW_MS) + amount).toBeLessThanOrEqual(tokens)
            expect(holders).toBeLessThan(concurrent)
            const reserved = { at: time, tokens: amount }
            log.push(reserved)
            const allotment = new Allotment(store, id, plan, input)
            running.push({ instance: at, allotment, reserved, extensions: [], renewedAt: time })
            return
          }
          seen.refused++
          const lacksTokens = within(log, time, WINDOW_MS + STRICTNESS_MS) + amount > tokens
          if (holders >= concurrent) seen.leases++
          expect(lacksTokens || holders >= concurrent).toBe(true)
          if (!lacksTokens) expect(result).toMatchObject({ limitedBy: 1, retryAfterMs: 1000 })
        }

        async function extend(each: Running) {
          const extension = await each.allotment.extend()
          if (extension === 'granted') {
            seen.extended++
            const step = { at: time, tokens: Math.min(256, tokens) }
            expect(within(log, time, WINDOW_MS) + step.tokens).toBeLessThanOrEqual(tokens)
            log.push(step)
            each.extensions.push(step)
          } else {
            expect(extension).toBe('debt')
            expect(within(log, time, WINDOW_MS + STRICTNESS_MS) + Math.min(256, tokens)).toBeGreaterThan(tokens)
          }
        }

        async function end(each: Running, factor: number) {
          running = running.filter(other => other !== each)
          const used = Math.round((each.reserved.tokens * factor) / 100)
          for (const { id, amounts } of await each.allotment.settlements({ inputTokens: used, outputTokens: 0 })) {
            await store.settle(id, each.allotment.plan.tenant, amounts)
          }
          let rest = used
          const all = [each.reserved, ...each.extensions]
          for (const [index, entry] of all.entries()) {
            const part = index === all.length - 1 ? rest : Math.min(rest, entry.tokens)
            if (part > entry.tokens) seen.debt++
            entry.tokens = part
            rest -= part
          }
        }

        for (const each of steps) {
          if (each.kind === 'pass') await pass(each.ms)
          else if (each.kind === 'ask') await ask(each.instance, each.input, each.output)
          else if (each.kind === 'kill') {
            const dead = running.filter(({ instance: of }) => of === each.instance)
            if (dead.length > 0) seen.killed++
            running = running.filter(({ instance: of }) => of !== each.instance)
            orphans.push(...dead.map(({ renewedAt }) => renewedAt + LEASE_MS))
          } else {
            const target = running[each.which % (running.length || 1)]
            if (!target) continue
            if (each.kind === 'extend') await extend(target)
            else await end(target, each.factor)
          }
        }

        // When everybody has gone and time has passed, all of it is there again.
        for (const each of running) await end(each, 100)
        await pass(LEASE_MS + WINDOW_MS + STRICTNESS_MS)
        const plan = planners[0]?.(caller, 'llama', { inputTokens: 0, outputTokens: 0 }, '::1')
        const look = plan && (await store.reserve('look', plan.tenant, plan.meters, [0, 0]))
        expect(look?.levels.map(({ remaining }) => remaining)).toEqual([tokens, concurrent])
      },
    ),
    { numRuns: 400 },
  )
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(20)
}, 120_000)
