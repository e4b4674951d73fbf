import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Redis as Client } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  freePort,
  type Gateway,
  type Redis,
  type Runtime,
  sallyport,
  sleep,
  startGateway,
  startRedis,
  waitFor,
  within,
} from '../support/index.ts'
import { chat, codeOf, readStream } from './support/caller.ts'
import { recordOf } from './support/log.ts'
import { answerWell, type ModelServer, modelServer } from './support/model.ts'

/** What is promised, from the end of the command on. */
const IN_FORCE_MS = 1000
const CUT_MS = 2000
const MAX_AGE_MS = 1000

type Place = Pick<Gateway, 'url' | 'dir'>

async function revoke({ dir }: Place, ...args: string[]): Promise<void> {
  expect(await sallyport(['token', 'revoke', ...args], { cwd: dir })).toMatchObject({ code: 0, stderr: '' })
}

async function ask({ url }: Place, token: string): Promise<number> {
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
  await response.text()
  return response.status
}

/** Asks each until it refuses, and no more: who is refused too often is locked out, with all that share the address. */
async function refusedSoon(gateways: readonly Place[], token: string, label: string): Promise<void> {
  const started = performance.now()
  const refuses = async (gateway: Place) =>
    waitFor('the token to be refused', async () => (await ask(gateway, token)) === 401, IN_FORCE_MS)
  await Promise.all(gateways.map(refuses))
  console.log(`${label}: in force after ${(performance.now() - started).toFixed(0)} ms`)
}

async function readiness({ url }: Place) {
  const response = await fetch(`${url}/readyz`)
  return { status: response.status, ...((await response.json()) as { revocations: boolean }) }
}

