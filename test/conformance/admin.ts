import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROUTES } from '../../src/admin/routes.ts'
import { SCOPES, type Scope } from '../../src/auth/scopes.ts'
import { type Gateway, startGateway, waitFor } from '../support/index.ts'
import { type Json, message } from './events.ts'
import { chat, PROMPT, type Reply, type Rig, replies, type SendOptions, type Values } from './rig.ts'

interface Operation {
  readonly operationId: string
  readonly security: readonly { readonly bearer: readonly string[] }[]
  readonly requestBody?: object
}

/** Which scopes each operation takes. Said once more here, so that nobody widens one in passing. */
const SCOPES_OF: Readonly<Record<string, readonly Scope[]>> = {
  'tokens.list': ['tokens:admin'],
  'tokens.show': ['tokens:admin'],
  'tokens.issue': ['tokens:admin'],
  'revocations.list': ['tokens:admin'],
  'tokens.revoke': ['tokens:admin'],
  'models.list': ['models:read', 'models:admin'],
  'models.show': ['models:read', 'models:admin'],
  'models.load': ['models:admin'],
  'models.unload': ['models:admin'],
  'models.sleep': ['models:admin'],
  'models.wake': ['models:admin'],
  'models.pull': ['models:admin'],
  'models.delete': ['models:admin'],
  'models.drain': ['models:admin'],
  'models.undrain': ['models:admin'],
  'adapters.list': ['models:read', 'models:admin'],
  'adapters.load': ['models:admin'],
  'adapters.unload': ['models:admin'],
  'usage.show': ['usage:read'],
  'audit.search': ['audit:read'],
  'audit.state': ['audit:read'],
  'checklist.show': ['audit:read'],
  'openapi.show': ['models:read', 'models:admin', 'tokens:admin', 'usage:read', 'audit:read'],
}

