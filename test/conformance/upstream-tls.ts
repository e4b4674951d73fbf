import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  freePort,
  type Gateway,
  type ScriptedUpstream,
  sallyport,
  scriptedUpstream,
  startGateway,
  tempDir,
  waitFor,
} from '../support/index.ts'
import { pemOf, type TestCa, testCa } from '../support/test-ca.ts'
import { message } from './events.ts'
import { chat, type Rig } from './rig.ts'

/** Model servers behind TLS, with certificates of every kind. */
export function upstreamTls(rig: Rig): void {
  let gateway: Gateway
  let impostor: ScriptedUpstream
  let ca: TestCa
  let foreign: TestCa
  const servers: ScriptedUpstream[] = []

  beforeAll(async () => {
    const folder = tempDir()
    ca = testCa(folder)
    foreign = testCa(folder, 'foreign')
    const client = ca.issue('gateway')
    const serve = async (pair: { cert: string; key: string }) => {
      const demands = { requestCert: true, rejectUnauthorized: true, ca: pemOf(ca).cert }
      const server = await scriptedUpstream(
        script => script.reply(200, script.request.method === 'GET' ? { data: [] } : message({ content: 'served' })),
        { ...pemOf(pair), ...demands },
      )
      servers.push(server)
      return server
    }
    const good = await serve(ca.issue('good'))
    const named = await serve(ca.issue('named', 'DNS:model.internal'))
    const unknown = await serve(foreign.issue('unknown'))
    const expired = await serve(ca.issue('expired', undefined, -1))
    const anonymous = await serve(ca.issue('anonymous'))
    const at = ({ url }: ScriptedUpstream, tls: object = { ca: ca.cert, ...client }) => ({
      url: `${url}/v1`,
      kind: 'vllm',
      tls,
    })
    // One server has one way of TLS, so that of another name is reached by another port.
    const misnamed = await serve(ca.issue('misnamed', 'DNS:model.internal'))
    // Takes whoever comes, and is of an authority that nobody here knows.
    impostor = await scriptedUpstream(script => script.reply(200, { keys: [] }), pemOf(foreign.issue('impostor')))
    servers.push(impostor)
    const trusted = [
      {
        issuer: 'https://idp.test',
        jwks: `${impostor.url}/jwks`,
        audience: 'llm',
        claims: { team: 't', app: 'a', env: '=e' },
      },
    ]
    const to = [{ kind: 'http', url: `${impostor.url}/checkpoints` }]
    gateway = await startGateway({
      runtime: rig.runtime,
      env: { NODE_TLS_REJECT_UNAUTHORIZED: '0', HTTPS_PROXY: `http://127.0.0.1:${await freePort()}` },
      config: {
        tokens: { issuer: 'sallyport', audience: 'sallyport', jwks: 'keys/public.jwks.json', trusted },
        audit: {
          file: 'audit/audit.jsonl',
          hmacSecret: '${env:PROMPT_HMAC_SECRET}',
          checkpoint: { every: '1s', key: 'keys/audit-signing.jwk.json', to },
        },
        models: [
          { id: 'good', upstreams: [at(good)] },
          { id: 'named', upstreams: [at(named, { ca: ca.cert, ...client, serverName: 'model.internal' })] },
          { id: 'unknown', upstreams: [at(unknown)] },
          { id: 'misnamed', upstreams: [at(misnamed)] },
          { id: 'expired', upstreams: [at(expired)] },
          { id: 'anonymous', upstreams: [at(anonymous, { ca: ca.cert })] },
          { id: 'either', upstreams: [at(unknown), at(good)] },
        ],
      },
    })
  })
  afterAll(async () => {
    await Promise.all([gateway?.stop(), ...servers.map(server => server.stop())])
  })

  const ask = (model: string, more: object = {}) => rig.send({ ...chat(), model, ...more }, { gateway })

  test.each(['good', 'named', 'either'])('%s: served', async model => {
    const reply = await ask(model)
    expect([reply.status, reply.json()['choices']?.[0].message.content]).toEqual([200, 'served'])
  })

  test.each([
    ['unknown', 'its certificate is of an unknown authority'],
    ['misnamed', 'its certificate is for another name'],
    ['expired', 'its certificate has expired'],
    ['anonymous', ''],
  ])('%s: the caller learns that, the log why', async (model, why) => {
    for (const stream of [false, true]) {
      const reply = await ask(model, { stream })
      const { code, message: words } = reply.json()['error']
      expect(reply.status).toBe(502)
      // Whether the alert of a server that refuses us is read before its reset is for the network to say.
      if (model !== 'anonymous') expect(code).toBe('upstream_untrusted')
      expect(words).not.toMatch(/certificate|expired|127\.0\.0\.1/)
      const record = await rig.record(reply, gateway)
      expect(record).toMatchObject({ outcome: 'failed', status: 502, errorCode: code })
      expect(record['reason']).toContain(why)
    }
    if (model === 'anonymous') return
    const line = await waitFor('the log', () =>
      gateway
        .output()
        .split('\n')
        .find(text => text.includes('"event":"upstream_untrusted"') && text.includes(why)),
    )
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      upstream: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/v1$/),
    })
  })

  test('no request has reached a server that is not trusted, or that does not trust us', () => {
    const reached = servers.map(({ requests }) => requests.filter(({ method }) => method === 'POST').length)
    expect(reached.slice(2)).toEqual([0, 0, 0, 0, 0])
  })

  test('neither do keys of tokens come from one, nor do checkpoints go there', async () => {
    for (const event of ['token_keys_not_loaded', 'audit_checkpoint_failed']) {
      const line = await waitFor(event, () =>
        gateway
          .output()
          .split('\n')
          .find(text => text.includes(`"event":"${event}"`)),
      )
      expect(JSON.parse(line)['reason']).toMatch(/certificate|SIGNATURE|ISSUER/)
    }
    expect(impostor.requests).toEqual([])
    expect(gateway.output()).toMatch(/"event":"variable_ignored".*"NODE_TLS_REJECT_UNAUTHORIZED"/)
  })

  test('the time that certificates have left is at /metrics, by server', async () => {
    const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
    expect(text).toContain('# TYPE sallyport_certificate_expiry_seconds gauge')
    for (const kind of ['ca', 'certificate']) {
      const use = `upstream:${servers[0]?.url}`
      const [, left] = text.split(`sallyport_certificate_expiry_seconds{kind="${kind}",use="${use}"} `)
      const days = Number.parseInt(left ?? '', 10) / 86_400
      expect([days > 1.9, days <= 2]).toEqual([true, true])
    }
    expect(text).not.toContain('.pem')
  })

  test('ready asks with the same certificates', async () => {
    const reply = await rig.send(undefined, { method: 'GET', path: '/readyz', token: null, gateway })
    expect(reply.json()).toMatchObject({ ready: true, upstream: true })
  })

  test('a start with files that do not belong together says which', async () => {
    const [one, other] = [ca.issue('one'), ca.issue('other')]
    const config = join(gateway.dir, 'broken.yaml')
    const upstream = { url: 'https://127.0.0.1:9/v1', kind: 'vllm', tls: { cert: one.cert, key: other.key } }
    writeFileSync(
      config,
      JSON.stringify({
        tokens: { jwks: 'keys/public.jwks.json' },
        models: [{ id: 'm', upstreams: [upstream] }],
        audit: { file: 'broken/audit.jsonl', hmacSecret: 'x'.repeat(32) },
      }),
    )
    const started = await sallyport(['serve', '--config', config], { cwd: gateway.dir, runtime: rig.runtime })
    expect(started.code).toBe(1)
    expect(started.stderr).toContain(
      `models[0].upstreams[0].tls: ${other.key}: this key does not belong to the certificate`,
    )
    expect(started.stderr).not.toContain('PRIVATE')
  })
}
