import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ModelConfig, UpstreamConfig } from '../../../src/config/config.ts'
import { MAX_TEAM_LABELS } from '../../../src/config/limits.ts'
import { ENDPOINTS } from '../../../src/openai/endpoints.ts'
import { Admission } from '../../../src/pipeline/admission.ts'
import { Exchange } from '../../../src/pipeline/exchange.ts'
import type { Admitted, Place } from '../../../src/pipeline/place.ts'
import { UpstreamPool } from '../../../src/pipeline/upstream-pool.ts'
import type { Connection } from '../../../src/ports/transport.ts'
import { load, MINIMAL } from '../../support/config.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const NOBODY: ReadonlySet<UpstreamConfig> = new Set()

/** An admission of two models with one place each, and one without bounds. */
async function setUp(admission: object = {}) {
  const at = 'url: http://127.0.0.1:8080/v1, kind: vllm'
  const models = `[{ id: a, upstreams: [{ ${at}, maxInFlight: 1 }] }, { id: b, upstreams: [{ ${at}, maxInFlight: 1 }] },
    { id: free, upstreams: [{ ${at} }] }]`
  const result = await load(
    MINIMAL.replace(/models: .*\n/, `models: ${models}\nadmission: ${JSON.stringify(admission)}\n`),
  )
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  const { config } = result
  const [a, b, free] = config.models as [ModelConfig, ModelConfig, ModelConfig]
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const counts = new Map<string, number>()
  const telemetry = {
    log: () => {},
    count: (metric: string, labels: Readonly<Record<string, string>> = {}, by = 1) => {
      const key = [metric, ...Object.values(labels)].join(' ')
      counts.set(key, (counts.get(key) ?? 0) + by)
    },
  }
  class Pool extends UpstreamPool {
    gone = false
    override take(model: ModelConfig, tried: ReadonlySet<UpstreamConfig>) {
      return this.gone ? null : super.take(model, tried)
    }
    override canServe(model: ModelConfig, tried: ReadonlySet<UpstreamConfig>) {
      return !this.gone && super.canServe(model, tried)
    }
  }
  const pool = new Pool({ models: config.models, clock, telemetry })
  const admissions = new Admission({ config, pool, clock, telemetry })
  const endpoint = ENDPOINTS.find(({ path }) => path === '/v1/chat/completions')
  if (!endpoint) throw new Error('there is no chat')
  const request = (
    model: ModelConfig,
    who: { team?: string; app?: string; priority?: string; bytes?: number } = {},
  ) => {
    let leave = () => {}
    const connection: Connection = {
      address: '127.0.0.1',
      header: () => undefined,
      clientCertificate: undefined,
      readBody: () => Promise.reject(new Error('not read')),
      onGone: callback => {
        leave = callback
      },
      respond: () => new Response(),
    }
    const exchange = new Exchange('POST', endpoint, connection, clock)
    const { team = 'red', app = 'app', priority, bytes = 100 } = who
    const token = { tokenId: 't', issuer: 'i', subject: 's', env: 'e', scopes: new Set<string>(), models: ['*'] }
    const times = { issuedAtMs: 0, expiresAtMs: 1 }
    exchange.principal = { ...token, ...times, team, app, ...(priority !== undefined && { priority }) }
    exchange.body = { bytes, model: model.id, stream: false, fields: { max_tokens: 10 } }
    exchange.model = model
    exchange.estimatedInput = 10
    const taken = admissions.take(exchange, model, NOBODY)
    return { exchange, taken, leave: () => leave() }
  }
  return { a, b, free, admissions, pool, counts, request }
}

function place(taken: Admitted | Promise<Admitted>): Place {
  if (taken instanceof Promise || taken.kind !== 'place') throw new Error('this is no place')
  return taken
}

async function refusal(taken: Admitted | Promise<Admitted>) {
  const result = await taken
  if (result.kind !== 'refused') throw new Error(`this is no refusal: ${result.kind}`)
  return result.refusal
}

