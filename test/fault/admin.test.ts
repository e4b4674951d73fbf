import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rotateKeys } from '../../adapters/cli/rotate-keys.ts'
import { type Gateway, type Redis, type Runtime, startGateway, startRedis, waitFor } from '../support/index.ts'
import { allRecordsOf, verifyLog } from './support/log.ts'
import { type ModelServer, modelServer } from './support/model.ts'

const EVERYTHING = 'inference models:admin tokens:admin usage:read'

describe.each<Runtime>(['node', 'bun'])('the admin API in trouble, of the gateway on %s', runtime => {
  let server: ModelServer
  let redis: Redis
  let gateway: Gateway
  let token: string

  beforeAll(async () => {
    ;[server, redis] = await Promise.all([modelServer(), startRedis()])
    gateway = await startGateway({
      runtime,
      config: {
        state: redis.url,
        admin: { issue: {} },
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'vllm' }] }],
        quotas: [{ name: 'token-hour', per: ['token'], requests: 100, window: '1h' }],
      },
    })
    token = await gateway.mint({ scope: EVERYTHING })
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([server?.stop(), redis?.stop()])
  })

  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(gateway.adminUrl + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5000),
    })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }
  const issue = (team: string) => call('POST', '/admin/tokens', { team, app: 'a', env: 'e' })
  const listed = async (team: string) => (await call('GET', `/admin/tokens?team=${team}`)).json['tokens'] as unknown[]

  test('nothing changes, and nothing is told, while the audit log cannot be written', async () => {
    const folder = join(gateway.dir, 'audit')
    renameSync(folder, `${folder}-away`)
    const asked = server.requests.length
    for (const [method, path, body] of [
      ['POST', '/admin/tokens', { team: 'unrecorded', app: 'a', env: 'e' }],
      ['POST', '/admin/revocations', { target: { kind: 'team', team: 'unrecorded' } }],
      ['POST', '/admin/models/m/sleep'],
      ['GET', '/admin/tokens'],
    ] as const) {
      const { status, json } = await call(method, path, body)
      expect([path, status, json['code']]).toEqual([path, 503, 'audit_unavailable'])
      expect(JSON.stringify(json)).not.toContain('eyJ')
    }
    expect(server.requests.length).toBe(asked)
    renameSync(`${folder}-away`, folder)
    await waitFor('the log works', async () => (await call('GET', '/admin/tokens')).status === 200)
    expect(await listed('unrecorded')).toEqual([])
    expect((await call('GET', '/admin/revocations')).json['revocations']).toEqual([])
    expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
  })

  test('what signs is the key in the file: a rotated key within a second or two, a discarded one no more', async () => {
    const keys = join(gateway.dir, 'keys')
    const { kid } = await rotateKeys(keys, { discard: false, nowMs: Date.now() })
    // Its public part is looked for at once, or, where that was done a moment ago, with the next look.
    const issued = await waitFor('the rotated key', async () => {
      const answer = await issue('rotated')
      return answer.status === 201 ? answer : undefined
    })
    expect([issued.status, issued.json['keyId']]).toEqual([201, kid])
    const path = `${gateway.url}/v1/models`
    const listing = await fetch(path, { headers: { authorization: `Bearer ${String(issued.json['token'])}` } })
    expect(listing.status).toBe(200)
    await listing.text()
    // The private key is still here, its public part is gone: such tokens would be refused.
    const file = join(keys, 'public.jwks.json')
    const whole = readFileSync(file, 'utf8')
    const { keys: all } = JSON.parse(whole) as { keys: { kid: string }[] }
    writeFileSync(file, JSON.stringify({ keys: all.filter(key => key.kid !== kid) }))
    const refused = await waitFor('the key is gone', async () => {
      const answer = await issue('discarded')
      return answer.status === 201 ? undefined : answer
    })
    expect([refused.status, refused.json['code'], refused.json['token']]).toEqual([503, 'keys_unavailable', undefined])
    writeFileSync(file, whole)
    await waitFor('the key is back', async () => (await issue('back')).status === 201)
  })

  test('no token leaves that the registry does not have; usage says that the store is away', async () => {
    redis.pause()
    const issued = await issue('unregistered')
    expect([issued.status, issued.json['code'], issued.json['token']]).toEqual([503, 'registry_unavailable', undefined])
    const revoked = await call('POST', '/admin/revocations', { target: { kind: 'team', team: 'kept' } })
    expect([revoked.status, revoked.json['code']]).toEqual([503, 'registry_unavailable'])
    const usage = await call('GET', '/admin/usage?team=blue&app=a&env=e&token=t')
    expect([usage.status, usage.json['code']]).toEqual([503, 'quota_unavailable'])
    redis.resume()
    await waitFor('the registry works', async () => (await issue('later')).status === 201)
    expect(await listed('later')).not.toEqual([])
    const outcomes = allRecordsOf(gateway)
      .filter(({ target }) => target === 'unregistered/a/e')
      .map(({ outcome, errorCode }) => [outcome, errorCode])
    expect(outcomes).toEqual([
      ['begun', undefined],
      ['failed', 'registry_unavailable'],
    ])
  })
})
