import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, fetch } from 'undici'
import { afterAll, describe, expect, test } from 'vitest'
import { type IdentityProvider, type KeysAnswer, startIdentityProvider } from '../support/identity-provider.ts'
import { freePort, type Gateway, type Runtime, sallyport, startGateway, waitFor } from '../support/index.ts'
import { signed, testKey } from '../support/tokens.ts'

const agents = new Map<string, Agent>()
afterAll(() => Promise.all([...agents.values()].map(agent => agent.destroy())))

/** Asks for the models, from an address of 127.0.0.0/8 so that none is locked out for the others. */
async function ask(gateway: Gateway, token: string, from = '127.0.0.1') {
  const dispatcher = agents.get(from) ?? new Agent({ localAddress: from })
  agents.set(from, dispatcher)
  const response = await fetch(`${gateway.url}/v1/models`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
    dispatcher,
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as { error?: unknown } }
}

interface Settings {
  readonly every?: string
  readonly cooldown?: string
  readonly timeout?: string
  readonly maxStale?: string
  readonly ca?: string | undefined
}

/** A gateway that trusts the provider. Looks every hour unless told otherwise. */
function start(runtime: Runtime, idp: IdentityProvider, settings: Settings = {}): Promise<Gateway> {
  const { ca = idp.ca, ...rest } = settings
  const keyFetch = { every: '1h', cooldown: '100ms', timeout: '5s', maxStale: '1d', ...rest }
  const claims = { team: 'groups.0', app: 'azp', env: '=production' }
  const trusted = [{ issuer: idp.issuer, jwks: idp.jwks, audience: 'llm', types: ['JWT'], claims }]
  return startGateway({
    runtime,
    config: {
      models: [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:1/v1', kind: 'openai' }] }],
      tokens: { jwks: 'keys/public.jwks.json', keyFetch: { ...keyFetch, ...(ca !== '' && { ca }) }, trusted },
    },
  })
}

const until = (gateway: Gateway, token: string, status: number) =>
  waitFor(`status ${status}`, async () => (await ask(gateway, token)).status === status, 5000)

const pause = (ms: number) => new Promise(done => setTimeout(done, ms))

describe.each<Runtime>(['node', 'bun'])('an identity provider beside the gateway on %s', runtime => {
  test.concurrent('its tokens are taken, and the record and inspect say whose they are', async () => {
    await using idp = await startIdentityProvider()
    await using gateway = await start(runtime, idp)
    const token = await idp.token()
    expect((await ask(gateway, token)).status).toBe(200)
    const record = await waitFor('the record', () =>
      readFileSync(join(gateway.dir, 'audit/audit.jsonl'), 'utf8')
        .split('\n')
        .find(line => line.includes('"f:1:ann"')),
    )
    expect(JSON.parse(record)).toMatchObject({ team: 'search', app: 'web', env: 'production', outcome: 'served' })
    const inspect = (text: string) =>
      sallyport(['token', 'inspect', '-', '--json', '--config', 'sallyport.yaml'], {
        cwd: gateway.dir,
        runtime,
        input: text,
      })
    const { code, stdout } = await inspect(token)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      valid: true,
      identity: { issuer: idp.issuer, team: 'search', app: 'web', env: 'production', scopes: ['inference'] },
    })
    await idp.down()
    const without = await inspect(token)
    expect(without.code).toBe(1)
    expect(without.stderr).toContain(`the keys of ${idp.issuer} cannot be used: the server cannot be reached`)
  })

  test.concurrent('keys are rotated while it runs: a new one counts at once, a removed one no longer after the next look', async () => {
    await using idp = await startIdentityProvider()
    await using gateway = await start(runtime, idp, { every: '1s' })
    const old = await idp.token()
    expect((await ask(gateway, old)).status).toBe(200)
    idp.keys = [await testKey('ES256', 'idp-2'), ...idp.keys]
    await pause(150)
    expect((await ask(gateway, await idp.token())).status).toBe(200)
    expect((await ask(gateway, old)).status).toBe(200)
    idp.keys = idp.keys.slice(0, 1)
    await until(gateway, old, 401)
    expect((await ask(gateway, await idp.token())).status).toBe(200)
  })

  test.concurrent('an outage is outlasted for as long as maxStale says, and then fails closed', async () => {
    await using idp = await startIdentityProvider()
    await using gateway = await start(runtime, idp, { every: '1s', maxStale: '3s' })
    const seen = await idp.token()
    expect((await ask(gateway, seen)).status).toBe(200)
    await idp.down()
    await pause(1500)
    expect((await ask(gateway, await idp.token())).status).toBe(200)
    await until(gateway, seen, 503)
    const { headers, body } = await ask(gateway, await idp.token())
    expect(body.error).toMatchObject({ code: 'keys_unavailable' })
    expect(headers.get('x-should-retry')).not.toBe('false')
    expect((await ask(gateway, await gateway.mint())).status).toBe(200)
    await idp.up()
    await until(gateway, seen, 200)
  })

  const answers: [string, RegExp, KeysAnswer][] = [
    ['nothing', /did not answer in time/, () => {}],
    [
      'a byte now and then',
      /did not answer in time|timed out/,
      response => {
        response.writeHead(200)
        const timer = setInterval(() => response.write(' '), 50)
        response.on('close', () => clearInterval(timer))
      },
    ],
    [
      'no end of keys',
      /more than 262144 bytes/,
      response => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
        }
        response.on('drain', more)
        more()
      },
    ],
    ['a redirect', /answered 302/, response => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['an error', /answered 500/, response => response.writeHead(500).end('{"keys":[]}')],
    ['garbage', /parse|JSON/, response => response.end('<html>')],
    ['an empty set', /no EdDSA, ES256 or RS256 key/, response => response.end('{"keys":[]}')],
    ['a secret', /private or symmetric/, response => response.end('{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}')],
    [
      'half an answer',
      /broke off|cannot be reached/,
      response => {
        response.writeHead(200, { 'content-length': 1000 })
        response.write('{"keys":[')
        setTimeout(() => response.destroy(), 20)
      },
    ],
  ]
  test.concurrent('whatever it answers in place of keys, the keys stay and callers wait no longer than the time-out', async () => {
    await using idp = await startIdentityProvider()
    await using gateway = await start(runtime, idp, { timeout: '1s' })
    for (const [index, [what, reason, answer]] of answers.entries()) {
      idp.answer = answer
      await pause(150)
      const before = performance.now()
      const { status } = await ask(gateway, await idp.token({}, { kid: `unknown-${index}` }))
      expect([what, status]).toEqual([what, 401])
      expect(performance.now() - before, what).toBeLessThan(3000)
      expect((await ask(gateway, await idp.token())).status, what).toBe(200)
      await waitFor(`the log about ${what}`, () => reason.test(gateway.output().split('\n').slice(-3).join('\n')))
    }
    idp.answer = undefined
    idp.keys = [await testKey('EdDSA', 'idp-after')]
    await pause(150)
    expect((await ask(gateway, await idp.token())).status).toBe(200)
  })

  test.concurrent('a flood of unknown keys is one look', async () => {
    await using idp = await startIdentityProvider()
    await using gateway = await start(runtime, idp, { cooldown: '2s' })
    await pause(2100)
    expect(idp.fetches).toBe(1)
    const flood = Array.from({ length: 200 }, async (_, index) => {
      const token = await idp.token({}, { kid: `../../${index}` })
      return (await ask(gateway, token, `127.0.1.${(index % 50) + 1}`)).status
    })
    expect(new Set(await Promise.all(flood))).toEqual(new Set([401]))
    expect(idp.fetches).toBe(2)
    await idp.down()
    await pause(2100)
    // Also while it is down.
    const again = Array.from({ length: 50 }, async (_, index) => {
      const token = await idp.token({}, { kid: `x-${index}` })
      return (await ask(gateway, token, `127.0.2.${index + 1}`)).status
    })
    expect(new Set(await Promise.all(again))).toEqual(new Set([401]))
    expect(gateway.output().match(/token_keys_not_loaded/g)).toHaveLength(1)
  })

  test.concurrent('without it the gateway starts, and takes its tokens when it is there', async () => {
    await using idp = await startIdentityProvider()
    await idp.down()
    await using gateway = await start(runtime, idp)
    const token = await idp.token()
    expect((await ask(gateway, token)).status).toBe(503)
    const ready = (await (await fetch(`${gateway.url}/readyz`)).json()) as object
    expect(ready).toMatchObject({ keys: true, trustedKeys: false })
    await idp.up()
    await until(gateway, token, 200)
  })

  test.concurrent('nobody without the right certificate is taken for it', async () => {
    await using idp = await startIdentityProvider()
    await using gateway = await start(runtime, idp, { ca: '' })
    expect((await ask(gateway, await idp.token())).status).toBe(503)
    expect(idp.fetches).toBe(0)
    expect(gateway.output()).toMatch(/token_keys_not_loaded.*SELF_SIGNED|token_keys_not_loaded.*self.signed/i)
  })

  test.concurrent('the own key file is picked up as it changes', async () => {
    await using idp = await startIdentityProvider()
    await using gateway = await start(runtime, idp)
    const path = join(gateway.dir, 'keys/public.jwks.json')
    const before = await gateway.mint()
    expect((await ask(gateway, before)).status).toBe(200)

    const key = await testKey('EdDSA', 'rotated')
    const now = Math.floor(Date.now() / 1000)
    const renew = (jti: string) => signed(key, { jti, iat: now, nbf: now, exp: now + 60 })
    const { keys } = JSON.parse(readFileSync(path, 'utf8')) as { keys: object[] }
    writeFileSync(`${path}.new`, JSON.stringify({ keys: [...keys, key.publicJwk] }))
    renameSync(`${path}.new`, path)
    await pause(150)
    expect((await ask(gateway, await renew('a'))).status).toBe(200)

    writeFileSync(path, '{"keys": [')
    await waitFor('the log', () => gateway.output().includes('token_keys_not_loaded'))
    expect((await ask(gateway, await renew('b'))).status).toBe(200)

    writeFileSync(path, JSON.stringify({ keys: [key.publicJwk] }))
    const changed = performance.now()
    await until(gateway, before, 401)
    expect(performance.now() - changed).toBeLessThan(2000)
    expect((await ask(gateway, await renew('c'))).status).toBe(200)
  })

  test.concurrent('a key file of another issuer has to be good from the start; keys over plain HTTP stay on this machine', async () => {
    await using idp = await startIdentityProvider()
    await using gateway = await start(runtime, idp)
    const file = join(gateway.dir, 'other.yaml')
    const config = readFileSync(join(gateway.dir, 'sallyport.yaml'), 'utf8')
    const serve = async (text: string, port: number) => {
      writeFileSync(file, text)
      const options = { cwd: gateway.dir, runtime, env: { PORT: String(port) } }
      return (await sallyport(['serve', '--config', file], options)).stderr
    }
    expect(await serve(config.replace(idp.jwks, 'none.json'), await freePort())).toMatch(
      /tokens\.trusted\[0\]\.jwks: .*none\.json cannot be read: there is no such file/,
    )
    expect(await serve(config.replace(idp.jwks, 'http://127.0.0.1:1/jwks'), await freePort())).toContain(
      'keyFetch.insecure',
    )
    expect(await serve(config.replace(idp.ca, 'none.pem'), await freePort())).toMatch(
      /tokens\.keyFetch\.ca: .*none\.pem/,
    )
  })
})