describe.each<Runtime>(['node', 'bun'])('revocations in Redis, with two gateways on %s', runtime => {
  let server: ModelServer
  let redis: Redis
  let admin: Client
  let gateways: readonly [Gateway, Gateway]

  const config = (jwks?: string) => ({
    state: redis.url,
    models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
    tokens: { revocation: { maxAge: `${MAX_AGE_MS}ms` }, ...(jwks !== undefined && { jwks }) },
  })
  const another = async (jwks?: string, more: Record<string, unknown> = {}) =>
    startGateway({ runtime, config: { ...config(jwks), ...more } })

  beforeAll(async () => {
    ;[server, redis] = await Promise.all([modelServer(), startRedis()])
    admin = new Client(redis.url, { retryStrategy: () => 50 })
    admin.on('error', () => undefined)
    const first = await another()
    gateways = [first, await another(join(first.dir, 'keys/public.jwks.json'))]
  })
  afterAll(async () => {
    await Promise.all(gateways?.map(gateway => gateway.stop()) ?? [])
    admin?.disconnect()
    await Promise.all([server?.stop(), redis?.stop()])
  })

  const mint = (team: string) => gateways[0].mint({ team })
  const works = (token: string) =>
    waitFor('both gateways to work', async () =>
      (await Promise.all(gateways.map(each => ask(each, token)))).every(code => code === 200),
    )

  test('a command puts a revocation in force on both', async () => {
    const [token, kept] = [await mint('one'), await mint('two')]
    await works(token)
    await revoke(gateways[1], '--team', 'one')
    await refusedSoon(gateways, token, `${runtime}, told`)
    await works(kept)
  })

  test('nobody is told: looking finds it', async () => {
    const token = await mint('untold')
    await works(token)
    // Nobody may publish or subscribe any more, and connections that listen are closed.
    await admin.call('ACL', 'SETUSER', 'default', 'resetchannels')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await waitFor('the refusal to be logged', () => gateways[0].output().includes('redis_subscribe_failed'))
    await revoke(gateways[0], '--team', 'untold')
    await refusedSoon(gateways, token, `${runtime}, untold`)
    await admin.call('ACL', 'SETUSER', 'default', 'allchannels')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no')
    await works(await mint('after'))
  })

  test('of 100 answers on their way, those of one team end within 2 s and the others whole', {
    timeout: 60_000,
  }, async () => {
    const [out, kept] = [await mint('out'), await mint('kept')]
    await works(out)
    const words = Array<string>(40).fill('word ')
    server.on('long', script => answerWell(script, words, 80))
    const calls = Array.from({ length: 100 }, (_, at) => {
      const gateway = gateways[at % 2] ?? gateways[0]
      const isOut = at % 4 < 2
      const id = `${runtime}-many-${at}`
      return { gateway, isOut, id, ...chat(gateway, { token: isOut ? out : kept, id, prompt: 'long' }) }
    })
    await waitFor('all to have begun', () => calls.every(({ text }) => text().includes('word')), 5000)
    await revoke(gateways[0], '--team', 'out')
    const revoked = performance.now()
    const ends = await within(
      'the end of the revoked ones',
      CUT_MS,
      Promise.all(
        calls
          .filter(({ isOut }) => isOut)
          .map(async call => ({ ...call, ...(await call.answer), at: performance.now() })),
      ),
    )
    console.log(
      `${runtime}: 50 streams cut, the last ${(Math.max(...ends.map(({ at }) => at)) - revoked).toFixed(0)} ms after the command`,
    )
    for (const { id, gateway, text, complete } of ends) {
      expect(readStream(text)).toMatchObject({ done: false, finish: null, error: 'invalid_token', errors: 1 })
      expect(complete).toBe(true)
      expect(await recordOf(gateway, id)).toMatchObject({
        outcome: 'refused',
        errorCode: 'invalid_token',
        reason: 'revoked',
      })
    }
    const rest = await within(
      'the end of the others',
      20_000,
      Promise.all(calls.filter(({ isOut }) => !isOut).map(call => call.answer)),
    )
    for (const { text, complete } of rest) {
      expect(readStream(text)).toMatchObject({ done: true, finish: 'stop', content: words.join(''), errors: 0 })
      expect(complete).toBe(true)
    }
  })

  describe('Redis in trouble', () => {
    beforeEach(async () => works(await mint('anybody')))
    afterEach(() => redis.resume())

    test.each(['stopped', 'frozen'])('%s: what is known counts for a while, then nobody is let in', async how => {
      const [token, revoked] = [await mint('patient'), await mint('gone')]
      await works(token)
      await revoke(gateways[0], '--team', 'gone')
      await refusedSoon(gateways, revoked, `${runtime}, before the outage`)
      server.on('through', script => answerWell(script, Array<string>(28).fill('word '), 100))
      const stream = chat(gateways[0], { token, prompt: 'through' })
      await waitFor('the stream to begin', () => stream.text().includes('word'))

      if (how === 'frozen') redis.pause()
      else await redis.stop()
      const since = performance.now()
      expect([await ask(gateways[0], token), await ask(gateways[0], revoked)]).toEqual([200, 401])
      await waitFor(
        'requests to be refused',
        async () => (await ask(gateways[0], token)) === 503,
        2 * MAX_AGE_MS + 1000,
      )
      const tookMs = performance.now() - since
      console.log(`${runtime}: ${how}, requests are refused after ${tookMs.toFixed(0)} ms`)
      // Reads are half a second apart: the last one that succeeded may be that old.
      expect(tookMs).toBeGreaterThan(MAX_AGE_MS - 600)
      const refusal = await chat(gateways[0], { token, stream: false }).answer
      expect([refusal.status, codeOf(refusal)]).toEqual([503, 'revocations_unavailable'])
      expect(Number(refusal.headers['retry-after'])).toBeGreaterThan(0)
      expect(await readiness(gateways[0])).toMatchObject({ status: 503, ready: false, revocations: false })
      expect(await ask(gateways[0], revoked)).toBe(401)
      const { text } = await within('the stream', 6000, stream.answer)
      expect(readStream(text)).toMatchObject({ done: true, content: 'word '.repeat(28) })

      if (how === 'frozen') redis.resume()
      else redis = await startRedis({ port: redis.port })
      await works(token)
      expect(await readiness(gateways[0])).toMatchObject({ revocations: true })
      expect(await Promise.all(gateways.map(each => ask(each, revoked)))).toEqual([401, 401])
    })

    test('emptied: the gateways write back what they know, and a new one learns of it', async () => {
      const token = await mint('emptied')
      await revoke(gateways[0], '--team', 'emptied')
      await refusedSoon(gateways, token, `${runtime}, before it was emptied`)
      await admin.flushall()
      await waitFor(
        'it to be written back',
        async () => (await admin.exists('sallyport:1:{tokens}:revocations:head')) === 1,
        3000,
      )
      expect(await Promise.all(gateways.map(each => ask(each, token)))).toEqual([401, 401])
      const third = await another(join(gateways[0].dir, 'keys/public.jwks.json'))
      expect(await ask(third, token)).toBe(401)
      await third.stop()
      const later = await mint('later')
      await works(later)
      await revoke(gateways[0], '--team', 'later')
      await refusedSoon(gateways, later, `${runtime}, after it was emptied`)
    })

    test.each([
      ['deny', 503],
      ['serve', 200],
    ])('away at the start, with onFailure: %s', async (onFailure, status) => {
      const port = await freePort()
      const jwks = join(gateways[0].dir, 'keys/public.jwks.json')
      const tokens = { jwks, revocation: { maxAge: '5s', onFailure } }
      const gateway = await another(undefined, { state: `redis://127.0.0.1:${port}/0`, tokens })
      const token = await mint('early')
      expect(await ask(gateway, token)).toBe(status)
      expect(await readiness(gateway)).toMatchObject({ ready: false, revocations: false })
      await using _ = await startRedis({ port })
      await waitFor('it to work', async () => (await readiness(gateway)).revocations)
      expect(await ask(gateway, token)).toBe(200)
      await gateway.stop()
    })
  })

  test('a gateway that starts again still knows', async () => {
    const token = await mint('restarted')
    await revoke(gateways[0], '--team', 'restarted')
    await refusedSoon(gateways, token, `${runtime}, before the restart`)
    const jwks = join(gateways[0].dir, 'keys/public.jwks.json')
    await using again = await another(jwks)
    expect(await ask(again, token)).toBe(401)
  })
})