test('where there is room, a place is there at once, without a promise', async () => {
  const { a, free, request } = await setUp()
  const first = place(request(a).taken)
  expect(request(a).taken).toBeInstanceOf(Promise)
  for (let each = 0; each < 100; each++) place(request(free).taken)
  expect(first.server.url).toBe('http://127.0.0.1:8080/v1')
})

test('a place that is released goes to whoever is next, and the lines of two models do not touch', async () => {
  const { a, b, request } = await setUp()
  const [first, other] = [place(request(a).taken), place(request(b).taken)]
  const waiting = request(a)
  other.release()
  await vi.advanceTimersByTimeAsync(250)
  first.release()
  const second = await waiting.taken
  expect(second.kind).toBe('place')
  expect(waiting.exchange.queuedMs).toBeCloseTo(250)
  expect(request(a).taken).toBeInstanceOf(Promise)
})

test('bodies that wait are bounded over all models', async () => {
  const { a, b, request } = await setUp({ queue: { memory: '2KiB' } })
  place(request(a).taken)
  place(request(b).taken)
  const waiting = request(a, { bytes: 1500 })
  expect(await refusal(request(b, { bytes: 600 }).taken)).toMatchObject({ code: 'queue_full' })
  expect(request(b, { bytes: 500 }).taken).toBeInstanceOf(Promise)
  waiting.leave()
  expect(await waiting.taken).toEqual({ kind: 'aborted' })
  expect(request(b, { bytes: 600 }).taken).toBeInstanceOf(Promise)
})

test('retry-after is the time in which those ahead have their turn, by what answers took', async () => {
  const { a, request } = await setUp({ maxWait: '10m', queue: { perTeam: 4 } })
  for (let each = 0; each < 3; each++) {
    const running = place(request(a).taken)
    await vi.advanceTimersByTimeAsync(2500)
    running.release()
  }
  place(request(a).taken)
  for (let each = 0; each < 4; each++) request(a)
  const { code, headers } = await refusal(request(a).taken)
  expect(code).toBe('team_queue_full')
  expect(headers).toEqual({ 'retry-after': '10', 'retry-after-ms': '10000' })
  // Another team takes turns with it, from now on.
  request(a, { team: 'blue' })
  expect((await refusal(request(a).taken)).headers).toMatchObject({ 'retry-after': '13' })
})

test('retry-after is never under a second; before anything was measured, it is the longest wait', async () => {
  const { a, request } = await setUp({ maxWait: '7s', queue: { total: 0 } })
  const first = place(request(a).taken)
  expect(await refusal(request(a).taken)).toEqual({
    code: 'queue_full',
    headers: { 'retry-after': '7', 'retry-after-ms': '7000' },
  })
  await vi.advanceTimersByTimeAsync(5)
  first.release()
  place(request(a).taken)
  expect((await refusal(request(a).taken)).headers).toEqual({ 'retry-after': '1', 'retry-after-ms': '1000' })
})

test('a wait ends at its time, and not after its turn', async () => {
  const { a, request } = await setUp({ maxWait: '1s' })
  const first = place(request(a).taken)
  const [second, third] = [request(a), request(a)]
  await vi.advanceTimersByTimeAsync(900)
  first.release()
  expect((await second.taken).kind).toBe('place')
  await vi.advanceTimersByTimeAsync(200)
  expect(await refusal(third.taken)).toMatchObject({ code: 'queue_timeout' })
  expect(third.exchange.queuedMs).toBeCloseTo(1000)
  expect((await second.taken).kind).toBe('place')
})

test('whoever waits is sent away when the gateway stops, and nobody gets in line any more', async () => {
  const { a, admissions, request } = await setUp()
  const first = place(request(a).taken)
  const waiting = request(a)
  admissions.dismiss()
  expect(await refusal(waiting.taken)).toMatchObject({ code: 'shutting_down', headers: { 'retry-after': '1' } })
  expect(await refusal(request(a).taken)).toMatchObject({ code: 'shutting_down' })
  first.release()
  place(request(a).taken)
})

