import { createHmac, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { chat, type Reply, type Rig, replies } from './rig.ts'

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const seconds = () => Math.floor(Date.now() / 1000)

/** Tokens that must not be accepted, and what the log says about each. */
const BAD: Record<string, readonly [reason: RegExp, make: (rig: Rig) => Promise<string> | string]> = {
  'no JWT': [/malformed/, () => 'sk-something-from-elsewhere'],
  'three empty parts': [/malformed/, () => '..'],
  oversized: [/oversize/, rig => rig.token({ note: 'x'.repeat(9000) })],
  expired: [/expired/, rig => rig.token({ iat: seconds() - 100, nbf: seconds() - 100, exp: seconds() - 1 })],
  'not valid yet': [/not_yet_valid/, rig => rig.token({ nbf: seconds() + 600 })],
  'of a life too long': [/lifetime_too_long/, rig => rig.token({ exp: seconds() + 91 * 86_400 })],
  'without an end': [/missing_claim:exp/, rig => rig.token({ exp: undefined })],
  'of another issuer': [/wrong_issuer/, rig => rig.token({ iss: 'someone-else' })],
  'without an issuer': [/missing_claim:iss/, rig => rig.token({ iss: undefined })],
  'for another audience': [/wrong_audience/, rig => rig.token({ aud: 'billing' })],
  'without an audience': [/missing_claim:aud/, rig => rig.token({ aud: undefined })],
  'of another type': [/wrong_type/, rig => rig.token({}, { typ: 'JWT' })],
  'that brings its key': [/forbidden_header:jku/, rig => rig.token({}, { jku: 'https://keys.example/x' })],
  'with an unknown key id': [/unknown_key/, rig => rig.token({}, { kid: 'nobody' })],
  'bound to a certificate that is not shown': [
    /certificate_mismatch/,
    rig => rig.token({ cnf: { 'x5t#S256': `${'x'.repeat(42)}w` } }),
  ],
  'with another condition': [/invalid_claim:cnf/, rig => rig.token({ cnf: { jkt: `${'x'.repeat(42)}w` } })],
  'without a signature': [/malformed/, async rig => `${(await rig.token()).split('.').slice(0, 2).join('.')}.`],
  'with a changed claim': [
    /bad_signature/,
    async rig => {
      const [header = '', claims = '', signature = ''] = (await rig.token()).split('.')
      const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), team: 'admins' }
      return `${header}.${base64url(changed)}.${signature}`
    },
  ],
  'with alg none': [
    /algorithm_not_allowed|malformed/,
    async rig => {
      const [, claims = ''] = (await rig.token()).split('.')
      return `${base64url({ alg: 'none', typ: 'at+jwt' })}.${claims}.AAAA`
    },
  ],
  'signed with the public key as a secret': [
    /algorithm_not_allowed/,
    async rig => {
      const keys = readFileSync(join(rig.gateway.dir, 'keys/public.jwks.json'), 'utf8')
      const [{ kid, x }] = JSON.parse(keys).keys
      const text = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid })}.${(await rig.token()).split('.')[1]}`
      return `${text}.${createHmac('sha256', Buffer.from(x, 'base64url')).update(text).digest('base64url')}`
    },
  ],
  'of a foreign key under our key id': [
    /bad_signature/,
    async rig => {
      const [header = '', claims = ''] = (await rig.token()).split('.')
      const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
      return new SignJWT(JSON.parse(Buffer.from(claims, 'base64url').toString()))
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt' })
        .sign(generateKeyPairSync('ed25519').privateKey)
    },
  ],
}

export function tokens(rig: Rig): void {
  /** What every caller with a wrong credential is told, whatever is wrong with it. */
  const expectUnauthorised = (reply: Reply) => {
    expect(reply.json()['error']).toEqual({
      code: 'invalid_token',
      type: 'authentication_error',
      param: null,
      message: expect.stringContaining('Authorization: Bearer'),
    })
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(reply.headers.get('x-should-retry')).toBe('false')
  }

  describe('all have one answer; the log knows why', () => {
    // Each from its own address, so that none is locked out for the others.
    const rows = Object.entries(BAD).map(([name, [reason, make]], index) => [name, reason, make, index + 2] as const)
    test.each(rows)('a token %s', async (_, reason, make, host) => {
      const token = await make(rig)
      const seen = await rig.seen(async () => {
        const reply = await rig.send(chat(), { token, from: `127.0.0.${host}` })
        expectUnauthorised(reply)
        expect(reply.text).not.toContain(token.slice(-20))
        const record = await rig.record(reply)
        expect(record).toMatchObject({ outcome: 'refused', status: 401, errorCode: 'invalid_token' })
        expect(record['reason']).toMatch(reason)
        // Only of a token that is good elsewhere does the record say whose it is.
        expect('team' in record).toBe(record['reason'] === 'certificate_mismatch')
      })
      expect(seen).toBe(0)
    })

    test.each([
      ['none', {}],
      ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
      ['a scheme alone', { authorization: 'Bearer' }],
      ['an API key in its own header', { 'x-api-key': 'sk-something' }],
    ])('credential: %s', async (_, headers: Record<string, string>) => {
      expectUnauthorised(await rig.send(chat(), { token: null, headers }))
      const list = await rig.send(undefined, { token: null, headers, path: '/v1/models', method: 'GET' })
      expectUnauthorised(list)
    })

    test('not in the query', async () => {
      const path = `/v1/chat/completions?access_token=${await rig.token()}&api_key=x`
      expectUnauthorised(await rig.send(chat(), { token: null, path }))
    })
  })

  test('the scheme is read in any case', async () => {
    rig.answers(replies({ choices: [] }))
    const headers = { authorization: `bearer ${await rig.token()}` }
    expect((await rig.send(chat(), { token: null, headers })).status).toBe(200)
  })

  test('who guesses is locked out; who was let in before goes on', async () => {
    const gateway = rig.other
    const known = await rig.token({}, {}, gateway)
    const models = { path: '/v1/models', method: 'GET', gateway }
    expect((await rig.send(undefined, { ...models, token: known })).status).toBe(200)
    const statuses: number[] = []
    for (let guess = 0; guess < 25; guess++) {
      const token = await rig.token({ aud: `guess-${guess}` }, {}, gateway)
      statuses.push((await rig.send(undefined, { ...models, token })).status)
    }
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401))
    expect(statuses.at(-1)).toBe(429)
    const locked = await rig.send(undefined, { ...models, token: await rig.token({ aud: 'again' }, {}, gateway) })
    expect(locked.json()['error'].code).toBe('too_many_failures')
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await rig.send(undefined, { ...models, token: known })).status).toBe(200)
    // A good token that was never seen is not told from a guess that happens to hit.
    // Nor by trying it again: the first attempt is not remembered.
    const fresh = await rig.token({}, {}, gateway)
    for (const _ of [1, 2]) expect((await rig.send(undefined, { ...models, token: fresh })).status).toBe(429)
    const elsewhere = await rig.send(undefined, { ...models, from: '127.0.0.99' })
    expect(elsewhere.status).toBe(200)
    expect(await rig.record(locked, gateway)).toMatchObject({ outcome: 'refused', errorCode: 'too_many_failures' })
  })

  describe('the id of a token that is refused', () => {
    const models = { path: '/v1/models', method: 'GET' }
    const past = () => ({ iat: seconds() - 100, nbf: seconds() - 100, exp: seconds() - 1 })
    const ask = (token: string, from: string) => rig.send(undefined, { ...models, token, from })
    /** Asks from an address of its own each time. */
    const askFromAfar = async (token: string, net: number, times: number) => {
      const replies: Reply[] = []
      for (let time = 0; time < times; time++) replies.push(await ask(token, `127.1.${net}.${time + 1}`))
      return replies
    }

    test('is locked out wherever it is tried, for attempts that fail; its address is not', async () => {
      const jti = `leaked-${rig.runtime}`
      const expired = await rig.token({ jti, ...past() })
      const statuses = (await askFromAfar(expired, 1, 12)).map(({ status }) => status)
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429])
      const locked = await ask(expired, '127.1.1.99')
      expect(locked.json()['error']).toMatchObject({ code: 'too_many_failures', type: 'authentication_error' })
      expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await rig.record(locked)).toMatchObject({ outcome: 'refused', reason: 'token_locked_out', tokenId: jti })
      // Its holder has another one of the same id, which is good.
      expect((await ask(await rig.token({ jti }), '127.1.1.99')).status).toBe(200)
      // A service that repeats an old token does not lock out its neighbours.
      for (let time = 0; time < 30; time++) expect((await ask(expired, '127.1.1.50')).status).toBe(429)
      expect((await ask(await rig.token(), '127.1.1.50')).status).toBe(200)
    })

    test('counts only where the signature is good: nobody locks out a token by its name', async () => {
      const jti = `victim-${rig.runtime}`
      const [header = '', claims = ''] = (await rig.token({ jti })).split('.')
      const forged = `${header}.${claims}.${'A'.repeat(86)}`
      for (const { status } of await askFromAfar(forged, 2, 25)) expect(status).toBe(401)
      const record = await rig.record(await ask(forged, '127.1.2.90'))
      expect(record).toMatchObject({ reason: 'bad_signature' })
      expect(record).not.toHaveProperty('tokenId')
      const expired = await ask(await rig.token({ jti, ...past() }), '127.1.2.91')
      expect(expired.status).toBe(401)
      expect(await rig.record(expired)).toMatchObject({ reason: 'expired', tokenId: jti })
      expect((await ask(await rig.token({ jti }), '127.1.2.92')).status).toBe(200)
    })
  })
}
