import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { decodeJwt } from 'jose'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Gateway,
  type Runtime,
  type ScriptedUpstream,
  sallyportOutput,
  scriptedUpstream,
  startGateway,
  tempDir,
  waitFor,
} from '../support/index.ts'

interface Reply {
  readonly status: number
  readonly text: string
}
type Sender = (token: string, options?: { headers?: Record<string, string>; stream?: boolean }) => Promise<Reply>

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await scriptedUpstream(async script => {
    const { stream } = script.json()
    if (!stream) return script.reply(200, { choices: [{ index: 0, message: { role: 'assistant', content: 'ok' } }] })
    await script.head()
    for (const content of ['one ', 'two']) await script.event({ choices: [{ index: 0, delta: { content } }] })
    await script.event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    await script.chunk('data: [DONE]\n\n')
    await script.finish()
  })
})
afterAll(() => upstream?.stop())

const models = () => [{ id: 'm', upstreams: [{ url: `${upstream.url}/v1`, kind: 'vllm' }] }]

function sender(url: string, agent: Agent): Sender {
  return async (token, { headers = {}, stream = false } = {}) => {
    const { statusCode, body } = await request(`${url}/v1/chat/completions`, {
      method: 'POST',
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }], stream }),
      headersTimeout: 8000,
    })
    return { status: statusCode, text: await body.text() }
  }
}

const records = (gateway: Gateway) =>
  readFileSync(join(gateway.dir, 'audit/audit.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .filter(({ outcome }) => outcome !== 'begun')

const thumbprintOf = (listed: string, file: string) =>
  (JSON.parse(listed) as { file: string; thumbprint: string }[]).find(one => one.file === file)?.thumbprint

describe.each<Runtime>(['node', 'bun'])('mutual TLS with certificates of its own, on %s', runtime => {
  let gateway: Gateway
  let dir: string
  const agents: Agent[] = []
  const certs = (...args: string[]) => sallyportOutput(['certs', ...args], { cwd: dir, runtime })
  const read = (name: string) => readFileSync(join(dir, 'certs', name), 'utf8')
  const as = (name?: string): Sender => {
    const identity = name === undefined ? {} : { cert: read(`client-${name}.pem`), key: read(`client-${name}-key.pem`) }
    const agent = new Agent({ connect: { ca: read('ca.pem'), ...identity } })
    agents.push(agent)
    return sender(gateway.url, agent)
  }

  beforeAll(async () => {
    dir = tempDir()
    await certs('init')
    await certs('issue', '--server', 'localhost')
    for (const name of ['billing', 'search']) await certs('issue', '--client', name)
    await certs('revoke')
    gateway = await startGateway({
      runtime,
      dir,
      config: {
        models: models(),
        tls: {
          cert: 'certs/server.pem',
          key: 'certs/server-key.pem',
          clientCa: 'certs/ca.pem',
          crl: 'certs/crl.pem',
        },
      },
    })
  }, 60_000)
  afterAll(async () => {
    await Promise.all(agents.map(agent => agent.destroy()))
    await gateway?.stop()
  })

  test('a token that is bound is good with its certificate alone, however often it was seen', async () => {
    const bound = await gateway.mint({ cert: join(dir, 'certs/client-billing.pem') })
    const [billing, search] = [as('billing'), as('search')]
    expect(await billing(bound)).toMatchObject({ status: 200 })
    const stolen = await search(bound)
    expect(stolen.status).toBe(401)
    expect(stolen.text).toContain('missing or not valid')
    expect(stolen.text).not.toMatch(/certificate/i)
    expect(await billing(bound, { stream: true })).toMatchObject({
      status: 200,
      text: expect.stringMatching(/one[^]*two[^]*\[DONE\]/),
    })
    expect(await search(await gateway.mint())).toMatchObject({ status: 200 })
    const list = await certs('list', '--json')
    const [first, second, third, fourth] = records(gateway)
    const identity = (name: string) => ({
      subject: `CN=${name}`,
      thumbprint: thumbprintOf(list, `certs/client-${name}.pem`),
    })
    expect(first).toMatchObject({ outcome: 'served', clientCert: identity('billing') })
    expect(second).toMatchObject({
      outcome: 'refused',
      reason: 'certificate_mismatch',
      team: 'blue',
      clientCert: identity('search'),
    })
    expect(third).toMatchObject({ outcome: 'served', stream: true, clientCert: identity('billing') })
    expect(fourth).toMatchObject({ outcome: 'served', clientCert: identity('search') })
    expect(await sallyportOutput(['audit', 'verify', 'audit/audit.jsonl'], { cwd: dir })).toContain('ok: 7 records')
    const tokens = JSON.parse(await sallyportOutput(['token', 'list', '--json'], { cwd: dir })) as object[]
    expect(tokens).toContainEqual(
      expect.objectContaining({ tokenId: first?.['tokenId'], certThumbprint: identity('billing').thumbprint }),
    )
  })

  test('whoever tries a stolen token again and again locks out its id, for attempts that fail', async () => {
    const bound = await gateway.mint({ cert: join(dir, 'certs/client-billing.pem') })
    const search = as('search')
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) statuses.push((await search(bound)).status)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429])
    expect(records(gateway).at(-1)).toMatchObject({ reason: 'token_locked_out', team: 'blue' })
    expect(await as('billing')(bound)).toMatchObject({ status: 200 })
  })

  test('nobody gets in without a certificate', async () => {
    await expect(as()(await gateway.mint())).rejects.toThrow()
  })

  test('headers of proxies are not listened to where none are configured', async () => {
    const der = read('client-billing.pem').replaceAll(/-----[^-]+-----|\s/g, '')
    const bound = await gateway.mint({ cert: join(dir, 'certs/client-billing.pem') })
    expect(await as('search')(bound, { headers: { 'client-cert': `:${der}:` } })).toMatchObject({ status: 401 })
    const [last] = records(gateway).slice(-1)
    expect(last).toMatchObject({ reason: 'certificate_mismatch' })
  })

  test('renewed and revoked while it runs', async () => {
    const serial = async () => {
      const socket = connect({
        port: gateway.port,
        host: '127.0.0.1',
        ca: read('ca.pem'),
        cert: read('client-billing.pem'),
        key: read('client-billing-key.pem'),
      })
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
      const { serialNumber } = socket.getPeerCertificate()
      socket.destroy()
      return serialNumber
    }
    const before = await serial()
    const search = as('search')
    const token = await gateway.mint()
    expect(await search(token)).toMatchObject({ status: 200 })
    await certs('renew', 'certs/server.pem')
    gateway.signal('SIGHUP')
    await waitFor('the new certificate', async () => (await serial()) !== before, 3000)
    expect(await search(token)).toMatchObject({ status: 200 })
    await certs('revoke', 'certs/client-search.pem')
    await waitFor(
      'the refusal',
      () =>
        search(token).then(
          () => false,
          () => true,
        ),
      5000,
    )
    expect(await as('billing')(token)).toMatchObject({ status: 200 })
  })
})

