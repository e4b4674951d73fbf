import { expect, test } from 'vitest'
import { load, MINIMAL, SECRET } from '../../support/config.ts'

async function faults(admission: string): Promise<string[]> {
  const result = await load(`${MINIMAL}admission: ${admission}`)
  return result.ok ? [] : result.faults.map(({ path, reason }) => `${path}: ${reason}`)
}

test.each([
  ['{ queue: { perTeams: 1 } }', 'admission.queue.perTeams: unknown key; did you mean "perTeam"?'],
  ['{ queue: { perTeam: -1 } }', 'admission.queue.perTeam: should be from 0 to 100k'],
  ['{ queue: { memory: 10 } }', 'admission.queue.memory: should be '],
  ['{ maxWait: 2d }', 'admission.maxWait: should be from 1ms to 1d'],
  ['{ per: token }', 'admission.per: should be one of: team, app'],
  ['{ weights: [3] }', 'admission.weights: should be a mapping of keys to values'],
  ['{ weights: { legal: 0 } }', 'admission.weights.legal: should be from 1 to 1k'],
  ['{ weights: { legal/web: 2 } }', 'admission.weights.legal/web: only goes with per: app'],
  ['{ per: app, weights: { a/b/c: 2 } }', 'admission.weights.a/b/c: should be a team, or team/app'],
  ['{ weights: { "legal team": 2 } }', 'admission.weights.legal team: should be a team, or team/app'],
  ['{ priorities: [] }', 'admission.priorities: should name at least one class'],
  ['{ priorities: [a, b, a], defaultPriority: a }', 'admission.priorities[2]: this class is named twice'],
  ['{ priorities: [a, b] }', 'admission.defaultPriority: should be one of admission.priorities'],
  ['{ priorities: [a, b c], defaultPriority: a }', 'admission.priorities[1]: should have only letters, digits'],
  ['{ priorities: [a, b, c, d, e, f, g, h, i] }', 'admission.priorities: should name at most 8 classes'],
])('%s is a fault, and named', async (setting, fault) => {
  expect((await faults(setting)).join('\n')).toContain(fault)
})

test('each instance has its part of maxInFlight, at least one; what does not divide is warned about', async () => {
  const upstream = (maxInFlight: number) => `{ url: http://a/v1, kind: vllm, maxInFlight: ${maxInFlight} }`
  const upstreams = `[${[9, 10, 2].map(upstream).join(', ')}, { url: http://b/v1, kind: vllm }]`
  const result = await load(`
instances: 3
models: [{ id: m, upstreams: ${upstreams} }]
audit: { hmacSecret: ${SECRET} }
`)
  if (!result.ok) throw new Error('it should load')
  expect(result.config.models[0]?.upstreams.map(({ maxInFlight }) => maxInFlight)).toEqual([3, 3, 1, undefined])
  expect(result.warnings.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
    'models[0].upstreams[1].maxInFlight: no multiple of instances: the rest of the division is not used',
    'models[0].upstreams[2].maxInFlight: less than instances: each sends one request at a time, together more than this',
  ])
})

test('a weight may be of an application where applications have shares', async () => {
  const result = await load(`${MINIMAL}admission: { per: app, weights: { legal: 2, legal/web: 3 } }`)
  expect(result).toMatchObject({ ok: true, config: { admission: { weights: { legal: 2, 'legal/web': 3 } } } })
})