test('told that servers have changed, a line moves on, or ends where none is left', async () => {
  const { a, admissions, pool, request } = await setUp()
  const first = place(request(a).taken)
  const [second, third] = [request(a), request(a)]
  pool.release(first.server)
  admissions.changed(a)
  expect((await second.taken).kind).toBe('place')
  pool.gone = true
  admissions.changed(a)
  expect(await third.taken).toEqual({ kind: 'nowhere' })
  expect(request(a).taken).toEqual({ kind: 'nowhere' })
})

test('ten thousand who wait are sent away together when no server is left', async () => {
  const { a, admissions, pool, request } = await setUp({ queue: { perTeam: 10_000 } })
  place(request(a).taken)
  const waiting = Array.from({ length: 10_000 }, () => request(a).taken)
  pool.gone = true
  admissions.changed(a)
  const ends = await Promise.all(waiting.map(each => Promise.resolve(each)))
  expect(ends.every(({ kind }) => kind === 'nowhere')).toBe(true)
})

test('a team may be called like something that every object has', async () => {
  const { a, request } = await setUp({ weights: { red: 2 } })
  const first = place(request(a, { team: 'constructor' }).taken)
  const [third, second] = [request(a, { team: 'constructor' }), request(a, { team: 'toString' })]
  const order: string[] = []
  void Promise.resolve(third.taken).then(() => order.push('constructor'))
  void Promise.resolve(second.taken).then(() => order.push('toString'))
  first.settle(20)
  first.release()
  await vi.advanceTimersByTimeAsync(1)
  expect(order).toEqual(['toString'])
})

test('per app: each application of a team has a share of its own, with its own weight or the team’s', async () => {
  const { a, request } = await setUp({ per: 'app', weights: { red: 2, 'red/batch': 1 }, queue: { perTeam: 20 } })
  let running = place(request(a, { team: 'blue' }).taken)
  const asked = (['red/web', 'red/batch', 'blue/app'] as const).flatMap(name => {
    const [team = '', app = ''] = name.split('/')
    return Array.from({ length: 20 }, () => ({ name, ...request(a, { team, app }) }))
  })
  const order: string[] = []
  for (const each of asked)
    void Promise.resolve(each.taken).then(result => {
      order.push(each.name)
      running = place(result)
    })
  for (let each = 0; each < 32; each++) {
    running.settle(20)
    running.release()
    await vi.advanceTimersByTimeAsync(1)
  }
  const served = (name: string) => order.filter(each => each === name).length
  expect(served('red/web')).toBeGreaterThanOrEqual(15)
  expect(served('red/web')).toBeLessThanOrEqual(17)
  expect(served('red/batch')).toBeGreaterThanOrEqual(7)
  expect(served('red/batch')).toBeLessThanOrEqual(9)
})

test('depth, place and wait are counted by team; teams beyond a number together', async () => {
  const { a, counts, request } = await setUp({ maxWait: '30s' })
  const first = place(request(a).taken)
  const waiting = [request(a), request(a), request(a, { team: 'blue' })]
  expect(counts.get('sallyport_queue_depth red')).toBe(2)
  expect(counts.get('sallyport_queue_ahead_total red')).toBe(1)
  expect(counts.get('sallyport_model_queue_depth a')).toBe(3)
  await vi.advanceTimersByTimeAsync(500)
  waiting[0]?.leave()
  first.release()
  await vi.advanceTimersByTimeAsync(500)
  expect(counts.get('sallyport_queue_ended_total red left')).toBe(1)
  expect(counts.get('sallyport_queue_ended_total blue admitted')).toBe(1)
  expect(counts.get('sallyport_queue_wait_seconds_total blue')).toBeCloseTo(0.5)
  expect(counts.get('sallyport_queue_depth blue')).toBe(0)
  for (let each = 0; each < MAX_TEAM_LABELS + 5; each++) request(a, { team: `team-${each}` })
  expect(counts.get('sallyport_queue_depth (others)')).toBe(7)
  await vi.advanceTimersByTimeAsync(40_000)
  const depths = [...counts].filter(([key]) => key.includes('queue_depth')).map(([, depth]) => depth)
  expect(depths.every(depth => depth === 0)).toBe(true)
})
