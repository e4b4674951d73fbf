import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createEmbeddedStore } from '../../../adapters/embedded/state-store.ts'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import type { StateStore } from '../../../src/ports/state-store.ts'
import { StoreUnavailableError } from '../../../src/ports/state-store.ts'
import { Allotment } from '../../../src/quota/allotment.ts'
import { LeaseKeeper } from '../../../src/quota/lease-keeper.ts'
import { LEASE_MS } from '../../../src/quota/leases.ts'
import type { QuotaLimit } from '../../../src/quota/limit.ts'
import { createQuotaPlanner } from '../../../src/quota/plan.ts'

const caller = { team: 'search', app: 'web', env: 'production', tokenId: 'tok_1' }
const minute: QuotaLimit = { name: 'minute', per: ['team'], tokens: 1000, windowMs: 60_000 }
const silent = { log() {}, count() {} }

let time: number
let store: StateStore
beforeEach(() => {
  time = 1_790_000_000_000
  store = createEmbeddedStore({ now: () => time, monotonic: () => time })
})

async function take(limits: readonly QuotaLimit[], id: string, inputTokens: number, outputTokens: number) {
  const plan = createQuotaPlanner(limits, nodeHashing)(caller, 'llama', { inputTokens, outputTokens }, '::1')
  const result = await store.reserve(id, plan.tenant, plan.meters, plan.amounts)
  return { plan, result, allotment: new Allotment(store, id, plan, inputTokens) }
}

async function settle(allotment: Allotment, inputTokens: number, outputTokens: number) {
  for (const { id, amounts } of await allotment.settlements({ inputTokens, outputTokens })) {
    await store.settle(id, allotment.plan.tenant, amounts)
  }
}

const left = async (limits: readonly QuotaLimit[]) => (await take(limits, `look-${++time}`, 0, 0)).result.levels

describe('an answer that outruns its reservation', () => {
  test('covers what every limit has set aside', async () => {
    expect((await take([minute], 'a', 100, 300)).allotment.covered).toBe(300)
    const weighed = { ...minute, name: 'weighed', weigh: { input: 1, output: 4 }, outputTokens: 50 }
    expect((await take([weighed], 'b', 100, 40)).allotment.covered).toBe(40)
    const small = { ...minute, name: 'small', tokens: 200 }
    expect((await take([small], 'c', 150, 300)).allotment.covered).toBe(50)
    expect((await take([{ name: 'rate', per: [], requests: 5, windowMs: 1000 }], 'd', 1, 1)).allotment.covered).toBe(
      Number.POSITIVE_INFINITY,
    )
  })

  test('takes more in steps, asks once at a time, and settles to what was used', async () => {
    const { allotment } = await take([minute], 'a', 100, 100)
    const first = allotment.extend()
    expect(allotment.extend()).toBeUndefined()
    expect(await first).toBe('granted')
    expect(allotment.covered).toBe(356)
    expect(await left([minute])).toMatchObject([{ remaining: 544 }])
    expect(await allotment.extend()).toBe('granted')
    await settle(allotment, 110, 390)
    expect(await left([minute])).toMatchObject([{ remaining: 500 }])
  })

  test('what was extended and not used is given back', async () => {
    const { allotment } = await take([minute], 'a', 100, 100)
    await allotment.extend()
    await settle(allotment, 20, 30)
    expect(await left([minute])).toMatchObject([{ remaining: 950 }])
  })

  test('an extension is asked for once a request at the same time, and counts as no request', async () => {
    const busy: QuotaLimit = { ...minute, requests: 1, concurrent: 1 }
    const { allotment } = await take([busy], 'a', 100, 100)
    expect(await allotment.extend()).toBe('granted')
    await settle(allotment, 100, 200)
    time += 61_001
    expect(await left([busy])).toMatchObject([{ remaining: 1000 }, { remaining: 0 }, { remaining: 0 }])
  })

  test('with nothing left it goes on in debt, which is never forgiven', async () => {
    await take([minute], 'other', 0, 700)
    const { allotment } = await take([minute], 'a', 100, 100)
    expect(await allotment.extend()).toBe('debt')
    expect(allotment.covered).toBe(Number.POSITIVE_INFINITY)
    await settle(allotment, 100, 900)
    const { result } = await take([minute], 'next', 1, 0)
    expect(result).toMatchObject({ outcome: 'refused', levels: [{ remaining: 0 }] })
  })

  test('a limit that cuts ends it, unless another one is what is lacking', async () => {
    const cutting: QuotaLimit = { ...minute, onExhausted: 'cut' }
    const other: QuotaLimit = { ...minute, name: 'other', tokens: 200 }
    await take([cutting], 'other', 0, 700)
    expect(await (await take([cutting], 'a', 100, 100)).allotment.extend()).toBe('cut')
    expect(await (await take([{ ...cutting, name: 'fresh' }, other], 'b', 100, 100)).allotment.extend()).toBe('debt')
  })

  test('a store that is away costs nobody an answer', async () => {
    const { plan } = await take([{ ...minute, onExhausted: 'cut' }], 'a', 100, 100)
    const away = { ...store, reserve: () => Promise.reject(new StoreUnavailableError('away')) }
    expect(await new Allotment(away, 'a', plan, 100).extend()).toBe('debt')
  })

  test('settling waits for an extension that is on its way', async () => {
    const { allotment } = await take([minute], 'a', 100, 100)
    const asking = allotment.extend()
    const settled = allotment.settlements({ inputTokens: 100, outputTokens: 150 })
    expect(await asking).toBe('granted')
    expect(await settled).toEqual([
      { id: 'a', amounts: [200] },
      { id: 'a+1', amounts: [50] },
    ])
  })
})

test('what runs is renewed until it is let go of', async () => {
  vi.useFakeTimers()
  try {
    const busy: QuotaLimit = { name: 'busy', per: ['token'], concurrent: 1 }
    const keeper = new LeaseKeeper(store, silent)
    const { allotment } = await take([busy], 'a', 1, 1)
    keeper.keep(allotment)
    for (let passed = 0; passed < 10 * LEASE_MS; passed += 1000) {
      time += 1000
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect((await take([busy], 'b', 1, 1)).result.outcome).toBe('refused')
    keeper.letGo(allotment)
    expect(vi.getTimerCount()).toBe(0)
    time += LEASE_MS + 1
    expect((await take([busy], 'c', 1, 1)).result.outcome).toBe('granted')
  } finally {
    vi.useRealTimers()
  }
})