/** What the admin listener is and does, as it can be told from outside. */
export function admin(rig: Rig): void {
  let gateway: Gateway
  /** The same gateway, at its admin listener. */
  let front: Gateway

  beforeAll(async () => {
    const upstreams = [{ url: `${rig.upstream.url}/v1`, kind: 'openai' }]
    gateway = await startGateway({
      runtime: rig.runtime,
      config: {
        admin: { issue: { maxTtl: '12h', scopes: ['inference', 'models:read', 'usage:read'] } },
        models: ['m', 'n'].map(id => ({ id, upstreams })),
        quotas: [
          { name: 'team-hour', per: ['team'], requests: 50, window: '1h' },
          { name: 'token-hour', per: ['token'], tokens: 9000, window: '1h' },
        ],
      },
    })
    front = { ...gateway, url: gateway.adminUrl }
    rig.answers(replies({ object: 'list', data: [] }))
  })
  afterAll(() => gateway?.stop())

  const call = (method: string, path: string, scope: string | null, body?: unknown, more: SendOptions = {}) =>
    rig.send(body, {
      method,
      path,
      gateway: front,
      ...(scope === null ? { token: null } : {}),
      ...more,
      claims: { scope, ...more.claims },
    })
  const issue = (body: Values, claims: Values = {}) =>
    call(
      'POST',
      '/admin/tokens',
      'tokens:admin inference models:read',
      { team: 't', app: 'a', env: 'e', ...body },
      { claims },
    )
  const records = () =>
    rig
      .auditText(gateway)
      .split('\n')
      .filter(line => line.endsWith('}'))
      .map(line => JSON.parse(line) as Json)
  const recordsOf = (reply: Reply) => {
    const id = reply.headers.get('x-request-id')
    return waitFor('its records', () => {
      const all = records().filter(({ requestId }) => requestId === id)
      return all.length > 0 ? all : undefined
    })
  }

  const expectProblem = (reply: Reply, status: number, code: string) => {
    expect([reply.status, reply.json()['code']]).toEqual([status, code])
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(reply.json()).toMatchObject({
      type: `urn:sallyport:error:${code}`,
      title: expect.any(String),
      status,
      requestId: reply.headers.get('x-request-id'),
    })
  }

  /** Every operation that the API's own description names. */
  const operations = async (): Promise<{ method: string; path: string; operation: Operation }[]> => {
    const document = (await call('GET', '/admin/openapi.json', 'audit:read')).json()
    return Object.entries(document['paths'] as Record<string, Record<string, Operation>>).flatMap(([path, byMethod]) =>
      Object.entries(byMethod).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    )
  }
  const filled = (path: string) => path.replace('{id}', 'm').replaceAll(/\{\w+\}/g, 'x')

  describe('who may do what', () => {
    test('each operation takes a token with one of its scopes, and no other', async () => {
      const all = await operations()
      expect(
        Object.fromEntries(
          all.map(({ operation: { operationId, security } }) => [
            operationId,
            security.flatMap(({ bearer }) => bearer),
          ]),
        ),
      ).toEqual(SCOPES_OF)
      for (const { method, path, operation } of all) {
        const needed = operation.security.flatMap(({ bearer }) => bearer)
        for (const scope of SCOPES) {
          const reply = await call(method, filled(path), scope, operation.requestBody && {})
          const code = reply.status >= 400 ? reply.json()['code'] : undefined
          expect([method, path, scope, code === 'scope_missing']).toEqual([
            method,
            path,
            scope,
            !needed.includes(scope),
          ])
        }
      }
    })

    test('without a good token, nothing is told', async () => {
      for (const { method, path } of await operations()) {
        expectProblem(await call(method, filled(path), null), 401, 'invalid_token')
      }
      const bad = await call('GET', '/admin/tokens', 'tokens:admin', undefined, {
        claims: { aud: 'billing' },
        from: '127.0.0.77',
      })
      expectProblem(bad, 401, 'invalid_token')
      expect(bad.headers.get('www-authenticate')).toBe('Bearer')
      expect((await recordsOf(bad))[0]).toMatchObject({
        reason: 'wrong_audience',
        action: 'tokens.list',
        outcome: 'refused',
      })
    })

    test('administrators are not let into inference, and model readers only see the list', async () => {
      const seen = await rig.seen(async () => {
        for (const scope of SCOPES.filter(one => one !== 'inference')) {
          const reply = await rig.send(chat(), { gateway, claims: { scope } })
          expect([scope, reply.status, reply.json()['error']?.code]).toEqual([scope, 403, 'scope_missing'])
          const list = await rig.send(undefined, { gateway, method: 'GET', path: '/v1/models', claims: { scope } })
          expect([scope, list.status]).toEqual([scope, scope === 'models:read' ? 200 : 403])
        }
      })
      expect(seen).toBe(0)
    })

    test('guessing at the admin listener locks an address out of both', async () => {
      const from = '127.0.0.78'
      const guess = () => call('GET', '/admin/usage', 'usage:read', undefined, { token: crypto.randomUUID(), from })
      for (let failures = 0; failures < 20; failures++) await guess()
      expectProblem(await guess(), 429, 'too_many_failures')
      expect((await rig.send(chat(), { gateway, from })).status).toBe(429)
    })
  })

  describe('the listener', () => {
    test('has the admin API alone, and the data listener has none of it', async () => {
      const seen = await rig.seen(async () => {
        for (const path of [
          '/v1/chat/completions',
          '/v1/models',
          '/',
          '/admin',
          '/admin/',
          '/admin/other',
          '/models/load',
        ]) {
          expectProblem(await call('POST', path, 'inference models:admin', chat()), 404, 'not_found')
        }
        for (const { method, path } of await operations()) {
          const reply = await rig.send(undefined, {
            gateway,
            method,
            path: filled(path),
            claims: { scope: 'tokens:admin' },
          })
          expect([path, reply.status]).toEqual([path, 404])
        }
        const metrics = await rig.send(undefined, { gateway, method: 'GET', path: '/metrics' })
        expect(metrics.status).toBe(404)
      })
      expect(seen).toBe(0)
    })

    test('answers with security headers, and tells no product and no version', async () => {
      const answers = [
        await call('GET', '/admin/usage', 'usage:read'),
        await call('GET', '/admin/usage', null),
        await call('GET', '/nothing', null),
        await call('GET', '/healthz', null),
        await call('GET', '/metrics', null),
      ]
      for (const { headers } of answers) {
        expect(Object.fromEntries(headers)).toMatchObject({
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
          'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
          'x-request-id': expect.stringMatching(/^req_/),
        })
        for (const name of ['server', 'x-powered-by', 'access-control-allow-origin', 'strict-transport-security']) {
          expect(headers.get(name)).toBeNull()
        }
      }
      const kept = await call('GET', '/admin/usage', 'usage:read', undefined, { headers: { 'x-request-id': 'mine-1' } })
      expect(kept.headers.get('x-request-id')).toBe('mine-1')
    })

    test('a token that calls too often has to wait, and no other', async () => {
      const token = await rig.token({ scope: 'usage:read inference', jti: `busy-${rig.runtime}` }, {}, gateway)
      const ask = () => call('GET', '/admin/usage', null, undefined, { token })
      let refused: Reply[] = []
      for (let asked = 0; refused.length === 0 && asked < 3000; asked += 50) {
        refused = (await Promise.all(Array.from({ length: 50 }, ask))).filter(({ status }) => status !== 200)
      }
      const [first] = refused
      expect(first?.json()).toMatchObject({ status: 429, code: 'rate_limit_exceeded', requestId: expect.any(String) })
      expect(first?.headers.get('content-type')).toBe('application/problem+json')
      const wait = Number(first?.headers.get('retry-after'))
      expect([wait >= 1, wait <= 60]).toEqual([true, true])
      expect((await call('GET', '/admin/usage', 'usage:read')).status).toBe(200)
      const models = { gateway, method: 'GET', path: '/v1/models', token }
      expect((await rig.send(undefined, models)).status).not.toBe(429)
    })

    test('probes and counters need no token', async () => {
      expect((await call('GET', '/healthz', null)).json()).toEqual({ status: 'ok' })
      expect((await call('GET', '/readyz', null)).json()).toMatchObject({ state: true, audit: true })
      await call('GET', '/admin/usage', 'usage:read')
      const metrics = await call('GET', '/metrics', null)
      expect(metrics.headers.get('content-type')).toContain('text/plain')
      expect(metrics.text).toMatch(
        /^# TYPE sallyport_audit_records_total counter\nsallyport_audit_records_total\{result="written"\} \d+$/m,
      )
    })

    test('what is wrong with a request is said, by its field', async () => {
      const scope = 'tokens:admin'
      const post = (body: unknown, more: SendOptions = {}) => call('POST', '/admin/revocations', scope, body, more)
      const wrong = await call('PUT', '/admin/tokens', scope, {})
      expectProblem(wrong, 405, 'method_not_allowed')
      expect(wrong.headers.get('allow')).toBe('GET, POST')
      expectProblem(await post('{"target"'), 400, 'invalid_json')
      for (const body of ['[]', 'null']) expectProblem(await post(body), 400, 'invalid_json')
      expectProblem(await post(`${'['.repeat(99)}${']'.repeat(99)}`), 400, 'body_too_deep')
      expectProblem(await post({}, { headers: { 'content-type': 'text/plain' } }), 415, 'unsupported_media_type')
      expectProblem(await post({ target: { kind: 'all' }, reason: 'x'.repeat(70_000) }), 413, 'body_too_large')
      for (const [body, code, param] of [
        [{}, 'missing_field', 'target'],
        [{ target: { kind: 'all' }, extra: 'secret-value' }, 'unknown_field', 'extra'],
        [{ target: { kind: 'secret-value' } }, 'invalid_value', 'target.kind'],
        [{ target: { kind: 'token' } }, 'missing_field', 'target.tokenId'],
        [{ target: { kind: 'token', tokenId: 'secret value' } }, 'invalid_value', 'target.tokenId'],
        [{ target: { kind: 'all' }, issuedBefore: 'secret-value' }, 'invalid_value', 'issuedBefore'],
        [{ target: { kind: 'all' }, issuedBefore: '2999-01-01T00:00:00Z' }, 'invalid_value', 'issuedBefore'],
        [{ target: { kind: 'all' }, issuedBefore: '2026-02-31T00:00:00Z' }, 'invalid_value', 'issuedBefore'],
        [{ target: { kind: 'all' }, reason: 'secret\u001b[31m' }, 'invalid_value', 'reason'],
      ] as const) {
        const reply = await post(body)
        expectProblem(reply, 400, code)
        expect(reply.json()['param']).toBe(param)
        expect(reply.text).not.toContain('secret')
      }
      for (const query of ['limit=0', 'limit=1&limit=2', 'limit=99999', 'nothing=1', 'team=a%20b', 'after=%00']) {
        const reply = await call('GET', `/admin/tokens?${query}`, scope)
        expect([query, reply.status, reply.json()['param']]).toEqual([query, 400, query.split('=')[0]])
      }
    })
  })

  describe('tokens', () => {
    test('are issued, used, listed, revoked and then refused', async () => {
      const issued = await issue({ ttl: '1h', models: ['m'] })
      expect(issued.status).toBe(201)
      const { token, tokenId, expiresAt, issuedAt } = issued.json() as Record<string, string>
      rig.tokens.push(token as string)
      expect(Date.parse(expiresAt as string) - Date.parse(issuedAt as string)).toBe(3_600_000)
      rig.answers(replies(message({ content: 'ok' })))
      const use = (model: string) => rig.send({ ...chat(), model }, { gateway, token: token as string })
      expect((await use('m')).status).toBe(200)
      expect((await use('n')).json()['error'].code).toBe('model_forbidden')

      const known = await call('GET', `/admin/tokens/${tokenId}`, 'tokens:admin')
      expect(known.json()).toMatchObject({
        tokenId,
        team: 't',
        app: 'a',
        env: 'e',
        scopes: ['inference'],
        models: ['m'],
      })
      const list = await call('GET', '/admin/tokens?team=t', 'tokens:admin')
      expect((list.json()['tokens'] as Json[]).map(one => one['tokenId'])).toContain(tokenId)
      for (const reply of [known, list]) expect(reply.text).not.toContain((token as string).split('.')[2])

      const revoked = await call('POST', '/admin/revocations', 'tokens:admin', {
        target: { kind: 'token', tokenId },
        reason: 'lost',
      })
      expect(revoked.json()).toMatchObject({
        target: { kind: 'token', tokenId },
        by: 'blue/tests/test',
        reason: 'lost',
      })
      expect((await use('m')).status).toBe(401)
      const all = await call('GET', '/admin/revocations', 'tokens:admin')
      expect((all.json()['revocations'] as Json[]).map(one => one['id'])).toContain(revoked.json()['id'])
      expect(rig.auditText(gateway)).not.toContain(token)
      expect(gateway.output()).not.toContain(token)
    })

    test('of a team go together, and the next one counts again', async () => {
      rig.answers(replies(message({ content: 'ok' })))
      const use = async (token: string) => (await rig.send(chat(), { gateway, token })).status
      const make = async () => (await issue({ team: 'gone' })).json()['token'] as string
      const old = await make()
      expect(await use(old)).toBe(200)
      const reply = await call('POST', '/admin/revocations', 'tokens:admin', { target: { kind: 'team', team: 'gone' } })
      expect(reply.status).toBe(201)
      expect(await use(old)).toBe(401)
      expect(await use(await make())).toBe(200)
    })

    test('come in pages', async () => {
      for (let index = 0; index < 5; index++)
        expect((await issue({ team: 'paged', app: `a${index}` })).status).toBe(201)
      const apps: string[] = []
      let path = '/admin/tokens?team=paged&limit=2'
      for (let pages = 0; pages < 3; pages++) {
        const reply = (await call('GET', path, 'tokens:admin')).json()
        apps.push(...(reply['tokens'] as Json[]).map(one => String(one['app'])))
        expect(reply['next'] !== undefined).toBe(pages < 2)
        path = `/admin/tokens?team=paged&limit=2&after=${encodeURIComponent(String(reply['next']))}`
      }
      expect(apps.sort()).toEqual(['a0', 'a1', 'a2', 'a3', 'a4'])
    })

    test.each([
      ['a scope that is not issued here', { scopes: ['tokens:admin'] }, { scope: 'tokens:admin' }, 'scopes'],
      ['a scope that the issuer does not have', { scopes: ['usage:read'] }, {}, 'scopes'],
      ['inference by who has it not', {}, { scope: 'tokens:admin' }, 'scopes'],
      ['a longer life', { ttl: '13h' }, {}, 'ttl'],
      ['models beyond the issuer’s', { models: ['*'] }, { models: ['m'] }, 'models'],
      ['other models', { models: ['n'] }, { models: ['m*'] }, 'models'],
    ])('never with %s', async (_, body, claims, param) => {
      const reply = await issue(body, claims)
      expectProblem(reply, 403, 'grant_forbidden')
      expect(reply.json()['param']).toBe(param)
      expect(reply.text).not.toContain('eyJ')
    })

    test('have the models of their issuer where none are named, and narrower ones where they are', async () => {
      expect((await issue({}, { models: ['m', 'llama-*'] })).json()['models']).toEqual(['m', 'llama-*'])
      expect((await issue({ models: ['llama-3*'] }, { models: ['llama-*'] })).json()['models']).toEqual(['llama-3*'])
    })

    test('are bound to a certificate where its thumbprint is given: of no use on any other connection', async () => {
      const certThumbprint = Buffer.alloc(32, 7).toString('base64url')
      const bound = (await issue({ certThumbprint })).json()
      expect(bound).toMatchObject({ certThumbprint })
      const shown = await call('GET', `/admin/tokens/${String(bound['tokenId'])}`, 'tokens:admin')
      expect(shown.json()).toMatchObject({ certThumbprint })
      const used = await rig.send(chat('hi'), { gateway, token: String(bound['token']) })
      expect(used.status).toBe(401)
      expect(await rig.record(used, gateway)).toMatchObject({ reason: 'certificate_mismatch' })
      const wrong = await issue({ certThumbprint: certThumbprint.toUpperCase().slice(1) })
      expectProblem(wrong, 400, 'invalid_value')
      expect(wrong.json()['param']).toBe('certThumbprint')
    })

    test('are not issued where that is not configured', async () => {
      const other = { ...rig.gateway, url: rig.gateway.adminUrl }
      const reply = await rig.send(
        { team: 't', app: 'a', env: 'e' },
        { path: '/admin/tokens', gateway: other, claims: { scope: 'tokens:admin inference' } },
      )
      expectProblem(reply, 501, 'not_offered')
    })
  })

  test('every action has records of its own: what changes something before and after, what is read after', async () => {
    const made = await issue({ team: 'recorded' })
    const [begun, served, ...more] = await recordsOf(made)
    expect(more).toEqual([])
    const who = {
      subject: 'blue/tests/test',
      team: 'blue',
      method: 'POST',
      route: '/admin/tokens',
      action: 'tokens.issue',
    }
    expect(begun).toMatchObject({ ...who, outcome: 'begun', status: 102, target: 'recorded/a/e' })
    expect(served).toMatchObject({ ...who, outcome: 'served', status: 201, target: made.json()['tokenId'] })
    const read = await recordsOf(await call('GET', '/admin/models/m', 'models:read'))
    expect(read).toMatchObject([{ action: 'models.show', target: 'm', outcome: 'served', status: 200 }])
    const refused = await recordsOf(await call('GET', '/admin/models/none', 'models:read'))
    expect(refused).toMatchObject([{ action: 'models.show', outcome: 'refused', errorCode: 'model_not_found' }])
  })

  test('usage: how far each limit is used up, and who used what', async () => {
    const answer = message({ content: 'ok' })
    rig.answers(replies({ ...answer, usage: { prompt_tokens: 30, completion_tokens: 12, total_tokens: 42 } }))
    const token = (await issue({ team: 'used' })).json()
    for (let times = 0; times < 3; times++) {
      expect((await rig.send(chat(), { gateway, token: token['token'] as string })).status).toBe(200)
    }
    const usage = await waitFor('all is settled', async () => {
      const reply = (await call('GET', '/admin/usage?team=used', 'usage:read')).json()
      const limits = reply['limits'] as Json[]
      return limits.some(({ used }) => used === 126) && reply
    })
    expect(usage['limits']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          limit: 'team-hour',
          counts: 'requests',
          per: { team: 'used' },
          used: 3,
          of: 50,
          windowMs: 3_600_000,
        }),
        expect.objectContaining({
          limit: 'token-hour',
          counts: 'tokens',
          per: { token: token['tokenId'] },
          used: 126,
          of: 9000,
        }),
      ]),
    )
    expect(usage['complete']).toBe(true)
    expect(usage['totals'].rows).toEqual([
      { team: 'used', app: 'a', env: 'e', model: 'm', requests: 3, refused: 0, inputTokens: 90, outputTokens: 36 },
    ])
    const one = (
      await call('GET', `/admin/usage?team=used&limit=token-hour&token=${token['tokenId']}`, 'usage:read')
    ).json()
    expect((one['limits'] as Json[]).map(({ limit }) => limit)).toEqual(['token-hour'])
    expect(JSON.stringify(usage)).not.toContain(PROMPT)
  })

  test('answers have the form that the description gives', async () => {
    const id = (await issue({})).json()['tokenId']
    for (const [action, path, scope] of [
      ['tokens.list', '/admin/tokens', 'tokens:admin'],
      ['tokens.show', `/admin/tokens/${id}`, 'tokens:admin'],
      ['revocations.list', '/admin/revocations', 'tokens:admin'],
      ['models.list', '/admin/models', 'models:read'],
      ['models.show', '/admin/models/m', 'models:admin'],
      ['adapters.list', '/admin/models/m/adapters', 'models:read'],
      ['usage.show', '/admin/usage', 'usage:read'],
      ['audit.search', '/admin/audit?limit=5', 'audit:read'],
      ['audit.state', '/admin/audit/state', 'audit:read'],
      ['checklist.show', '/admin/checklist', 'audit:read'],
    ] as const) {
      const reply = await call('GET', path, scope)
      const route = ROUTES.find(one => one.action === action)
      expect(v.safeParse(route!.answer, reply.json()).issues).toBeUndefined()
      const head = await call('HEAD', path, scope)
      expect([head.status, head.text]).toEqual([200, ''])
    }
  })
}
