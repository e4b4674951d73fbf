import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  startGateway,
  waitFor,
  within,
} from '../support/index.ts'
import type { Json } from './events.ts'
import type { Reply, Rig, Values } from './rig.ts'

/** vLLM with sleep mode and adapters that can be changed, as far as its management goes. */
class Vllm {
  sleeping = false
  readonly adapters = new Map<string, string>()
  /** Started without the switches: these routes are not there. */
  plain = false

  answer(script: Script): unknown {
    const { method, path } = script.request
    const at = `${method} ${path}`
    if (at === 'GET /v1/models') {
      const ids = ['big', ...this.adapters.keys()]
      return script.reply(200, { object: 'list', data: ids.map(id => ({ id, object: 'model' })) })
    }
    if (at === 'GET /health') return script.reply(200, {})
    if (this.plain) return script.reply(404, { detail: 'Not Found' })
    if (at === 'GET /is_sleeping') return script.reply(200, { is_sleeping: this.sleeping })
    if (at === 'POST /sleep?level=1' || at === 'POST /wake_up') {
      this.sleeping = path !== '/wake_up'
      return script.reply(200, null)
    }
    const { lora_name: name = '', lora_path: file = '' } = script.json() as Record<string, string>
    if (at === 'POST /v1/load_lora_adapter') {
      if (this.adapters.has(name)) return script.reply(400, error('already loaded'))
      this.adapters.set(name, file)
    } else if (at === 'POST /v1/unload_lora_adapter') {
      if (!this.adapters.delete(name)) return script.reply(404, error('The lora adapter cannot be found'))
    } else return script.reply(404, { detail: 'Not Found' })
    return script.reply(200, `Success: ${name}`)
  }
}

/** Ollama, as far as its management goes. */
class Ollama {
  readonly disk = new Set<string>()
  readonly memory = new Set<string>()

  answer(script: Script): unknown {
    const { method, path } = script.request
    const at = `${method} ${path}`
    const listed = (names: Set<string>) =>
      script.reply(200, { models: [...names].map(name => ({ name, model: name })) })
    if (at === 'GET /api/version') return script.reply(200, { version: '0.12.0' })
    if (at === 'GET /api/tags') return listed(this.disk)
    if (at === 'GET /api/ps') return listed(this.memory)
    const {
      model,
      keep_alive: keep,
      stream,
    } = script.json() as { model: string; keep_alive?: number; stream?: boolean }
    const name = model.includes(':') ? model : `${model}:latest`
    if (at === 'POST /api/pull') {
      if (stream !== false) return script.reply(200, 'a stream that nobody asked for')
      if (model.includes('missing')) return script.reply(200, { error: 'pull model manifest: file does not exist' })
      this.disk.add(name)
      return script.reply(200, { status: 'success' })
    }
    if (!this.disk.has(name)) return script.reply(404, { error: `model '${model}' not found` })
    if (at === 'DELETE /api/delete') {
      this.disk.delete(name)
      this.memory.delete(name)
      return script.reply(200, null)
    }
    if (at !== 'POST /api/generate') return script.reply(404, { error: 'not found' })
    if (keep === 0) this.memory.delete(name)
    else this.memory.add(name)
    return script.reply(200, { model, done: true, done_reason: keep === 0 ? 'unload' : 'load' })
  }
}

const error = (text: string) => ({ error: { message: text, type: 'NotFoundError' } })

