import { describe, expect, test } from 'vitest'
import { addSeries, lasting } from '../../../adapters/cli/workers/add-series.ts'
import { assertShareable, workerConfig } from '../../../adapters/cli/workers/worker-config.ts'
import { load, MINIMAL, SECRET } from '../../support/config.ts'

async function read(text: string) {
  const result = await load(text)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.config
}

describe('counters of several processes', () => {
  test('are added up; of moments, the earliest counts', () => {
    const sum = new Map<string, number>()
    addSeries(sum, [
      ['a_total{x="1"}', 2],
      ['depth', 3],
      ['sallyport_config_loaded_timestamp_seconds', 50],
    ])
    addSeries(sum, [
      ['a_total{x="1"}', 5],
      ['depth', -1],
      ['sallyport_config_loaded_timestamp_seconds', 40],
      ['b_total', 1],
    ])
    expect([...sum]).toEqual([
      ['a_total{x="1"}', 7],
      ['depth', 2],
      ['sallyport_config_loaded_timestamp_seconds', 40],
      ['b_total', 1],
    ])
  })

  test('what is gone has counted, and does nothing any more', () => {
    expect(
      lasting([
        ['a_total{x="_total"}', 1],
        ['b_total', 2],
        ['depth{x="a_total"}', 3],
        ['b_total_depth', 4],
        ['c_bucket{le="1"}', 5],
      ]),
    ).toEqual([
      ['a_total{x="_total"}', 1],
      ['b_total', 2],
      ['c_bucket{le="1"}', 5],
    ])
  })
})

describe('one of several workers', () => {
  test('has a log and a name of its own, and its part of what is divided', async () => {
    const config = await read(`
instances: 2
models: [{ id: m, upstreams: [{ url: http://a/v1, kind: vllm, maxInFlight: 12 }, { url: http://b/v1, kind: vllm }] }]
audit: { hmacSecret: ${SECRET}, file: log/audit.jsonl, checkpoint: { key: k.json, origin: here } }`)
    const worker = workerConfig(config, { slot: 3, workers: 4 })
    expect(worker.models[0]?.upstreams.map(({ maxInFlight }) => maxInFlight)).toEqual([1, undefined])
    expect(worker).toMatchObject({ instances: 8, audit: { file: '/base/log/audit-w3.jsonl' } })
    expect(worker.audit.checkpoint).toMatchObject({ origin: 'here/w3', to: config.audit.checkpoint?.to })
    expect(workerConfig(await read(MINIMAL), { slot: 1, workers: 2 }).audit).not.toHaveProperty('checkpoint')
  })

  test.each([
    ['node', '', /^state: embedded/],
    ['bun', '', /^state: embedded/],
    ['node', 'state: redis://localhost\nlisten: { port: 0 }', undefined],
    ['bun', 'state: redis://localhost\nlisten: { port: 0 }', /^listen\.port: 0/],
    ['bun', 'state: redis://localhost\nadmin: { listen: { port: 0 } }', /^admin\.listen\.port: 0/],
    ['bun', 'state: redis://localhost', undefined],
  ] as const)('on %s: %j', async (runtime, more, refusal) => {
    const config = await read(`${MINIMAL}${more}`)
    if (refusal) expect(() => assertShareable(config, runtime)).toThrow(refusal)
    else expect(() => assertShareable(config, runtime)).not.toThrow()
  })
})
