import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Redis as Connection } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type ScriptedUpstream, scriptedUpstream, sleep, startGateway } from '../support/index.ts'
import { type Redis, startRedis } from '../support/redis.ts'
import { type RedisSet, type SentinelSet, startCluster, startSentinels } from '../support/redis-sets.ts'
import { waitFor } from '../support/wait.ts'
import { chat } from './support/caller.ts'
import { completion } from './support/model.ts'

/** Four gateway processes, whose clocks differ by ten seconds, share one limit: what reaches the model is counted. */
const SKEWS_MS = [0, 5000, -5000, 0]
const LIMIT = 3000
/** What each request is told to have used; its reservation is more. */
const USED = 15
const MAX_TOKENS = 10
const BURST = 500
/** Answers do not wait for their settlement, which is repeated while the store is away. */
const SETTLED_MS = 1000

class Instances {
  gateways: Gateway[] = []
  upstream: ScriptedUpstream | undefined
  readonly #served = new Map<string, number>()

  async start(state: string): Promise<void> {
    this.upstream = await scriptedUpstream(async script => {
      if (script.request.method === 'GET') return script.reply(200, { object: 'list', data: [] })
      const { messages } = script.json() as { messages: { content: string }[] }
      const team = messages.at(-1)?.content ?? ''
      this.#served.set(team, this.served(team) + 1)
      await script.sleep(20)
      const usage = { prompt_tokens: USED - MAX_TOKENS, completion_tokens: MAX_TOKENS, total_tokens: USED }
      return script.reply(200, { ...completion('ok'), usage })
    })
    let jwks: string | undefined
    for (const skew of SKEWS_MS) {
      const gateway: Gateway = await startGateway({
        config: {
          state,
          models: [{ id: 'm', upstreams: [{ url: `${this.upstream.url}/v1`, kind: 'openai' }] }],
          quotas: [{ name: 'team', per: ['team'], tokens: LIMIT, window: '10m' }],
          ...(jwks && { tokens: { issuer: 'sallyport', audience: 'sallyport', jwks } }),
        },
        env: {
          NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'support/skewed-clock.mjs')).href}`,
          TEST_CLOCK_SKEW_MS: String(skew),
        },
      })
      jwks ??= join(gateway.dir, 'keys/public.jwks.json')
      this.gateways.push(gateway)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.gateways.map(gateway => gateway.stop()))
    await this.upstream?.stop()
  }

  /** A token of a team that has used nothing yet. */
  mint(team: string): Promise<string> {
    return (this.gateways[0] as Gateway).mint({ team })
  }

  /** Requests of a team that have reached the model. */
  served(team: string): number {
    return this.#served.get(team) ?? 0
  }

  async ask(team: string, token: string, at: number): Promise<number> {
    const gateway = this.gateways[at % this.gateways.length] as Gateway
    const options = { token, stream: false, prompt: team, fields: { max_tokens: MAX_TOKENS } }
    return (await chat(gateway, options).answer).status
  }

  /** Simultaneous requests over all instances; how many had each status. */
  async burst(team: string, token: string, count = BURST): Promise<Record<number, number>> {
    const statuses = await Promise.all(Array.from({ length: count }, (_, at) => this.ask(team, token, at)))
    const counts: Record<number, number> = {}
    for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
    return counts
  }

  /** Asks one by one until the limit says no. */
  async exhaust(team: string, token: string): Promise<void> {
    await sleep(SETTLED_MS)
    for (let at = 0; at < (2 * LIMIT) / USED; at++) if ((await this.ask(team, token, at)) === 429) return
    throw new Error('the limit never ends')
  }
}

describe('one Redis', () => {
  const instances = new Instances()
  let redis: Redis
  let admin: Connection

  beforeAll(async () => {
    redis = await startRedis()
    admin = new Connection(redis.url, { retryStrategy: () => 20 })
    admin.on('error', () => undefined)
    await instances.start(redis.url)
  }, 60_000)
  afterAll(async () => {
    await instances.stop()
    admin.disconnect()
    await redis.stop()
  })

  test('500 simultaneous requests never take more than the limit, and can use all of it', async () => {
    const token = await instances.mint('burst')
    const counts = await instances.burst('burst', token)
    expect(Object.keys(counts).toSorted()).toEqual(['200', '429'])
    expect(instances.served('burst')).toBe(counts[200])
    expect(instances.served('burst') * USED).toBeLessThanOrEqual(LIMIT)
    // Every reservation has become what was used: less than a request's is left.
    await instances.exhaust('burst', token)
    expect(instances.served('burst') * USED).toBeLessThanOrEqual(LIMIT)
    expect(instances.served('burst') * USED).toBeGreaterThan(LIMIT - 100)
  })

  test('SCRIPT FLUSH in the middle', async () => {
    const token = await instances.mint('flush')
    const burst = instances.burst('flush', token)
    const flushing = setInterval(() => void admin.script('FLUSH'), 50)
    const counts = await burst
    await instances.exhaust('flush', token)
    clearInterval(flushing)
    expect(Object.keys(counts).toSorted()).toEqual(['200', '429'])
    expect(instances.served('flush') * USED).toBeLessThanOrEqual(LIMIT)
    expect(instances.served('flush') * USED).toBeGreaterThan(LIMIT - 100)
  })

  test('Redis paused for two seconds: refused in time, and not admitted afterwards', async () => {
    const token = await instances.mint('pause')
    expect(await instances.burst('pause', token, 40)).toEqual({ 200: 40 })
    redis.pause()
    const started = performance.now()
    const counts = await instances.burst('pause', token)
    expect(counts).toEqual({ 503: BURST })
    await sleep(2000 - (performance.now() - started))
    redis.resume()
    await waitFor('it works again', async () => (await instances.ask('pause', token, 0)) !== 503, 5000)
    await sleep(1000)
    await instances.burst('pause', token)
    expect(instances.served('pause') * USED).toBeLessThanOrEqual(LIMIT)
  })

  test('Redis killed and restarted empty: what was used is forgotten, and the limit holds from there', async () => {
    const token = await instances.mint('empty')
    await instances.burst('empty', token)
    const before = instances.served('empty')
    expect(before * USED).toBeLessThanOrEqual(LIMIT)
    const during = instances.burst('empty', token)
    process.kill(redis.pid, 'SIGKILL')
    await redis.stop()
    expect(await during).not.toHaveProperty('200')
    redis = await startRedis({ port: redis.port })
    await waitFor(
      'every instance works again',
      async () => (await instances.burst('other', await instances.mint('other'), 4))[200] === 4,
      10_000,
    )
    await instances.burst('empty', token)
    await instances.exhaust('empty', token)
    const after = instances.served('empty') - before
    expect(after * USED).toBeLessThanOrEqual(LIMIT)
    expect(after * USED).toBeGreaterThan(LIMIT - 100)
  }, 30_000)
})

describe('a cluster of three nodes', () => {
  const instances = new Instances()
  let cluster: RedisSet
  beforeAll(async () => {
    cluster = await startCluster()
    await instances.start(cluster.url)
  }, 60_000)
  afterAll(async () => {
    await instances.stop()
    await cluster.stop()
  })

  test('500 simultaneous requests of teams in several slots never take more than their limits', async () => {
    const teams = ['red', 'green', 'blue', 'white']
    // Each instance connects to a node with the first request for it.
    for (const team of teams) await instances.burst(team, await instances.mint(team), SKEWS_MS.length)
    const bursts = teams.map(async team => instances.burst(team, await instances.mint(team), BURST / teams.length))
    await Promise.all(bursts)
    for (const team of teams) {
      await instances.exhaust(team, await instances.mint(team))
      expect(instances.served(team) * USED).toBeLessThanOrEqual(LIMIT)
      expect(instances.served(team) * USED).toBeGreaterThan(LIMIT - 100)
    }
    const sizes = await Promise.all(
      cluster.servers.map(async ({ url }) => {
        const node = new Connection(url)
        const size = await node.dbsize()
        node.disconnect()
        return size
      }),
    )
    expect(sizes.filter(size => size > 0).length).toBeGreaterThan(1)
  }, 60_000)
})

describe('a failover by sentinels', () => {
  const instances = new Instances()
  let set: SentinelSet
  beforeAll(async () => {
    set = await startSentinels()
    await instances.start(set.url)
  }, 60_000)
  afterAll(async () => {
    await instances.stop()
    await set.stop()
  })

  test('in the middle of a run: only the charges of the last moments may be forgotten', async () => {
    const token = await instances.mint('failover')
    const full = await instances.mint('full')
    const other = await instances.mint('other')
    await instances.exhaust('full', full)
    const used = instances.served('full')
    await instances.burst('failover', token, 60)
    let ends = false
    const counts: Record<number, number> = {}
    const run = Array.from({ length: 8 }, async (_, at) => {
      for (let turn = at; !ends; turn += 1) {
        const status = await instances.ask('failover', token, turn)
        counts[status] = (counts[status] ?? 0) + 1
        await sleep(100)
      }
    })
    await sleep(300)
    const shortlyBefore = instances.served('failover')
    await sleep(200)
    await set.killPrimary()
    const atFailover = instances.served('failover')
    const works = async () => (await instances.burst('other', other, 4))[200] === 4
    await waitFor('every instance works again', works, 15_000)
    ends = true
    await Promise.all(run)
    await instances.exhaust('failover', token)
    const forgotten = atFailover - shortlyBefore
    expect(instances.served('failover') * USED).toBeLessThanOrEqual(LIMIT + forgotten * USED)
    expect(counts[503]).toBeGreaterThan(0)
    // What was charged before that is still charged.
    expect(await instances.burst('full', full, 8)).toEqual({ 429: 8 })
    expect(instances.served('full')).toBe(used)
  }, 60_000)
})
