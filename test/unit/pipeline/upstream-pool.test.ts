import { describe, expect, test } from 'vitest'
import type { ModelConfig, UpstreamConfig } from '../../../src/config/config.ts'
import { UpstreamPool } from '../../../src/pipeline/upstream-pool.ts'
import { promptPrefix } from '../../../src/pool/prompt-prefix.ts'
import { EJECT_MS } from '../../../src/pool/server-health.ts'
import { load, SECRET } from '../../support/config.ts'

const NONE: ReadonlySet<UpstreamConfig> = new Set()
const FAILED = { kind: 'failed', reason: 'answered 500' } as const
const UNREACHABLE = { kind: 'unreachable', reason: 'ECONNREFUSED' } as const

/** The same numbers each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A pool of servers `a`, `b`, … with these settings, on a clock and with dice of its own. */
async function poolOf(...settings: string[]) {
  const servers = settings.map((more, at) => `{ url: http://${String.fromCharCode(97 + at)}/v1, kind: vllm, ${more} }`)
  const result = await load(`
models: [{ id: m, upstreams: [${servers.join(', ')}] }]
audit: { hmacSecret: ${SECRET} }`)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  const { models } = result.config
  const [model] = models as [ModelConfig]
  const clock = { at: 1000, monotonic: () => clock.at }
  const events: string[] = []
  const changes: string[] = []
  const pool = new UpstreamPool({
    models,
    clock,
    random: seeded(7),
    telemetry: {
      log: (_, event, fields) => void events.push(`${event} ${String(fields?.['upstream'])}`),
      count: () => {},
    },
    changed: ({ id }) => void changes.push(id),
  })
  const server = (name: string) => model.upstreams.find(({ url }) => url.startsWith(`http://${name}`)) as UpstreamConfig
  const take = (prompt?: readonly string[], tried = NONE) =>
    pool.take(model, tried, prompt && promptPrefix({ messages: prompt }, ['messages'], ['m']))?.url.slice(7, 8) ?? null
  return { pool, model, clock, events, changes, server, take }
}

type Pool = Awaited<ReturnType<typeof poolOf>>

/** How often each server is taken by requests that end at once. */
function shares({ pool, server, take }: Pool, requests: number, prompt?: (at: number) => readonly string[]) {
  const counts: Record<string, number> = {}
  for (let at = 0; at < requests; at++) {
    const name = take(prompt?.(at)) ?? 'none'
    counts[name] = (counts[name] ?? 0) + 1
    if (name !== 'none') pool.release(server(name))
  }
  return counts
}

describe('load', () => {
  test('is spread by what each server has room for', async () => {
    const pool = await poolOf('maxInFlight: 2', 'maxInFlight: 6')
    const taken = Array.from({ length: 9 }, () => pool.take())
    const toA = (names: readonly (string | null)[]) => names.filter(name => name === 'a').length
    expect([toA(taken.slice(0, 4)), toA(taken.slice(4, 8))]).toEqual([1, 1])
    expect(taken.slice(0, 8)).not.toContain(null)
    expect(taken[8]).toBeNull()
    expect(pool.pool.canServe(pool.model, NONE)).toBe(true)
    pool.pool.release(pool.server('a'))
    expect(pool.take()).toBe('a')
  })

  test('that others bring counts as well', async () => {
    const pool = await poolOf('health: { load: true }', 'health: { load: true }')
    const checked = pool.pool.checkedServers()
    expect(checked.map(({ loadUrl }) => loadUrl)).toEqual(['http://a/metrics', 'http://b/metrics'])
    checked[0]?.reported(5)
    expect(Array.from({ length: 5 }, () => pool.take())).toEqual(['b', 'b', 'b', 'b', 'b'])
    // Six of ours and nobody else's: nothing new.
    checked[0]?.reported(0)
    checked[1]?.reported(5)
    expect(pool.take()).toBe('a')
  })
})

describe('weights', () => {
  test('share out new conversations, at rest', async () => {
    const counts = shares(await poolOf('', '', '', 'weight: 0.15'), 20_000, at => [`new conversation ${at}`])
    // 0.15 of 3.15, give or take four standard deviations.
    expect(Math.abs((counts['d'] ?? 0) - 952)).toBeLessThan(4 * Math.sqrt(952))
    for (const name of ['a', 'b', 'c']) expect(Math.abs((counts[name] ?? 0) - 6349)).toBeLessThan(400)
  })

  test('share them out under load too, with the same system prompt in all of them', async () => {
    const pool = await poolOf('', '', '', 'weight: 0.15')
    const running: string[] = []
    const counts: Record<string, number> = {}
    for (let at = 0; at < 20_000; at++) {
      const name = pool.take(['A long system prompt. '.repeat(20), `new conversation ${at}`]) as string
      counts[name] = (counts[name] ?? 0) + 1
      if (running.push(name) > 40) pool.pool.release(pool.server(running.shift() as string))
    }
    expect(Math.abs((counts['d'] ?? 0) - 952)).toBeLessThan(4 * Math.sqrt(952))
  })

  test('a conversation stays with the canary that it began with', async () => {
    const pool = await poolOf('', 'weight: 0.2')
    for (let conversation = 0; conversation < 200; conversation++) {
      const said = ['system', `conversation ${conversation}`]
      const servers = new Set<string | null>()
      for (let turn = 0; turn < 5; turn++) {
        servers.add(pool.take(said))
        pool.pool.release(pool.server([...servers][0] as string))
        said.push('answer', `question ${turn}`)
      }
      expect(servers.size).toBe(1)
    }
  })

  test('all zero do not load', async () => {
    await expect(poolOf('weight: 0', 'weight: 0')).rejects.toThrow('models[0].upstreams')
    await expect(poolOf('weight: -1')).rejects.toThrow('models[0].upstreams[0].weight')
  })
})

