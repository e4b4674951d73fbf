import { createPrivateKey, sign as signBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts'
import { type Gateway, startGateway } from '../support/index.ts'
import { testKey } from '../support/tokens.ts'
import { sleep } from '../support/wait.ts'
import { ATTACKS, encode, type Loot, now } from './forged-tokens.ts'
import { chat, type Reply, type Rig } from './rig.ts'

/** All of RFC 8725 and more, over HTTP: no attack gets in, and none can be told from another by what comes back. */
export function tokenAttacks(rig: Rig): void {
  let idp: IdentityProvider
  let gateway: Gateway
  let loot: Loot
  let baseline: Reply
  let address = 1

  beforeAll(async () => {
    idp = await startIdentityProvider()
    gateway = await startGateway({
      runtime: rig.runtime,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${rig.upstream.url}/v1`, kind: 'vllm' }] }],
        tokens: {
          jwks: 'keys/public.jwks.json',
          keyFetch: { ca: idp.ca, every: '1s', cooldown: '100ms' },
          trusted: [
            {
              issuer: idp.issuer,
              jwks: idp.jwks,
              audience: 'llm',
              types: ['JWT'],
              claims: { team: 'groups.0', app: 'azp', env: '=production' },
            },
          ],
        },
      },
    })
    const own = JSON.parse(readFileSync(join(gateway.dir, 'keys/public.jwks.json'), 'utf8')).keys[0]
    const secret = createPrivateKey({
      key: JSON.parse(readFileSync(join(gateway.dir, 'keys/signing.jwk.json'), 'utf8')),
      format: 'jwk',
    })
    // A provider that names a key like ours, and one for ES256.
    idp.keys.push(await testKey('EdDSA', own.kid), await testKey('ES256', 'idp-ec'))
    const header = { alg: 'EdDSA', kid: own.kid, typ: 'at+jwt' }
    const who = { sub: 'blue/tests/test', team: 'blue', app: 'tests', env: 'test', scope: 'inference' }
    const times = { iat: now(), nbf: now(), exp: now() + 3600 }
    const claims = { iss: 'sallyport', aud: 'sallyport', jti: 'a', ...who, ...times }
    const signed = (head: unknown, payload: unknown) => {
      const text = `${encode(head)}.${encode(payload)}`
      return `${text}.${signBytes(null, Buffer.from(text), secret).toString('base64url')}`
    }
    let lastId = 0
    loot = {
      idp,
      own,
      header,
      signed,
      good: signed(header, claims),
      // Each under an id of its own: one that fails again and again would be locked out.
      get claims() {
        return { ...claims, jti: `a${++lastId}` }
      },
    }
    // By now the gateway has looked for keys again.
    await sleep(1500)
    baseline = await send('nonsense')
  })
  afterAll(async () => {
    await gateway?.stop()
    await idp?.[Symbol.asyncDispose]()
  })

  /** Each from an address of its own, so that none is locked out for the others. */
  const send = (token: string) => rig.send(chat(), { token, gateway, from: `127.0.3.${++address}` })

  /** All but what is another for every answer. */
  const fixed = ({ headers }: Reply) => [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name))

  test('the tokens that the attacks are made of are good', async () => {
    for (const token of [loot.good, await idp.token()]) {
      const reply = await rig.send(undefined, { method: 'GET', path: '/v1/models', token, gateway })
      expect(reply.status).toBe(200)
    }
  })

  describe('gets the one answer; the log knows why', () => {
    test.each(Object.entries(ATTACKS))('%s', async (_, [reason, make]) => {
      const token = await make(loot)
      const seen = await rig.seen(async () => {
        const reply = await send(token)
        expect(reply.status).toBe(401)
        expect(reply.text).toBe(baseline.text)
        expect(fixed(reply)).toEqual(fixed(baseline))
        const record = await rig.record(reply, gateway)
        expect(record).toMatchObject({ outcome: 'refused', status: 401, errorCode: 'invalid_token' })
        expect(record['reason']).toMatch(reason)
        // Only of a token that is good elsewhere does the record say whose it is.
        expect('team' in record).toBe(record['reason'] === 'certificate_mismatch')
      })
      expect(seen).toBe(0)
    })
  })

  test('a token of ten megabytes is refused before it is read', async () => {
    const before = performance.now()
    const reply = await send(`${'a'.repeat(10_000_000)}.b.c`).catch(() => undefined)
    // The server's limit on headers comes first: an answer of its own, or an end of the connection.
    expect([undefined, 400, 401, 413, 431]).toContain(reply?.status)
    expect(performance.now() - before).toBeLessThan(3000)
    expect((await rig.send(undefined, { method: 'GET', path: '/v1/models', token: loot.good, gateway })).status).toBe(
      200,
    )
  })

  test('nothing of all this made the gateway fetch what a token names, or log it', () => {
    const logged = gateway.output() + readFileSync(join(gateway.dir, 'audit/audit.jsonl'), 'utf8')
    for (const text of ['169.254.169.254', 'evil.example', '/etc/passwd', '../legal', 'eyJ'])
      expect(logged).not.toContain(text)
  })
}
