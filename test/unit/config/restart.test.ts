import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { changedParts, needsRestart } from '../../../src/config/restart.ts'
import { shareUnchanged } from '../../../src/config/share.ts'
import { load, MINIMAL, SECRET } from '../../support/config.ts'

async function read(text: string): Promise<Config> {
  const result = await load(text)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.config
}

const model = (id: string, port: number) =>
  `{ id: ${id}, upstreams: [{ url: http://127.0.0.1:${port}/v1, kind: vllm }] }`
const models = (...all: string[]) => read(`models: [${all.join(', ')}]\naudit: { hmacSecret: ${SECRET} }`)

describe('what has not changed is shared', () => {
  test('all of it, where nothing has', async () => {
    const before = await read(MINIMAL)
    expect(shareUnchanged(before, await read(MINIMAL))).toBe(before)
  })

  test('elements of lists by name, whatever stands in front of them', async () => {
    const before = await models(model('a', 1), model('b', 2))
    const now = shareUnchanged(before, await models(model('c', 3), model('b', 2), model('a', 4)))
    expect(now.models.map(({ id }) => id)).toEqual(['c', 'b', 'a'])
    expect(now.models[1]).toBe(before.models[1])
    expect(now.models[2]).not.toBe(before.models[0])
    expect(now.models[2]?.limits).toBe(before.models[0]?.limits)
    expect([changedParts(before, now), now.guard === before.guard]).toEqual([['models'], true])
  })

  test('two equal parts stay two', async () => {
    const before = await models(model('a', 1), model('b', 1))
    const now = shareUnchanged(before, await models(model('a', 1), model('b', 1), model('c', 1)))
    const servers = new Set(now.models.flatMap(({ upstreams }) => upstreams))
    expect(servers.size).toBe(3)
  })

  test.each([
    [[1, 2], { 0: 1, 1: 2 }],
    [{ 0: 1 }, [1]],
    [null, {}],
    [
      [1, 2, 3],
      [1, 2],
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    ['1', 1],
  ])('%j is not %j', (before, now) => {
    expect(shareUnchanged(before, now)).toEqual(now)
    expect(shareUnchanged(before, now)).not.toBe(before)
  })
})

describe('what needs a restart', () => {
  test.each([
    ['listen: { port: 9999 }', ['listen.port']],
    ['tls: { cert: a.pem, key: b.pem }', ['tls']],
    ['admin: { listen: { port: 9787 } }', ['admin']],
    ['state: redis://127.0.0.1', ['state']],
    ['limits: { headers: 32 }', ['limits']],
    ['quotas: [{ name: q, per: [team], requests: 1, window: 1m }]', ['quotas']],
    ['timeouts: { idle: 5s }', []],
    ['tokens: { issuer: other }', []],
    ['guard: { output: { pii: block } }', []],
    ['request: { maxBody: 2KiB }', []],
    ['admission: { maxWait: 5s }', []],
    ['proxies: { addresses: [10.0.0.1] }', []],
    ['instances: 2', []],
  ])('%s', async (more, expected) => {
    const before = await read(MINIMAL)
    const now = shareUnchanged(before, await read(`${MINIMAL}${more}`))
    expect(changedParts(before, now)).toHaveLength(1)
    expect(needsRestart(before, now)).toEqual(expected)
  })

  test.each([
    ['maxFileSize: 2MiB', ['audit.maxFileSize']],
    ['file: other.jsonl', ['audit.file']],
    ['checkpoint: { key: k.json }', ['audit.checkpoint']],
    ['onFailure: serve', []],
    ['intent: "off"', []],
  ])('audit: %s', async (more, expected) => {
    const text = (inner: string) => MINIMAL.replace(SECRET, `${SECRET}${inner}`)
    const before = await read(text(''))
    expect(needsRestart(before, shareUnchanged(before, await read(text(`, ${more}`))))).toEqual(expected)
  })
})