describe('conversations', () => {
  test('go back to their server, unless it has too much to do', async () => {
    const pool = await poolOf('', '', '')
    const first = pool.take(['system', 'hello']) as string
    const next = ['system', 'hello', 'hi', 'how are you']
    expect(pool.take(next)).toBe(first)
    // Two are under way there, and nothing elsewhere.
    const other = pool.take([...next, 'fine', 'and now?'])
    expect(other).not.toBe(first)
    // From now on it is the other one that knows it.
    pool.pool.release(pool.server(first))
    pool.pool.release(pool.server(first))
    expect(pool.take([...next, 'fine', 'and now?', 'well', 'bye'])).toBe(other)
  })

  test('go elsewhere while their server is not well', async () => {
    const pool = await poolOf('', '')
    const first = pool.take(['hello']) as string
    pool.pool.report(pool.server(first), UNREACHABLE)
    pool.pool.release(pool.server(first))
    expect(pool.take(['hello', 'hi', 'you?'])).toBe(first === 'a' ? 'b' : 'a')
  })
})

describe('draining', () => {
  test('by weight: no new requests', async () => {
    expect(shares(await poolOf('weight: 0', ''), 100)).toEqual({ b: 100 })
  })

  test('by hand: those under way finish, and it is undone', async () => {
    const pool = await poolOf('', '')
    const [x, y] = [pool.take(), pool.take()]
    expect(new Set([x, y])).toEqual(new Set(['a', 'b']))
    pool.pool.drain('http://a/v1', true)
    expect(pool.pool.inFlightOf(pool.server('a'))).toBe(1)
    expect(shares(pool, 50)).toEqual({ b: 50 })
    pool.pool.release(pool.server('a'))
    expect(pool.pool.inFlightOf(pool.server('a'))).toBe(0)
    pool.pool.drain('http://b/v1', true)
    expect(pool.take()).toBeNull()
    expect(pool.pool.canServe(pool.model, NONE)).toBe(false)
    pool.pool.drain('http://a/v1', false)
    expect(shares(pool, 50)).toEqual({ a: 50 })
    expect(pool.changes).toEqual(['m', 'm', 'm'])
    expect(pool.events).toEqual([
      'upstream_draining http://a/v1',
      'upstream_draining http://b/v1',
      'upstream_undrained http://a/v1',
    ])
  })
})

