import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  startGateway,
  waitFor,
} from '../support/index.ts'
import { type Json, message } from './events.ts'
import { chat, type Reply, type Rig, type Values } from './rig.ts'

/** Two servers of one model that an administrator takes out of use and back. */
export function drain(rig: Rig): void {
  const servers: ScriptedUpstream[] = []
  let gateway: Gateway
  let front: Gateway
  /** Answers do not end before it settles. */
  let held = Promise.resolve()

  const answer = async (script: Script) => {
    if (script.request.method === 'GET') return script.reply(200, { object: 'list', data: [] })
    if (script.json()['stream'] !== true) return script.reply(200, message({ content: 'hello' }))
    await script.head()
    await script.event({ choices: [{ index: 0, delta: { content: 'begun ' } }] })
    await held
    await script.event({ choices: [{ index: 0, delta: { content: 'ended' }, finish_reason: 'stop' }] })
    await script.chunk('data: [DONE]\n\n')
    return script.finish()
  }

  beforeAll(async () => {
    servers.push(await scriptedUpstream(answer), await scriptedUpstream(answer))
    const upstreams = servers.map(({ url }) => ({ url: `${url}/v1`, kind: 'vllm', health: { every: '10m' } }))
    gateway = await startGateway({
      runtime: rig.runtime,
      config: {
        admin: {},
        models: [
          { id: 'm', upstreams },
          { id: 'narrow', upstreams: [{ ...upstreams[0], maxInFlight: 1 }] },
        ],
      },
    })
    front = { ...gateway, url: gateway.adminUrl }
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all(servers.map(server => server.stop()))
  })

  const url = (at: number) => `${servers[at]?.url}/v1`
  const manage = (method: string, path: string, claims: Values = {}) =>
    rig.send(undefined, {
      method,
      path: `/admin/models${path}`,
      gateway: front,
      claims: { scope: 'models:admin', ...claims },
    })
  const at = (server: number) => `?upstream=${encodeURIComponent(url(server))}`
  const shown = async (): Promise<Json[]> => (await manage('GET', '/m')).json()['upstreams'] as Json[]
  const chatsAt = (server: number) =>
    servers[server]?.requests.filter(({ path }) => path.startsWith('/v1/chat')).length ?? 0
  const ask = (fields: Values = {}) => rig.send({ ...chat(), ...fields }, { gateway })
  const expectDrained = (reply: Reply) => {
    expect([reply.status, reply.json()['error']?.code, reply.headers.get('retry-after')]).toEqual([
      503,
      'upstream_unavailable',
      '10',
    ])
  }

  describe('draining', () => {
    test('streams under way finish, new requests go elsewhere, and nothing goes anywhere when all are drained', async () => {
      const end = Promise.withResolvers<void>()
      held = end.promise
      const before = [chatsAt(0), chatsAt(1)] as const
      // One conversation of its own for each, until both servers have one.
      const streams: Promise<Reply>[] = []
      await waitFor('a stream at each server', async () => {
        if (chatsAt(0) > before[0] && chatsAt(1) > before[1]) return true
        streams.push(ask({ stream: true, messages: [{ role: 'user', content: `conversation ${streams.length}` }] }))
        return false
      })
      const drained = await manage('POST', `/m/drain${at(0)}`)
      expect(drained.status).toBe(200)
      expect(drained.json()).toMatchObject({ model: 'm', upstreams: [{ url: url(0), draining: true }] })
      expect((drained.json()['upstreams'] as Json[])[0]?.['inFlight']).toBeGreaterThan(0)
      const seen = [chatsAt(0), chatsAt(1)] as const
      for (let index = 0; index < 10; index++) {
        // The conversations of the drained server too.
        const content = `conversation ${index % streams.length}`
        expect((await ask({ messages: [{ role: 'user', content }] })).status).toBe(200)
      }
      expect([chatsAt(0) - seen[0], chatsAt(1) - seen[1]]).toEqual([0, 10])

      expect((await manage('POST', '/m/drain')).json()).toMatchObject({
        upstreams: [{ draining: true }, { draining: true }],
      })
      expectDrained(await ask())
      expect([chatsAt(0) - seen[0], chatsAt(1) - seen[1]]).toEqual([0, 10])

      end.resolve()
      for (const stream of await Promise.all(streams)) {
        expect([stream.status, stream.text.includes('ended'), stream.text.includes('[DONE]')]).toEqual([
          200,
          true,
          true,
        ])
      }
      await waitFor('nothing is under way', async () => (await shown()).every(({ inFlight }) => inFlight === 0))
      expect(await shown()).toMatchObject([{ draining: true }, { draining: true }])

      expect((await manage('POST', `/m/undrain${at(0)}`)).json()).toMatchObject({ upstreams: [{ draining: false }] })
      for (let index = 0; index < 4; index++) expect((await ask()).status).toBe(200)
      expect([chatsAt(0) - seen[0], chatsAt(1) - seen[1]]).toEqual([4, 10])
      expect((await manage('POST', '/m/undrain')).status).toBe(200)
      expect(await shown()).toMatchObject([{ draining: false }, { draining: false }])
    })

    test('who waits for a place is sent away when the last server is drained', async () => {
      const end = Promise.withResolvers<void>()
      held = end.promise
      const before = chatsAt(0)
      const first = ask({ model: 'narrow', stream: true })
      await waitFor('the place is taken', () => chatsAt(0) > before)
      const second = ask({ model: 'narrow' })
      await waitFor('the second waits', async () =>
        (await metrics()).includes('sallyport_model_queue_depth{model="narrow"} 1'),
      )
      expect((await manage('POST', '/narrow/drain')).status).toBe(200)
      expectDrained(await second)
      end.resolve()
      expect((await first).text).toContain('[DONE]')
      expect((await manage('POST', '/narrow/undrain')).status).toBe(200)
      expect((await ask({ model: 'narrow' })).status).toBe(200)
    })

    test('is recorded with the server, and counted', async () => {
      const reply = await manage('POST', `/m/drain${at(1)}`)
      expect(await rig.record(reply, gateway)).toMatchObject({
        action: 'models.drain',
        target: `m at ${url(1)}`,
        outcome: 'served',
      })
      expect(await metrics()).toContain(`sallyport_upstream_changes_total{change="draining",upstream="${url(1)}"}`)
      await manage('POST', `/m/undrain${at(1)}`)
    })

    test('is for those who manage the model, and for its own servers', async () => {
      expect((await manage('POST', '/m/drain', { scope: 'models:read' })).json()).toMatchObject({
        code: 'scope_missing',
      })
      expect((await manage('POST', '/m/drain', { models: ['other'] })).json()).toMatchObject({
        code: 'model_forbidden',
      })
      expect((await manage('POST', '/nothing/drain')).json()).toMatchObject({ code: 'model_not_found' })
      const elsewhere = await manage('POST', '/m/drain?upstream=http%3A%2F%2Felsewhere.example%2Fv1')
      expect(elsewhere.json()).toMatchObject({ status: 400, code: 'invalid_value', param: 'upstream' })
      expect(await shown()).toMatchObject([{ draining: false }, { draining: false }])
    })
  })

  const metrics = async () =>
    (await rig.send(undefined, { method: 'GET', path: '/metrics', gateway: front, token: null })).text
}
