import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Runtime, startGateway, waitFor, within } from '../support/index.ts'
import { chat, readStream } from './support/caller.ts'
import { allRecordsOf, verifyLog } from './support/log.ts'
import { answerWell, type ModelServer, modelServer } from './support/model.ts'
import { reload, times, writeSettings } from './support/settings.ts'

const DEADLINE_MS = 20_000

/** Descriptors that a process has open. */
const handles = ({ pid }: Gateway) => readdirSync(`/proc/${pid}/fd`).length

describe.each<Runtime>(['node', 'bun'])('the gateway on %s reads its configuration again', runtime => {
  let server: ModelServer
  /** Let the answers to `held` go on. */
  let release: () => void
  let held: Promise<void>
  beforeAll(async () => {
    server = await modelServer()
    server.on('long', script => answerWell(script, Array<string>(15).fill('word '), 40))
    server.on('mail', script => answerWell(script, ['write to ', 'ann@example.com']))
    server.on('held', async script => {
      await script.head()
      await script.event({ choices: [{ index: 0, delta: { content: 'first ' } }] })
      await held
      await script.event({ choices: [{ index: 0, delta: { content: 'ann@example.com' }, finish_reason: 'stop' }] })
      await script.event('[DONE]')
      await script.finish()
    })
    hold()
  })
  afterAll(() => server?.stop())
  const hold = () => ({ promise: held, resolve: release } = Promise.withResolvers<void>())

  const upstream = (more = {}) => ({ url: `${server.url}/v1`, kind: 'openai', ...more })
  const start = (config = {}) =>
    startGateway({ runtime, config: { models: [{ id: 'm', upstreams: [upstream()] }], ...config } })
  const metrics = async ({ adminUrl }: Gateway) => (await fetch(`${adminUrl}/metrics`)).text()

  test('new requests get all of it, streams that run finish as they began, and what was used stays used', async () => {
    hold()
    const week = { name: 'week', per: ['team'], requests: 3, window: '7d' }
    await using gateway = await start({ quotas: [week], guard: { output: { pii: 'off' } } })
    const token = await gateway.mint()
    const running = chat(gateway, { token, prompt: 'held' })
    await waitFor('it runs', () => running.text().includes('first'))
    expect((await chat(gateway, { token, prompt: 'mail' }).answer).text).toContain('ann@example.com')

    writeSettings(gateway, settings => ({
      ...settings,
      models: [
        { id: 'm', upstreams: [upstream({ maxInFlight: 8 })] },
        { id: 'new', upstreams: [upstream()] },
      ],
      guard: { output: { pii: 'redact' } },
    }))
    await reload(gateway)

    const guarded = await chat(gateway, { token, prompt: 'mail', model: 'new' }).answer
    expect(guarded.status).toBe(200)
    expect(guarded.text).not.toContain('ann@')
    expect((await chat(gateway, { token, prompt: 'mail' }).answer).status).toBe(429)
    writeSettings(gateway, settings => ({ ...settings, quotas: [{ ...week, requests: 5 }] }))
    await reload(gateway)
    expect((await chat(gateway, { token, prompt: 'mail' }).answer).status).toBe(200)

    release()
    expect(readStream((await running.answer).text)).toMatchObject({ content: 'first ann@example.com', done: true })
    const sha256 = createHash('sha256')
      .update(readFileSync(join(gateway.dir, 'sallyport.yaml')))
      .digest('hex')
    expect(gateway.output()).toContain(`"sha256":"${sha256}","changed":"quotas"`)
    const reloads = allRecordsOf(gateway).filter(({ action }) => action === 'config.reload')
    expect(reloads.map(({ outcome }) => outcome)).toEqual(['begun', 'served', 'begun', 'served'])
    expect(reloads.at(-1)?.target).toBe(`sha256:${sha256}`)
    expect(await metrics(gateway)).toContain('sallyport_config_reloads_total{result="loaded"} 2')
    await gateway.stop()
    expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
  })

  test('a bad one, or one that needs a restart, changes nothing, and the field is named', async () => {
    await using gateway = await start()
    const token = await gateway.mint()
    const refused = async (change: Parameters<typeof writeSettings>[1], reason: string) => {
      const good = readFileSync(join(gateway.dir, 'sallyport.yaml'), 'utf8')
      writeSettings(gateway, change)
      await reload(gateway, 'config_not_reloaded')
      expect(
        gateway
          .output()
          .split('\n')
          .findLast(line => line.includes('config_not_reloaded')),
      ).toContain(reason)
      writeFileSync(join(gateway.dir, 'sallyport.yaml'), good)
      expect((await chat(gateway, { token }).answer).status).toBe(200)
    }
    await refused(settings => ({ ...settings, timeouts: { idle: 'soon' } }), 'timeouts.idle')
    await refused(settings => ({ ...settings, modles: [] }), 'modles')
    await refused(settings => ({ ...settings, models: [] }), 'models')
    await refused(
      settings => ({ ...settings, tokens: { ...(settings['tokens'] as object), jwks: 'keys/none.json' } }),
      'tokens.jwks',
    )
    await refused(
      settings => ({ ...settings, state: 'embedded:other.db', limits: { headers: 32 } }),
      'only a restart can change state, limits',
    )
    await refused(
      settings => ({ ...settings, audit: { ...(settings['audit'] as object), file: 'other.jsonl' } }),
      'audit.file',
    )
    expect(await metrics(gateway)).toContain('sallyport_config_reloads_total{result="refused"} 6')
    expect(allRecordsOf(gateway).filter(({ action, outcome }) => action && outcome === 'refused')).toHaveLength(6)
    expect(times(gateway, 'config_reloaded')).toBe(0)
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  })

  test('who waits in line keeps waiting, for the room that there is now', async () => {
    hold()
    await using gateway = await start({ models: [{ id: 'm', upstreams: [upstream({ maxInFlight: 1 })] }] })
    const token = await gateway.mint()
    const room = (maxInFlight: number, more = {}) =>
      writeSettings(gateway, settings => ({
        ...settings,
        models: [{ id: 'm', upstreams: [upstream({ maxInFlight })], ...more }],
        admission: { weights: { blue: maxInFlight } },
      }))
    const calls = [chat(gateway, { token, prompt: 'held' })]
    await waitFor('the first runs', () => calls[0]?.text().includes('first') ?? false)
    calls.push(chat(gateway, { token, prompt: 'held' }), chat(gateway, { token, prompt: 'held' }))
    const waiting = /^sallyport_queue_depth.* 2$/m
    await waitFor('two wait', async () => waiting.test(await metrics(gateway)))
    room(1, { maxOutputTokens: 1000 })
    await reload(gateway)
    // What runs counts on: nobody is let in beside it.
    expect(await metrics(gateway)).toMatch(waiting)
    room(2)
    await reload(gateway)
    await waitFor('one more runs', () => calls.filter(call => call.text().includes('first')).length === 2)
    expect(await metrics(gateway)).toMatch(/^sallyport_queue_depth.* 1$/m)
    release()
    for (const { status, complete } of await Promise.all(calls.map(({ answer }) => answer))) {
      expect([status, complete]).toEqual([200, true])
    }
  })

  test('50 times while streams run: none fails, and nothing is left behind', async () => {
    await using gateway = await start({
      models: [{ id: 'm', upstreams: [upstream(), upstream({ url: `${server.url}/other/v1`, weight: 0 })] }],
    })
    const token = await gateway.mint()
    // Connections towards model servers are kept for a while: as many as are needed at the same time.
    await Promise.all(Array.from({ length: 8 }, () => chat(gateway, { token, prompt: 'long' }).answer))
    await reload(gateway)
    const before = handles(gateway)
    let stop = false
    let served = 0
    const failed: unknown[] = []
    const streams = Array.from({ length: 8 }, async () => {
      while (!stop) {
        const { status, text, complete } = await chat(gateway, { token, prompt: 'long' }).answer
        const read = readStream(text)
        if (status === 200 && complete && read.done && read.content === 'word '.repeat(15)) served++
        else failed.push({ status, text })
      }
    })
    for (let at = 0; at < 50; at++) {
      writeSettings(gateway, settings => ({
        ...settings,
        models: [
          {
            id: 'm',
            upstreams: [upstream({ maxInFlight: 10 + at }), upstream({ url: `${server.url}/${at}/v1`, weight: 0 })],
          },
          { id: `m${at}`, upstreams: [upstream()] },
        ],
        tokens: { ...(settings['tokens'] as object), trusted: [trusted(at)] },
        guard: { output: { pii: at % 10 < 5 ? 'redact' : 'off' }, validators: [] },
      }))
      await reload(gateway)
    }
    stop = true
    await within('the last streams', DEADLINE_MS, Promise.all(streams))
    expect(failed).toEqual([])
    expect(served).toBeGreaterThan(8)
    expect(times(gateway, 'config_reloaded')).toBe(51)
    await waitFor('no handle is left', () => handles(gateway) <= before + 2, DEADLINE_MS)
    expect(gateway.output()).not.toMatch(/internal_error|MaxListeners|unhandled|uncaught/i)
  }, 60_000)

  const trusted = (at: number) => ({
    issuer: `https://idp-${at}.example`,
    jwks: 'keys/public.jwks.json',
    audience: 'llm',
    claims: { team: 'team', app: 'app' },
  })
})
