import { connect } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { waitFor } from '../support/index.ts'
import { chat, type Rig, replies } from './rig.ts'

/** Other spellings of what is offered here. What model servers offer besides is in `unreachable.ts`. */
const NEVER_FORWARDED = [
  ['/v1', '/v1/', '/v1/chat', '/v1/chat/completions/', '/V1/models', '/v1/chat/completions/input_tokens'],
  ['//v1/chat/completions', '/v1//chat/completions', '/v1/chat%2Fcompletions', '/v1/chat/completions%00'],
  ['/v1/chat/completions;x=1', '/v1/chat/completions/../../slots', '/v1/%2e%2e/slots', '/v1/chat/..%2f..%2fslots'],
].flat()

export function routes(rig: Rig): void {
  test('what is not offered is not found, and the model server never hears of it', async () => {
    const token = await rig.token()
    rig.answers(replies({ leaked: true }))
    const seen = await rig.seen(async () => {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const statuses = await Promise.all(
          NEVER_FORWARDED.map(async path => {
            const body = method === 'POST' ? chat() : undefined
            const reply = await rig.send(body, { path, method, token })
            return `${path} ${reply.status} ${reply.json()['error']?.code}`
          }),
        )
        expect(statuses).toEqual(NEVER_FORWARDED.map(path => `${path} 404 not_found`))
      }
    })
    expect(seen).toBe(0)
  })

  test.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['PUT', '/v1/chat/completions', 'POST'],
    ['DELETE', '/v1/completions', 'POST'],
    ['OPTIONS', '/v1/chat/completions', 'POST'],
    ['PATCH', '/v1/embeddings', 'POST'],
    ['POST', '/v1/models', 'GET'],
    ['DELETE', '/v1/models/m', 'GET'],
  ])('%s %s is not allowed, and says what is', async (method, path, allowed) => {
    const seen = await rig.seen(async () => {
      const reply = await rig.send(method === 'POST' ? chat() : undefined, { method, path })
      expect(reply.status).toBe(405)
      expect(reply.headers.get('allow')).toBe(allowed)
      expect(reply.headers.get('x-should-retry')).toBe('false')
      expect(reply.headers.get('access-control-allow-origin')).toBeNull()
      expect(reply.json()['error']).toMatchObject({ code: 'method_not_allowed', type: 'invalid_request_error' })
    })
    expect(seen).toBe(0)
  })

  test('HEAD answers as GET would, without a body', async () => {
    const models = await rig.send(undefined, { method: 'HEAD', path: '/v1/models' })
    expect([models.status, models.text]).toEqual([200, ''])
    const inference = await rig.send(undefined, { method: 'HEAD', path: '/v1/chat/completions' })
    expect([inference.status, inference.text]).toEqual([405, ''])
  })

  test('requests in absolute form do not make a proxy of it', async () => {
    const token = await rig.token()
    const seen = await rig.seen(async () => {
      const target = `${rig.upstream.url}/v1/chat/completions/control`
      const answer = await raw(
        rig.gateway.port,
        `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
      )
      expect(answer).toMatch(/^HTTP\/1\.1 40[04] /)
      const tunnel = await raw(rig.gateway.port, `CONNECT 127.0.0.1:${rig.upstream.port} HTTP/1.1\r\nhost: x\r\n\r\n`)
      expect(tunnel).not.toMatch(/^HTTP\/1\.1 2/)
    })
    expect(seen).toBe(0)
  })

  test('two lengths in one request are refused, not passed on in part', async () => {
    const token = await rig.token()
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`
    const inner = 'POST /v1/completions HTTP/1.1\r\nhost: x\r\n\r\n'
    rig.answers(replies({ leaked: true }))
    const seen = await rig.seen(async () => {
      const both = `${head}content-length: 4\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n${inner}`
      expect(await raw(rig.gateway.port, both)).not.toContain('leaked')
      const twice = `${head}content-length: 0\r\ncontent-length: ${inner.length}\r\nconnection: close\r\n\r\n${inner}`
      expect(await raw(rig.gateway.port, twice)).not.toContain('leaked')
    })
    expect(seen).toBe(0)
  })

  test('what is no HTTP, or too much of it, is refused without a word about the inside', async () => {
    const get = 'GET /v1/models HTTP/1.1\r\nhost: x\r\n'
    for (const bytes of [
      'nonsense\r\n\r\n',
      `${get}x-long: ${'x'.repeat(100_000)}\r\n\r\n`,
      `${get}bad header\r\n\r\n`,
      `${get}upgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-key: x\r\n\r\n`,
    ]) {
      const answer = await raw(rig.gateway.port, bytes)
      expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
      expect(answer).not.toMatch(/\bat \S+ \(|node:|stack/i)
    }
    expect((await rig.send(undefined, { method: 'GET', path: '/v1/models' })).status).toBe(200)
  })

  test('alive and ready are different questions', async () => {
    for (const gateway of [rig.gateway, rig.other]) {
      const alive = await rig.send(undefined, { method: 'GET', path: '/healthz', token: null, gateway })
      expect([alive.status, alive.json()['status']]).toEqual([200, 'ok'])
    }
    rig.answers(replies({ object: 'list', data: [] }))
    await waitFor('ready', async () => {
      const ready = await rig.send(undefined, { method: 'GET', path: '/readyz', token: null })
      return ready.status === 200 && ready.json()['ready'] === true
    })
    const reply = await rig.send(undefined, { method: 'GET', path: '/readyz', token: null, gateway: rig.other })
    expect(reply.status).toBe(503)
    expect(reply.json()).toMatchObject({ ready: false, upstream: false, state: true, audit: true })
    expect(reply.text).not.toContain('127.0.0.1')
  })

  test('the models are those that the token may use, and tell nothing of their servers', async () => {
    const list = await rig.send(undefined, { method: 'GET', path: '/v1/models', claims: { models: ['s*', 'm'] } })
    expect(list.json()).toMatchObject({ object: 'list' })
    expect((list.json()['data'] as { id: string }[]).map(({ id }) => id)).toEqual(['m', 'short', 'small'])
    expect(list.text).not.toMatch(/127\.0\.0\.1|vllm|marzipan/)
    const one = await rig.send(undefined, { method: 'GET', path: '/v1/models/m' })
    expect(one.json()).toMatchObject({ id: 'm', object: 'model' })
    for (const [path, claims] of [
      ['/v1/models/none', {}],
      ['/v1/models/guided', { models: ['m'] }],
      ['/v1/models/..%2f..%2fslots', {}],
    ] as const) {
      const reply = await rig.send(undefined, { method: 'GET', path, claims })
      expect([reply.status, reply.json()['error'].code]).toEqual([404, 'model_not_found'])
    }
  })
}

/** Sends bytes and gives everything that comes back until the connection closes, or for two seconds. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(2000, () => socket.end())
  socket.on('error', () => undefined)
  socket.write(bytes)
  return readAll(socket).catch(() => '')
}
