import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import type { QuotaLimit } from '../../../src/quota/limit.ts'
import { createQuotaPlanner, type QuotaPrincipal, settlementOf } from '../../../src/quota/plan.ts'

const teamMinute: QuotaLimit = { name: 'team-minute', per: ['team'], tokens: 100_000, windowMs: 60_000 }
const keyRate: QuotaLimit = { name: 'key-rate', per: ['token'], requests: 30, windowMs: 60_000 }
const legal: QuotaLimit = {
  name: 'legal',
  match: { team: 'legal' },
  per: ['team', 'model'],
  tokens: 20_000,
  requests: 5,
  windowMs: 60_000,
}
const search: QuotaPrincipal = { team: 'search', app: 'web', env: 'production', tokenId: 'tok_1' }
const plan = (limits: readonly QuotaLimit[]) => createQuotaPlanner(limits, nodeHashing)

describe('planning', () => {
  test('charges every limit that applies, tokens and requests each by their own rule', () => {
    const planned = plan([teamMinute, keyRate, legal])({ ...search, team: 'legal' }, 'llama-3', 25_000)
    expect(planned).toEqual({
      tenant: 'team:legal',
      kinds: ['tokens', 'requests', 'tokens', 'requests'],
      limits: ['team-minute', 'key-rate', 'legal', 'legal'],
      meters: [
        { key: 'team-minute:tokens:legal', limit: 100_000, windowMs: 60_000 },
        { key: 'key-rate:requests:legal:tok_1', limit: 30, windowMs: 60_000 },
        { key: 'legal:tokens:legal:llama-3', limit: 20_000, windowMs: 60_000 },
        { key: 'legal:requests:legal:llama-3', limit: 5, windowMs: 60_000 },
      ],
      amounts: [25_000, 1, 20_000, 1],
    })
    expect(settlementOf(planned, 25_300)).toEqual([25_300, 1, 25_300, 1])
    expect(settlementOf(planned, 0, 0)).toEqual([0, 0, 0, 0])
  })

  test('what it remembers of a principal is what it would plan anew', () => {
    const limits = [teamMinute, keyRate, { ...legal, match: { model: 'model-7' } }]
    const remembering = plan(limits)
    for (let round = 0; round < 3; round++) {
      for (let model = 0; model < 100; model++) {
        for (const principal of [search, { ...search, team: 'legal' }]) {
          const args = [principal, `model-${model}`, 1000 * round + model] as const
          expect(remembering(...args)).toEqual(plan(limits)(...args))
        }
      }
    }
  })

  test('leaves out limits for others', () => {
    expect(plan([legal])(search, 'llama-3', 10).meters).toEqual([])
    const only = { ...teamMinute, match: { app: 'web', env: 'production', model: 'llama-3' } }
    expect(plan([only])(search, 'llama-3', 10).meters).toHaveLength(1)
    expect(plan([only])(search, 'llama-4', 10).meters).toHaveLength(0)
    expect(plan([only])({ ...search, env: 'test' }, 'llama-3', 10).meters).toHaveLength(0)
  })

  test('keeps all keys together as soon as one limit counts several teams', () => {
    const perModel: QuotaLimit = { name: 'model', per: ['model'], requests: 5, windowMs: 1000 }
    const planner = plan([teamMinute, perModel])
    expect(planner(search, 'llama-3', 1).tenant).toBe('all')
    expect(planner({ ...search, team: 'legal' }, 'llama-3', 1).meters[1]?.key).toBe('model:requests:llama-3')
    expect(plan([{ ...perModel, match: { team: 'search' } }])(search, 'llama-3', 1).tenant).toBe('team:search')
    expect(plan([teamMinute])({ ...search, team: '' }, 'llama-3', 1).tenant).toBe('team:')
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
        const [first, second] = [planner(one, oneModel, 1), planner(other, otherModel, 1)]
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