describe('health', () => {
  test('failures eject for a while; then one request is let through', async () => {
    const pool = await poolOf('', '')
    const { clock } = pool
    for (let at = 0; at < 3; at++) pool.pool.report(pool.server('a'), FAILED)
    expect(shares(pool, 50)).toEqual({ b: 50 })
    clock.at += 1.25 * EJECT_MS
    const taken = Array.from({ length: 8 }, () => pool.take())
    expect(taken.filter(name => name === 'a')).toHaveLength(1)
    pool.pool.report(pool.server('a'), { kind: 'answered' })
    expect(Array.from({ length: 6 }, () => pool.take())).toEqual(['a', 'a', 'a', 'a', 'a', 'a'])
    expect(pool.events).toEqual(['upstream_ejected http://a/v1', 'upstream_restored http://a/v1'])
    expect(pool.changes).toEqual(['m', 'm'])
  })

  test('the last usable server is never given up', async () => {
    const pool = await poolOf('', '')
    for (const name of ['a', 'b']) pool.pool.report(pool.server(name), UNREACHABLE)
    const counts = shares(pool, 100)
    expect(counts['none']).toBeUndefined()
    expect(new Set(Object.keys(counts))).toEqual(new Set(['a', 'b']))
    const alone = await poolOf('')
    for (let at = 0; at < 10; at++) alone.pool.report(alone.server('a'), UNREACHABLE)
    expect(alone.take()).toBe('a')
    expect(alone.events).toEqual([])
  })

  test('a second attempt does not go to a broken server', async () => {
    const pool = await poolOf('', '')
    pool.pool.report(pool.server('a'), UNREACHABLE)
    const tried = new Set([pool.server('b')])
    expect(pool.take(undefined, tried)).toBeNull()
    expect(pool.pool.canServe(pool.model, tried)).toBe(false)
  })

  test('a busy server is left alone for as long as it says; if all are, one is asked all the same', async () => {
    const pool = await poolOf('', '')
    pool.pool.report(pool.server('a'), { kind: 'busy', retryAfterMs: 2000 })
    expect(shares(pool, 20)).toEqual({ b: 20 })
    pool.pool.report(pool.server('b'), UNREACHABLE)
    expect(shares(pool, 20)).toEqual({ a: 20 })
    pool.clock.at += 60_000
    expect(new Set(Object.keys(shares(pool, 50)))).toEqual(new Set(['a', 'b']))
  })

  test('checks are of each server once, and of those that there is a choice of', async () => {
    const result = await load(`
models:
  - { id: x, upstreams: [{ url: http://a/v1, kind: llama.cpp }, { url: http://b/api/v1/, kind: openai }] }
  - { id: y, upstreams: [{ url: http://a/v1, kind: llama.cpp }, { url: http://c/v1, kind: ollama, health: { path: /up, every: 1s } }] }
  - { id: z, upstreams: [{ url: http://d/v1, kind: vllm }] }
audit: { hmacSecret: ${SECRET} }`)
    if (!result.ok) throw new Error(JSON.stringify(result.faults))
    const events: string[] = []
    const pool = new UpstreamPool({
      models: result.config.models,
      clock: { monotonic: () => 0 },
      telemetry: { log: (_, event) => void events.push(event), count: () => {} },
    })
    const checked = pool.checkedServers()
    expect(checked.map(({ healthUrl, everyMs }) => `${healthUrl} ${everyMs}`)).toEqual([
      'http://a/health 5000',
      'http://b/api/v1/models 5000',
      'http://c/up 1000',
    ])
    expect(pool.wellWithin(1000)).toBe(false)
    for (let at = 0; at < 5; at++) checked[0]?.checked('answered 503')
    expect(events).toEqual(['upstream_down'])
    for (const model of result.config.models.slice(0, 2)) {
      for (let at = 0; at < 10; at++) expect(pool.take(model, NONE)?.url).not.toBe('http://a/v1')
    }
    for (let at = 0; at < 3; at++) checked[0]?.checked(undefined)
    expect(events).toEqual(['upstream_down', 'upstream_up'])
    expect(pool.wellWithin(1000)).toBe(true)
  })
})

describe('a new configuration', () => {
  const again = ({ pool, model }: Pool, change: (servers: readonly UpstreamConfig[]) => UpstreamConfig[]) => {
    const now: ModelConfig = { ...model, upstreams: change(model.upstreams) }
    pool.configure([now])
    return (known = now, tried = NONE) => pool.take(known, tried)?.url.slice(7, 8) ?? null
  }

  test('counts what runs, and what is known of servers that stay', async () => {
    const pool = await poolOf('maxInFlight: 1', 'maxInFlight: 1')
    expect([pool.take(), pool.take(), pool.take()]).toEqual([expect.any(String), expect.any(String), null])
    const take = again(pool, servers => servers.map(server => ({ ...server, apiKey: 'new' })))
    expect(take()).toBeNull()
    // By a request that has it from before.
    pool.pool.release(pool.server('a'))
    expect(take()).toBe('a')
    pool.pool.report(pool.server('b'), UNREACHABLE)
    pool.pool.release(pool.server('b'))
    again(pool, servers => [...servers].reverse())
    pool.pool.release(pool.server('a'))
    expect(take()).toBe('a')
  })

  test('leads requests that know the one before to the servers of now, of the kinds they were checked for', async () => {
    const pool = await poolOf('', '')
    const other = (name: string, kind: UpstreamConfig['kind']) => (servers: readonly UpstreamConfig[]) =>
      servers.map(server => ({ ...server, url: `http://${name}/v1`, kind }))
    expect(again(pool, other('c', 'vllm'))(pool.model)).toBe('c')
    const take = again(pool, other('d', 'ollama'))
    expect(take(pool.model)).toBeNull()
    expect(take()).toBe('d')
  })

  test('drains and undrains by weight, and leaves alone what was drained by hand', async () => {
    const pool = await poolOf('', '')
    again(pool, ([a, b]) => [{ ...(a as UpstreamConfig), weight: 0 }, b as UpstreamConfig])
    expect(new Set(Array.from({ length: 8 }, () => pool.take()))).toEqual(new Set(['b']))
    again(pool, servers => [...servers])
    pool.pool.drain('http://b/v1', true)
    again(pool, servers => servers.map(server => ({ ...server, maxInFlight: 50 })))
    expect(new Set(Array.from({ length: 8 }, () => pool.take()))).toEqual(new Set(['a']))
  })
})
