import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Runtime,
  sallyport,
  startGateway,
  startRedis,
  tempDir,
  waitFor,
  within,
} from '../support/index.ts'
import { chat, readStream } from './support/caller.ts'
import { answerWell, type ModelServer, modelServer } from './support/model.ts'
import { times, writeSettings } from './support/settings.ts'

const DEADLINE_MS = 30_000

describe.each<Runtime>(['node', 'bun'])('several workers on %s', runtime => {
  let server: ModelServer
  let redis: Awaited<ReturnType<typeof startRedis>>
  beforeAll(async () => {
    redis = await startRedis()
    server = await modelServer()
    server.on('long', script => answerWell(script, Array<string>(20).fill('word '), 100))
  })
  afterAll(async () => {
    await server?.stop()
    await redis?.stop()
  })

  const models = () => [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }]
  const start = async (config = {}) => {
    const gateway = await startGateway({
      runtime,
      config: { state: redis.url, models: models(), ...config },
      args: ['--workers', '2'],
    })
    await waitFor('all listen', () => times(gateway, 'workers_listening') === 1, DEADLINE_MS)
    return gateway
  }
  const metrics = async ({ adminUrl }: Gateway) => (await fetch(`${adminUrl}/metrics`)).text()
  const served = async (gateway: Gateway) =>
    Number(/^sallyport_audit_records_total\{result="written"\} (\d+)/m.exec(await metrics(gateway))?.[1] ?? 0)
  const logs = ({ dir }: Gateway) => readdirSync(join(dir, 'audit')).filter(name => name.endsWith('.jsonl'))

  test('100 streams through a rolling restart: none is broken, none refused, and all is counted', async () => {
    await using gateway = await start({ quotas: [{ name: 'day', per: ['team'], requests: 100, window: '1d' }] })
    const token = await gateway.mint()
    let rolled = false
    const calls: ReturnType<typeof chat>['answer'][] = []
    const begin = async (count: number) => {
      for (let at = 0; at < count; at++) {
        calls.push(chat(gateway, { token, prompt: 'long' }).answer)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
    await begin(30)
    gateway.signal('SIGUSR2')
    await begin(60)
    await waitFor('all are new', () => times(gateway, 'workers_rolled') === 1, DEADLINE_MS)
    rolled = true
    await begin(10)
    const answers = await within('all answers', DEADLINE_MS, Promise.all(calls))
    expect(rolled).toBe(true)
    const bad = answers.filter(({ status, complete, text }) => {
      return status !== 200 || !complete || readStream(text).content !== 'word '.repeat(20)
    })
    expect(bad).toEqual([])
    // The limit is of all workers together.
    expect((await chat(gateway, { token }).answer).status).toBe(429)
    // Two records of each, from workers that are gone and those that are not.
    expect(await served(gateway)).toBeGreaterThanOrEqual(201)
    expect(await metrics(gateway)).toMatch(/^sallyport_workers 2$/m)
    expect(await metrics(gateway)).toMatch(/^sallyport_worker_starts_total 4$/m)
    await gateway.stop()
    for (const log of logs(gateway)) {
      expect(await sallyport(['audit', 'verify', join('audit', log)], { cwd: gateway.dir })).toMatchObject({ code: 0 })
    }
    expect(existsSync(join(gateway.dir, 'audit/audit.jsonl'))).toBe(false)
    expect(gateway.output()).not.toMatch(/internal_error|unhandled|uncaught/i)
  }, 60_000)

  test('one that dies is started again; all of them read a new configuration; SIGTERM lets streams finish', async () => {
    await using gateway = await start()
    const token = await gateway.mint()
    const pids = () => [...gateway.output().matchAll(/"event":"worker_ended".*?"pid":(\d+)/g)].map(([, pid]) => pid)
    const [victim] = readFileSync(`/proc/${gateway.pid}/task/${gateway.pid}/children`, 'utf8').trim().split(' ')
    process.kill(Number(victim), 'SIGKILL')
    await waitFor('its end is seen', () => pids().includes(victim), DEADLINE_MS)
    await waitFor('another listens', () => times(gateway, 'listening') === 3, DEADLINE_MS)
    expect(await metrics(gateway)).toMatch(/^sallyport_worker_crashes_total 1$/m)

    writeSettings(gateway, settings => ({ ...settings, models: [...models(), { ...models()[0], id: 'new' }] }))
    gateway.signal('SIGHUP')
    await waitFor('both have it', () => times(gateway, 'config_reloaded') === 2, DEADLINE_MS)
    const answers = Array.from({ length: 8 }, () => chat(gateway, { token, model: 'new' }).answer)
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200)

    const running = Array.from({ length: 4 }, () => chat(gateway, { token, prompt: 'long' }))
    await waitFor('streams run', () => running.every(call => call.text().includes('word')))
    gateway.signal('SIGTERM')
    for (const { text, complete } of await Promise.all(running.map(({ answer }) => answer))) {
      expect([complete, readStream(text).content]).toEqual([true, 'word '.repeat(20)])
    }
    expect(await within('the exit', DEADLINE_MS, gateway.exited)).toEqual({ code: 0, signal: null })
  }, 60_000)

  test('a rolling restart to something that does not start leaves what there is', async () => {
    await using gateway = await start()
    writeSettings(gateway, settings => ({ ...settings, models: [] }))
    gateway.signal('SIGUSR2')
    await waitFor('it is given up', () => times(gateway, 'workers_not_rolled') === 1, DEADLINE_MS)
    expect((await chat(gateway, { token: await gateway.mint() }).answer).status).toBe(200)
    expect(await metrics(gateway)).toMatch(/^sallyport_workers 2$/m)
  }, 60_000)

  test('is refused where each would count for itself', async () => {
    const refused = await startGateway({ runtime, config: { models: models() }, args: ['--workers', '2'] }).catch(
      String,
    )
    expect(refused).toContain('state: embedded counts in one process')
    const none = await sallyport(['serve', '--workers', '0'], { cwd: tempDir(), runtime })
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('from 1 to 256')])
  })
})