describe.each<Runtime>(['node', 'bun'])('behind a proxy that ends TLS, on %s', runtime => {
  const PROXY = '127.0.0.2'
  let gateway: Gateway
  let bound: string
  let header: string
  const agents: Agent[] = []
  const from = (localAddress: string): Sender => {
    const agent = new Agent({ localAddress })
    agents.push(agent)
    return sender(gateway.url, agent)
  }

  beforeAll(async () => {
    const dir = tempDir()
    await sallyportOutput(['certs', 'init'], { cwd: dir })
    await sallyportOutput(['certs', 'issue', '--client', 'billing'], { cwd: dir })
    await sallyportOutput(['certs', 'issue', '--server', 'localhost'], { cwd: dir })
    gateway = await startGateway({
      runtime,
      dir,
      config: {
        models: models(),
        proxies: { addresses: [`${PROXY}/32`], clientCert: {} },
        quotas: [{ name: 'address-hour', match: { app: 'counted' }, per: ['address'], requests: 2, window: '1h' }],
        tokens: { jwks: 'keys/public.jwks.json', requireBound: true },
        admin: {
          issue: {},
          tls: { cert: 'certs/server.pem', key: 'certs/server-key.pem', clientCa: 'certs/ca.pem' },
        },
      },
    })
    bound = await gateway.mint({ cert: join(dir, 'certs/client-billing.pem') })
    header = `:${readFileSync(join(dir, 'certs/client-billing.pem'), 'utf8').replaceAll(/-----[^-]+-----|\s/g, '')}:`
  }, 60_000)
  afterAll(async () => {
    await Promise.all(agents.map(agent => agent.destroy()))
    await gateway?.stop()
  })
  const last = () => records(gateway).at(-1)

  test('the certificate it passes on counts, and goes no further', async () => {
    const headers = { 'client-cert': header, 'x-forwarded-for': '198.51.100.4' }
    expect(await from(PROXY)(bound, { headers })).toMatchObject({ status: 200 })
    expect(last()).toMatchObject({ outcome: 'served', clientCert: { subject: 'CN=billing' } })
    const sent = upstream.requests.at(-1)
    expect(Object.keys(sent?.headers ?? {}).filter(name => /cert|forwarded/.test(name))).toEqual([])
  })

  test.each([
    ['without a certificate', PROXY, {}, 'certificate_mismatch'],
    ['with one that cannot be read', PROXY, { 'client-cert': 'nonsense' }, 'proxy_header_malformed:client-cert'],
    ['from elsewhere', '127.0.0.3', {}, 'certificate_mismatch'],
  ])('%s the token is no good', async (_, address, changes, reason) => {
    const headers = address === PROXY ? changes : { 'client-cert': header }
    expect(await from(address)(bound, { headers })).toMatchObject({ status: 401 })
    expect(last()).toMatchObject({ outcome: 'refused', reason })
  })

  test('an unbound token is refused where all have to be bound', async () => {
    const plain = await gateway.mint()
    expect(await from(PROXY)(plain, { headers: { 'client-cert': header } })).toMatchObject({ status: 401 })
    expect(last()).toMatchObject({ reason: 'not_certificate_bound' })
  })

  test('the admin listener has TLS of its own, and issues bound tokens', async () => {
    const read = (name: string) => readFileSync(join(gateway.dir, 'certs', name), 'utf8')
    const identity = { cert: read('client-billing.pem'), key: read('client-billing-key.pem') }
    const agent = new Agent({ connect: { ca: read('ca.pem'), ...identity } })
    agents.push(agent)
    const cert = join(gateway.dir, 'certs/client-billing.pem')
    const token = await gateway.mint({ cert, scope: 'tokens:admin inference' })
    const issue = async (bearer: string, more: object): Promise<Record<string, unknown>> => {
      const { statusCode, body } = await request(`${gateway.adminUrl}/admin/tokens`, {
        method: 'POST',
        dispatcher: agent,
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: JSON.stringify({ team: 't', app: 'a', env: 'e', ...more }),
      })
      return { status: statusCode, ...((await body.json()) as Record<string, unknown>) }
    }
    expect(gateway.adminUrl).toMatch(/^https:/)
    const certThumbprint = (decodeJwt(token)['cnf'] as Record<string, string>)['x5t#S256']
    expect(await issue(await gateway.mint({ scope: 'tokens:admin inference' }), {})).toMatchObject({ status: 401 })
    expect(await issue(token, {})).toMatchObject({ status: 400, code: 'missing_field', param: 'certThumbprint' })
    const issued = await issue(token, { certThumbprint })
    expect(issued).toMatchObject({ status: 201, certThumbprint })
    const headers = { 'client-cert': header }
    expect(await from(PROXY)(String(issued['token']), { headers })).toMatchObject({ status: 200 })
    expect(await from(PROXY)(String(issued['token']))).toMatchObject({ status: 401 })
  })

  test('limits by address count the caller’s, not the proxy’s', async () => {
    const counted = await gateway.mint({ cert: join(gateway.dir, 'certs/client-billing.pem'), app: 'counted' })
    const statuses: number[] = []
    for (const address of ['198.51.100.20', '198.51.100.20', '198.51.100.20', '198.51.100.21']) {
      const headers = { 'client-cert': header, 'x-forwarded-for': address }
      statuses.push((await from(PROXY)(counted, { headers })).status)
    }
    expect(statuses).toEqual([200, 200, 429, 200])
  })

  test('the lock-out is the caller’s, not the proxy’s', async () => {
    const send = from(PROXY)
    const forwarded = (address: string) => ({ headers: { 'x-forwarded-for': `203.0.113.1, ${address}` } })
    for (let i = 0; i < 20; i++) await send('a.b.c', forwarded('198.51.100.9'))
    expect(await send('a.b.c', forwarded('198.51.100.9'))).toMatchObject({ status: 429 })
    expect(await send('a.b.c', forwarded('198.51.100.10'))).toMatchObject({ status: 401 })
  })
})