describe.each<Runtime>(['node', 'bun'])('revocations in the embedded store on %s', runtime => {
  const config = { models: [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:1/v1', kind: 'openai' }] }] }

  test('a gateway that was killed still knows them when it starts again', async () => {
    const gateway = await startGateway({ runtime, config })
    const token = await gateway.mint()
    await revoke(gateway, '--team', 'blue')
    await refusedSoon([gateway], token, `${runtime}, embedded`)
    await gateway.stop('SIGKILL')
    await using again = await startGateway({ runtime, config, dir: gateway.dir })
    expect(await ask(again, token)).toBe(401)
    expect(again.output()).not.toMatch(/ExperimentalWarning/)
  })

  test('a store that was deleted while it serves is begun anew, with what is known', async () => {
    await using gateway = await startGateway({ runtime, config })
    const [token, other] = [await gateway.mint(), await gateway.mint({ team: 'red' })]
    await revoke(gateway, '--team', 'blue')
    await refusedSoon([gateway], token, `${runtime}, before it was deleted`)
    rmSync(join(gateway.dir, 'state'), { recursive: true })
    await waitFor('it to be written back', () => gateway.output().includes('revocations_written_back'), 3000)
    await revoke(gateway, '--team', 'red')
    await refusedSoon([gateway], other, `${runtime}, after it was deleted`)
    expect(await ask(gateway, token)).toBe(401)
    await sleep(100)
    await gateway.stop('SIGKILL')
    await using again = await startGateway({ runtime, config, dir: gateway.dir })
    expect([await ask(again, token), await ask(again, other)]).toEqual([401, 401])
  })
})