/** Managing models, on servers that behave as vLLM and Ollama do. */
export function adminModels(rig: Rig): void {
  let vllm: Vllm
  let ollama: Ollama
  let vllmServer: ScriptedUpstream
  let ollamaServer: ScriptedUpstream
  let gateway: Gateway
  let front: Gateway
  let hold: ((script: Script) => unknown) | undefined

  beforeAll(async () => {
    vllmServer = await scriptedUpstream(script => (hold ?? (one => vllm.answer(one)))(script))
    ollamaServer = await scriptedUpstream(script => ollama.answer(script))
    const upstream = (server: ScriptedUpstream, kind: string) => ({
      url: `${server.url}/v1`,
      kind,
      apiKey: 'marzipan-server-key',
      // The tests count what a server is asked.
      health: { every: '10m' },
    })
    const small = upstream(ollamaServer, 'ollama')
    gateway = await startGateway({
      runtime: rig.runtime,
      config: {
        admin: { pullFrom: ['registry.ollama.ai'] },
        timeouts: { firstByte: '1s', idle: '1s', total: '2s' },
        models: [
          { id: 'big', upstreams: [upstream(vllmServer, 'vllm')], adapters: [{ name: 'sql', path: '/adapters/sql' }] },
          { id: 'llama3.2', upstreams: [small] },
          { id: 'missing', upstreams: [small] },
          { id: 'evil.example/x/model', upstreams: [small] },
          { id: 'mixed', upstreams: [upstream(vllmServer, 'vllm'), { ...small, url: `${ollamaServer.url}/v1` }] },
        ],
      },
    })
    front = { ...gateway, url: gateway.adminUrl }
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([vllmServer?.stop(), ollamaServer?.stop()])
  })
  beforeEach(() => {
    vllm = new Vllm()
    ollama = new Ollama()
    hold = undefined
  })

  const call = (method: string, path: string, body?: unknown, claims: Values = {}) =>
    rig.send(body, {
      method,
      path: `/admin/models${path}`,
      gateway: front,
      claims: { scope: 'models:admin', ...claims },
    })
  const resultOf = (reply: Reply) => (reply.json()['results'] as Json[])[0]
  const stateOf = async (id: string) =>
    ((await call('GET', `/${encodeURIComponent(id)}`)).json()['upstreams'] as Json[]).map(({ state }) => state)

  describe('vLLM', () => {
    test('sleeps and wakes', async () => {
      expect(await stateOf('big')).toEqual(['loaded'])
      expect(resultOf(await call('POST', '/big/sleep'))).toMatchObject({ kind: 'vllm', ok: true, state: 'sleeping' })
      expect([vllm.sleeping, ...(await stateOf('big'))]).toEqual([true, 'sleeping'])
      expect(resultOf(await call('POST', '/big/wake'))).toMatchObject({ ok: true, state: 'loaded' })
      expect(vllm.sleeping).toBe(false)
    })

    test('loads adapters that the configuration names, from where it says', async () => {
      expect((await call('POST', '/big/adapters', { name: 'sql' })).status).toBe(200)
      expect([...vllm.adapters]).toEqual([['sql', '/adapters/sql']])
      expect((await call('GET', '/big/adapters')).json()).toMatchObject({
        adapters: ['sql'],
        upstreams: [{ loaded: ['sql'] }],
      })
      expect((await call('DELETE', '/big/adapters/sql')).status).toBe(200)
      expect((await call('GET', '/big/adapters')).json()).toMatchObject({ upstreams: [{ loaded: [] }] })
      const again = await call('DELETE', '/big/adapters/sql')
      expect([again.status, again.json()['code']]).toEqual([502, 'upstream_failed'])
    })

    test('loads no other adapter, and takes no path from callers', async () => {
      // The pool asks how the server is meanwhile.
      const asked = () => vllmServer.requests.filter(({ path }) => path !== '/health').length
      const before = asked()
      expect((await call('POST', '/big/adapters', { name: 'other' })).json()).toMatchObject({
        status: 404,
        code: 'not_found',
      })
      expect((await call('POST', '/big/adapters', { name: '../../etc' })).json()).toMatchObject({
        code: 'invalid_value',
      })
      const withPath = await call('POST', '/big/adapters', { name: 'sql', path: '/etc/passwd' })
      expect(withPath.json()).toMatchObject({ code: 'unknown_field', param: 'path' })
      expect(asked()).toBe(before)
    })

    test('started without the switches, offers neither', async () => {
      vllm.plain = true
      for (const [method, path, body, said] of [
        ['POST', '/big/sleep', undefined, 'VLLM_SERVER_DEV_MODE'],
        ['POST', '/big/adapters', { name: 'sql' }, 'VLLM_ALLOW_RUNTIME_LORA_UPDATING'],
      ] as const) {
        const reply = await call(method, path, body)
        expect([reply.status, reply.json()['code']]).toEqual([501, 'not_offered'])
        expect(reply.text).toContain(said)
      }
      expect(await stateOf('big')).toEqual(['loaded'])
    })

    test('does not load: the answer says what it offers', async () => {
      const reply = await call('POST', '/big/load')
      expect([reply.status, reply.json()['code']]).toEqual([501, 'not_offered'])
      expect(reply.json()['detail']).toContain('vllm offers sleep, wake, adapters')
    })

    test('has one action at a time; one that takes too long is given up', async () => {
      hold = script => script.stall()
      const asked = () => vllmServer.requests.filter(({ path }) => path === '/sleep?level=1').length
      const before = asked()
      const first = call('POST', '/big/sleep')
      await waitFor('the server is asked', () => asked() > before)
      const second = await call('POST', '/big/wake')
      expect([second.status, second.json()['code']]).toEqual([409, 'action_in_progress'])
      const late = await within('the deadline', 5000, first)
      expect([late.status, late.json()['code']]).toEqual([504, 'upstream_timeout'])
      hold = undefined
      expect((await call('POST', '/big/wake')).status).toBe(200)
    })
  })

  describe('Ollama', () => {
    test('pulls, loads, unloads and deletes', async () => {
      expect(await stateOf('llama3.2')).toEqual(['absent'])
      expect((await call('POST', '/llama3.2/load')).json()).toMatchObject({
        code: 'upstream_failed',
        model: 'llama3.2',
      })
      expect(resultOf(await call('POST', '/llama3.2/pull'))).toMatchObject({ ok: true, state: 'unloaded' })
      expect(resultOf(await call('POST', '/llama3.2/load'))).toMatchObject({ ok: true, state: 'loaded' })
      expect(JSON.parse(ollamaServer.requests.findLast(({ path }) => path === '/api/generate')?.body ?? '')).toEqual({
        model: 'llama3.2',
        keep_alive: -1,
        stream: false,
      })
      expect(resultOf(await call('POST', '/llama3.2/unload'))).toMatchObject({ ok: true, state: 'unloaded' })
      expect(resultOf(await call('DELETE', '/llama3.2'))).toMatchObject({ ok: true, state: 'absent' })
      expect((await call('DELETE', '/llama3.2')).status).toBe(200)
    })

    test('pulls from registries that are named, and only what is configured', async () => {
      const pulls = () => ollamaServer.requests.filter(({ path }) => path === '/api/pull').length
      const before = pulls()
      const foreign = await call('POST', `/${encodeURIComponent('evil.example/x/model')}/pull`)
      expect([foreign.status, foreign.json()['code']]).toEqual([403, 'action_forbidden'])
      const unknown = await call('POST', '/qwen3/pull')
      expect([unknown.status, unknown.json()['code']]).toEqual([404, 'model_not_found'])
      expect(pulls()).toBe(before)
      expect((await call('POST', '/missing/pull')).json()).toMatchObject({ status: 502, code: 'upstream_failed' })
    })
  })

  test('of several servers, those that offer it do it, or the one that is named', async () => {
    ollama.disk.add('mixed:latest')
    const both = await call('POST', '/mixed/load')
    expect(both.status).toBe(200)
    expect(both.json()['results']).toMatchObject([
      { kind: 'vllm', ok: false, code: 'not_offered' },
      { kind: 'ollama', ok: true, state: 'loaded' },
    ])
    const one = await call('POST', `/mixed/load?upstream=${encodeURIComponent(`${vllmServer.url}/v1`)}`)
    expect(one.status).toBe(501)
    const none = await call('POST', '/mixed/load?upstream=http%3A%2F%2Felsewhere.example%2Fv1')
    expect(none.json()).toMatchObject({ status: 400, code: 'invalid_value', param: 'upstream' })
  })

  test('a token manages the models that it may use, and no others', async () => {
    const claims = { models: ['llama*'] }
    const list = await rig.send(undefined, {
      method: 'GET',
      path: '/admin/models',
      gateway: front,
      claims: { scope: 'models:read', ...claims },
    })
    expect((list.json()['models'] as Json[]).map(({ id }) => id)).toEqual(['llama3.2'])
    for (const [method, path] of [
      ['POST', '/big/sleep'],
      ['GET', '/big'],
      ['POST', '/nothing/load'],
    ] as const) {
      expect((await call(method, path, undefined, claims)).json()).toMatchObject({
        status: 403,
        code: 'model_forbidden',
      })
    }
    expect(vllm.sleeping).toBe(false)
  })

  test('servers get their own key; records say what was done, and keep it', async () => {
    const reply = await call('POST', '/big/sleep')
    expect(vllmServer.requests.every(({ headers }) => headers.authorization === 'Bearer marzipan-server-key')).toBe(
      true,
    )
    const id = reply.headers.get('x-request-id')
    const records = await waitFor('both records', () => {
      const all = rig
        .auditText(gateway)
        .split('\n')
        .filter(line => line.includes(`"requestId":"${id}"`))
      return all.length === 2 ? all.map(line => JSON.parse(line) as Json) : undefined
    })
    expect(records).toMatchObject([
      { action: 'models.sleep', target: 'big', outcome: 'begun' },
      { action: 'models.sleep', target: 'big', outcome: 'served', status: 200 },
    ])
    const failed = await call('POST', '/llama3.2/load')
    const record = await rig.record(failed, gateway)
    expect(record).toMatchObject({ action: 'models.load', target: 'llama3.2' })
    expect(rig.auditText(gateway)).not.toContain('marzipan-server-key')
    expect(reply.text).not.toContain('marzipan-server-key')
  })
}
