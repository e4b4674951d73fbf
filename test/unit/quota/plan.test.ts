import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { LEASE_MS } from '../../../src/quota/leases.ts'
import type { ClaimedLimits, QuotaLimit } from '../../../src/quota/limit.ts'
import { createQuotaPlanner, type QuotaPrincipal, settlementOf } from '../../../src/quota/plan.ts'

const teamMinute: QuotaLimit = { name: 'team-minute', per: ['team'], tokens: 100_000, windowMs: 60_000 }
const keyRate: QuotaLimit = { name: 'key-rate', per: ['token'], requests: 30, windowMs: 60_000 }
const legal: QuotaLimit = {
  name: 'legal',
  match: { team: ['legal'] },
  per: ['team', 'model'],
  tokens: 20_000,
  requests: 5,
  windowMs: 60_000,
}
const search: QuotaPrincipal = { team: 'search', app: 'web', env: 'production', tokenId: 'tok_1' }
const HERE = '192.0.2.7'
/** So many tokens, most of them input. */
const use = (tokens: number) => ({ inputTokens: Math.ceil(tokens * 0.7), outputTokens: Math.floor(tokens * 0.3) })
const plan = (limits: readonly QuotaLimit[]) => createQuotaPlanner(limits, nodeHashing)

describe('planning', () => {
  test('charges every limit that applies, tokens and requests each by their own rule', () => {
    const planned = plan([teamMinute, keyRate, legal])({ ...search, team: 'legal' }, 'llama-3', use(25_000), HERE)
    expect(planned).toMatchObject({
      tenant: 'team:legal',
      charges: [
        { limit: teamMinute, kind: 'tokens' },
        { limit: keyRate, kind: 'requests' },
        { limit: legal, kind: 'tokens' },
        { limit: legal, kind: 'requests' },
      ],
      meters: [
        { key: 'team-minute:tokens:legal', limit: 100_000, windowMs: 60_000 },
        { key: 'key-rate:requests:legal:tok_1', limit: 30, windowMs: 60_000 },
        { key: 'legal:tokens:legal:llama-3', limit: 20_000, windowMs: 60_000 },
        { key: 'legal:requests:legal:llama-3', limit: 5, windowMs: 60_000 },
      ],
      amounts: [25_000, 1, 20_000, 1],
    })
    expect(settlementOf(planned, use(25_300))).toEqual([25_300, 1, 25_300, 1])
    expect(settlementOf(planned, use(0), 0)).toEqual([0, 0, 0, 0])
  })

  test('what it remembers of a principal is what it would plan anew', () => {
    const limits = [teamMinute, keyRate, { ...legal, match: { model: ['model-7'] } }]
    const remembering = plan(limits)
    for (let round = 0; round < 3; round++) {
      for (let model = 0; model < 100; model++) {
        for (const principal of [search, { ...search, team: 'legal' }]) {
          const args = [principal, `model-${model}`, use(1000 * round + model), HERE] as const
          expect(remembering(...args)).toEqual(plan(limits)(...args))
        }
      }
    }
  })

  test('leaves out limits for others', () => {
    expect(plan([legal])(search, 'llama-3', use(10), HERE).meters).toEqual([])
    const only = { ...teamMinute, match: { app: ['web'], env: ['test', 'production'], model: ['llama-3'] } }
    expect(plan([only])(search, 'llama-3', use(10), HERE).meters).toHaveLength(1)
    expect(plan([only])(search, 'llama-4', use(10), HERE).meters).toHaveLength(0)
    expect(plan([only])({ ...search, env: 'staging' }, 'llama-3', use(10), HERE).meters).toHaveLength(0)
  })

  test('an exception is not limited, and one of several values is enough to match', () => {
    const but = { ...teamMinute, match: { team: ['search', 'legal'] }, except: [{ app: ['batch'] }, { env: ['test'] }] }
    const meters = (principal: QuotaPrincipal) => plan([but])(principal, 'llama-3', use(10), HERE).meters.length
    expect(meters(search)).toBe(1)
    expect(meters({ ...search, team: 'legal' })).toBe(1)
    expect(meters({ ...search, team: 'sales' })).toBe(0)
    expect(meters({ ...search, app: 'batch' })).toBe(0)
    expect(meters({ ...search, env: 'test' })).toBe(0)
  })

  test('input and output are counted each by itself, and weighed, on the strict side', () => {
    const limit: QuotaLimit = {
      name: 'gpu',
      per: ['team'],
      tokens: 1000,
      inputTokens: 800,
      outputTokens: 100,
      weigh: { input: 0.25, output: 4 },
      windowMs: 60_000,
    }
    const planned = plan([limit])(search, 'llama-3', { inputTokens: 101, outputTokens: 120 }, HERE)
    expect(planned.meters.map(({ key }) => key)).toEqual([
      'gpu:tokens:search',
      'gpu:inputTokens:search',
      'gpu:outputTokens:search',
    ])
    expect(planned.amounts).toEqual([506, 101, 100])
    expect(settlementOf(planned, { inputTokens: 101, outputTokens: 300 })).toEqual([1226, 101, 300])
  })

  test('requests at the same time are leases, which settle to nothing', () => {
    const busy: QuotaLimit = { name: 'busy', per: ['token'], concurrent: 4, requests: 9, windowMs: 1000 }
    const planned = plan([busy])(search, 'llama-3', use(10), HERE)
    expect(planned.meters).toEqual([
      { key: 'busy:requests:search:tok_1', limit: 9, windowMs: 1000 },
      { key: 'busy:concurrent:search:tok_1', limit: 4, windowMs: LEASE_MS, lease: true },
    ])
    expect(planned.leases).toEqual([planned.meters[1]])
    expect(planned.amounts).toEqual([1, 1])
    expect(settlementOf(planned, use(10))).toEqual([1, 0])
    expect(plan([keyRate])(search, 'llama-3', use(10), HERE).leases).toBeUndefined()
  })

  test('addresses count by themselves, an IPv6 host by its network', () => {
    const perAddress: QuotaLimit = { name: 'address', per: ['address'], requests: 5, windowMs: 1000 }
    const planner = plan([perAddress])
    const keyOf = (address: string) => planner(search, 'llama-3', use(1), address).meters[0]?.key
    expect(keyOf(HERE)).toBe(`address:requests:${HERE}`)
    expect(keyOf('::ffff:192.0.2.7')).toBe(keyOf(HERE))
    expect(keyOf('2001:db8:0:1::7')).toBe(keyOf('2001:db8:0:1:f::8'))
    expect(keyOf('2001:db8:0:2::7')).not.toBe(keyOf('2001:db8:0:1::7'))
    expect(planner(search, 'llama-3', use(1), HERE).tenant).toBe('all')
  })

  test('a token sets a limit for itself as far as it may, and no other', () => {
    const mayTo = { ...keyRate, concurrent: 2, override: { requests: 100 } }
    const most = (limits: ClaimedLimits) =>
      plan([mayTo, teamMinute])({ ...search, limits }, 'llama-3', use(1), HERE).meters.map(({ limit }) => limit)
    expect(most({})).toEqual([30, 2, 100_000])
    expect(most({ 'key-rate': { requests: 60, concurrent: 50 }, 'team-minute': { tokens: 9e9 } })).toEqual([
      60, 2, 100_000,
    ])
    expect(most({ 'key-rate': { requests: 5000 } })).toEqual([100, 2, 100_000])
    expect(most({ 'key-rate': { requests: 3 } })).toEqual([3, 2, 100_000])
    expect(most(JSON.parse('{"__proto__":{"requests":60}}') as ClaimedLimits)).toEqual([30, 2, 100_000])
  })

  test('keeps all keys together as soon as one limit counts several teams', () => {
    const perModel: QuotaLimit = { name: 'model', per: ['model'], requests: 5, windowMs: 1000 }
    const planner = plan([teamMinute, perModel])
    expect(planner(search, 'llama-3', use(1), HERE).tenant).toBe('all')
    expect(planner({ ...search, team: 'legal' }, 'llama-3', use(1), HERE).meters[1]?.key).toBe('model:requests:llama-3')
    expect(plan([{ ...perModel, match: { team: ['search'] } }])(search, 'llama-3', use(1), HERE).tenant).toBe(
      'team:search',
    )
    expect(plan([teamMinute])({ ...search, team: '' }, 'llama-3', use(1), HERE).tenant).toBe('team:')
  })

  test('refuses limits that nothing could pass', () => {
    expect(() => plan([{ ...teamMinute, tokens: 0 }])).toThrow('tokens of quota team-minute')
    expect(() => plan([{ ...keyRate, requests: 1.5 }])).toThrow(RangeError)
  })

  test('no two principals share a key, and every key is one that a store takes', () => {
    const name = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', ':', '%', '}', '{', '/', 'é', '0', '3', '\ud800', ' '), maxLength: 4 }),
      fc.string({ unit: 'binary', maxLength: 400 }),
    )
    const principal = fc.record({ team: name, app: name, env: name, tokenId: name })
    const everyPart: QuotaLimit = {
      name: 'all: parts',
      per: ['team', 'app', 'env', 'token', 'model'],
      requests: 1,
      windowMs: 1,
    }
    const planner = plan([everyPart])
    fc.assert(
      fc.property(principal, name, principal, name, (one, oneModel, other, otherModel) => {
        const [first, second] = [planner(one, oneModel, use(1), HERE), planner(other, otherModel, use(1), HERE)]
        expect(first.meters[0]?.key).toMatch(/^[\w.:%-]{1,256}$/)
        expect(first.tenant).toMatch(/^[\w.:%-]{1,256}$/)
        const same = JSON.stringify([one, oneModel]) === JSON.stringify([other, otherModel])
        expect(first.meters[0]?.key === second.meters[0]?.key).toBe(same)
        expect(first.tenant === second.tenant).toBe(one.team === other.team)
      }),
      { numRuns: 2000 },
    )
  })
})
