import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { run } from '../support/cli.ts'
import { MINIMAL } from '../support/config.ts'
import { freePort } from '../support/ports.ts'
import { startRedis } from '../support/redis.ts'
import { tempDir } from '../support/temp-dir.ts'

vi.setConfig({ testTimeout: 60_000 })

const IDENTITY = ['--team', 'search', '--app', 'web', '--env', 'test']
const DAY_MS = 86_400_000

let prepared: string
beforeAll(async () => {
  prepared = tempDir()
  await run(prepared, ['keys', 'init'])
  writeFileSync(join(prepared, 'sallyport.yaml'), MINIMAL)
})

function workplace(): string {
  const dir = tempDir()
  cpSync(prepared, dir, { recursive: true })
  return dir
}

interface Listed {
  readonly tokenId: string
  readonly team: string
  readonly expires: string
  readonly revoked: boolean
}

async function list(dir: string, ...args: string[]): Promise<Listed[]> {
  const { code, stdout, stderr } = await run(dir, ['token', 'list', '--json', ...args])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Listed[]
}

describe('what was issued', () => {
  test('is listed, never the token, and can be revoked by its id', async () => {
    const dir = workplace()
    const minted = await run(dir, ['token', 'mint', ...IDENTITY, '--ttl', '2d'])
    expect(minted).toMatchObject({ code: 0, stderr: '' })
    const { jti = '' } = decodeJwt(minted.stdout.trim())
    await run(dir, ['token', 'mint', ...IDENTITY, '--team', 'legal', '--ttl', '20d'])
    expect(await list(dir)).toMatchObject([
      { tokenId: jti, team: 'search', app: 'web', env: 'test', scopes: ['inference'], revoked: false },
      { team: 'legal' },
    ])
    expect(await list(dir, '--expiring', '7d')).toHaveLength(1)
    expect(await list(dir, '--team', 'legal')).toHaveLength(1)
    expect(await list(dir, '--app', 'batch')).toEqual([])

    const revoked = await run(dir, ['token', 'revoke', jti, '--reason', 'left in a log', '--json'])
    expect(revoked).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(revoked.stdout)).toMatchObject({
      target: { kind: 'token', tokenId: jti },
      by: 'cli',
      reason: 'left in a log',
    })
    expect((await list(dir)).map(({ revoked: gone }) => gone)).toEqual([true, false])
    const table = await run(dir, ['token', 'list'])
    expect(table.stdout).toMatch(
      new RegExp(`^ID +TEAM .*\\n${jti} +search +web +test +inference .* revoked\\n.* valid\\n$`),
    )
    const files = readdirSync(join(dir, 'state')).map(name => readFileSync(join(dir, 'state', name), 'latin1'))
    expect(files.join('')).toContain(jti)
    expect(files.join('')).not.toContain(minted.stdout.trim().slice(-40))
    expect(statSync(join(dir, 'state/sallyport.db')).mode & 0o777).toBe(0o600)
  })

  test('a token minted right behind a revocation of everything is good', async () => {
    const dir = workplace()
    await run(dir, ['token', 'mint', ...IDENTITY])
    expect(await run(dir, ['token', 'revoke', '--all'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^revoked: all tokens issued up to /),
    })
    await run(dir, ['token', 'mint', ...IDENTITY, '--ttl', '1d'])
    expect((await list(dir)).map(({ revoked }) => revoked)).toEqual([false, true])
  })

  test('one that is in no registry is said to be, and made all the same', async () => {
    const dir = tempDir()
    cpSync(join(prepared, 'keys'), join(dir, 'keys'), { recursive: true })
    const minted = await run(dir, ['token', 'mint', ...IDENTITY])
    expect(minted).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ey/),
      stderr: expect.stringMatching(/^note: .* in no registry.*\n$/),
    })
    expect(readdirSync(dir)).toEqual(['keys'])
    const inFolder = workplace()
    expect(await run(inFolder, ['token', 'mint', ...IDENTITY, '--no-register'])).toMatchObject({ code: 0, stderr: '' })
    expect(readdirSync(inFolder)).not.toContain('state')
  })

  test('one that cannot be recorded is not given out', async () => {
    const state = `redis://user:marzipan@127.0.0.1:${await freePort()}/0`
    const minted = await run(workplace(), ['token', 'mint', ...IDENTITY, '--state', state])
    expect(minted).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/state: Redis failed/) })
    expect(minted.stderr).not.toContain('marzipan')
  })

  test('the same in Redis, where the environment says so', async () => {
    await using redis = await startRedis()
    const dir = workplace()
    const minted = await run(dir, ['token', 'mint', ...IDENTITY], { REDIS_URL: redis.url })
    expect(minted).toMatchObject({ code: 0, stderr: '' })
    expect(readdirSync(dir)).not.toContain('state')
    expect(await list(dir, '--state', redis.url)).toHaveLength(1)
    expect(await run(dir, ['token', 'revoke', '--team', 'search', '--state', redis.url])).toMatchObject({ code: 0 })
    expect(await list(dir, '--state', redis.url)).toMatchObject([{ revoked: true }])
  })
})

describe('what cannot be done says why', () => {
  test.each<[string[], RegExp]>([
    [['token', 'revoke'], /give one of/],
    [['token', 'revoke', 'an-id', '--team', 'a'], /give one of/],
    [['token', 'revoke', '--all', '--app', 'a'], /give one of/],
    [['token', 'revoke', 'ey.ey.marzipan/='], /this is no token id: sallyport token inspect/],
    [['token', 'revoke', '--team', 'a b'], /--team: /],
    [['token', 'revoke', 'an-id', '--issued-before', '2026-01-01'], /--issued-before goes with/],
    [['token', 'revoke', '--all', '--issued-before', 'yesterday'], /--issued-before: a time/],
    [['token', 'revoke', '--all', '--issued-before', '2026-01-01T10:00'], /--issued-before: a time with its zone/],
    [['token', 'revoke', '--all', '--issued-before', '2999-01-01'], /--issued-before: lies in the future/],
    [['token', 'revoke', '--all', '--reason', 'two\nlines'], /--reason/],
    [['token', 'revoke', '--all', '--state', 'sqlite:x'], /--state: should be/],
    [['token', 'list', '--expiring', 'soon'], /--expiring/],
    [['keys', 'rotate', '--alg', 'HS256'], /Allowed choices/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await run(prepared, args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('marzipan')
  })

  test.each([['list'], ['revoke', '--all']])('a store that is not there is not made: %s', async (...args) => {
    const dir = workplace()
    const result = await run(dir, ['token', ...args])
    expect(result).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/state: .*state\/sallyport\.db: there is no such store/),
    })
    expect(readdirSync(dir)).not.toContain('state')
  })

  test('a store that is none', async () => {
    const dir = workplace()
    mkdirSync(join(dir, 'state'))
    writeFileSync(join(dir, 'state/sallyport.db'), 'no database, and long enough to be told from one. '.repeat(40))
    const result = await run(dir, ['token', 'list'])
    expect(result).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/state: .*sallyport\.db cannot be used: file is not a database/),
    })
  })
})

describe('keys rotate', () => {
  const publicKeys = (dir: string) =>
    (
      JSON.parse(readFileSync(join(dir, 'keys/public.jwks.json'), 'utf8')) as {
        keys: { kid: string; exp?: number; d?: string }[]
      }
    ).keys
  const signing = (dir: string) =>
    JSON.parse(readFileSync(join(dir, 'keys/signing.jwk.json'), 'utf8')) as { kid: string; alg: string }
  const valid = async (dir: string, token: string) =>
    (await run(dir, ['token', 'inspect', '--jwks', 'keys/public.jwks.json'], {}, token)).code === 0

  test('signs with a new key, and accepts the old one until its last token has expired', async () => {
    const dir = workplace()
    const before = (await run(dir, ['token', 'mint', ...IDENTITY])).stdout
    const old = signing(dir).kid
    const rotated = await run(dir, ['keys', 'rotate', '--json'])
    expect(rotated.code).toBe(0)
    const result = JSON.parse(rotated.stdout) as { kid: string; replaced: string; replacedAcceptedUntil: string }
    expect(result).toMatchObject({ kid: signing(dir).kid, replaced: old, removed: [] })
    expect(Date.parse(result.replacedAcceptedUntil)).toBeGreaterThan(Date.now() + 90 * DAY_MS - 60_000)
    const after = (await run(dir, ['token', 'mint', ...IDENTITY])).stdout
    expect([await valid(dir, before), await valid(dir, after)]).toEqual([true, true])
    expect(publicKeys(dir).map(({ kid, d }) => [kid, d])).toEqual([
      [result.kid, undefined],
      [old, undefined],
    ])
    expect(statSync(join(dir, 'keys/signing.jwk.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(dir, 'keys')).sort()).toEqual([
      'audit-signing.jwk.json',
      'public.jwks.json',
      'signing.jwk.json',
    ])
  })

  test('takes out keys whose last token has expired, and so does list --prune', async () => {
    const dir = workplace()
    const kids = [signing(dir).kid]
    await run(dir, ['keys', 'rotate'])
    kids.push(signing(dir).kid)
    const expire = (kid: string | undefined) => {
      const keys = publicKeys(dir).map(key => (key.kid === kid ? { ...key, exp: Math.floor(Date.now() / 1000) } : key))
      writeFileSync(join(dir, 'keys/public.jwks.json'), JSON.stringify({ keys }))
    }
    expire(kids[0])
    const rotated = await run(dir, ['keys', 'rotate', '--alg', 'ES256', '--json'])
    expect(JSON.parse(rotated.stdout)).toMatchObject({ removed: [kids[0]], replaced: kids[1] })
    expect(signing(dir).alg).toBe('ES256')
    expire(kids[1])
    expect((await run(dir, ['keys', 'list', '--json'])).stdout).toContain(String(kids[1]))
    const pruned = await run(dir, ['keys', 'list', '--prune', '--json'])
    expect(JSON.parse(pruned.stdout)).toMatchObject([{ kid: signing(dir).kid, alg: 'ES256', acceptedUntil: null }])
  })

  test('a stolen key is discarded at once', async () => {
    const dir = workplace()
    const before = (await run(dir, ['token', 'mint', ...IDENTITY])).stdout
    expect(await run(dir, ['keys', 'rotate', '--discard-old'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/is refused from now on/),
    })
    expect(await valid(dir, before)).toBe(false)
    expect(publicKeys(dir)).toHaveLength(1)
  })

  test('makes no set that gateways would refuse whole', async () => {
    const dir = workplace()
    const [own] = publicKeys(dir)
    const exp = Math.floor(Date.now() / 1000) + 1000
    const older = Array.from({ length: 63 }, (_, at) => ({ ...own, kid: `older-${at}`, exp }))
    writeFileSync(join(dir, 'keys/public.jwks.json'), JSON.stringify({ keys: [own, ...older] }))
    const { kid } = signing(dir)
    expect(await run(dir, ['keys', 'rotate'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/64 keys/) })
    expect([signing(dir).kid, publicKeys(dir).length]).toEqual([kid, 64])
    expect(await run(dir, ['keys', 'rotate', '--discard-old'])).toMatchObject({ code: 0 })
    expect(publicKeys(dir)).toHaveLength(64)
  })

  test('leaves keys of others as they are', async () => {
    const [dir, other] = [workplace(), tempDir()]
    await run(other, ['keys', 'init'])
    const [foreign] = publicKeys(other)
    writeFileSync(join(dir, 'keys/public.jwks.json'), JSON.stringify({ keys: [...publicKeys(dir), foreign] }))
    await run(dir, ['keys', 'rotate'])
    expect(publicKeys(dir).find(({ kid }) => kid === foreign?.kid)).toEqual(foreign)
  })

  test('beside rotations, every token that is minted is good', async () => {
    const dir = workplace()
    const results = await Promise.all([
      run(dir, ['keys', 'rotate']),
      run(dir, ['keys', 'rotate']),
      ...Array.from({ length: 5 }, () => run(dir, ['token', 'mint', ...IDENTITY])),
    ])
    const [first, second, ...minted] = results
    // One of two at the same time may be told to wait; never do both take the place of one key.
    for (const { code, stderr } of [first, second])
      if (code !== 0) expect(stderr).toMatch(/cannot be changed now: .*held by process/)
    const done = [first, second].filter(({ code }) => code === 0).length
    expect(done).toBeGreaterThan(0)
    expect(publicKeys(dir)).toHaveLength(1 + done)
    for (const { code, stdout } of minted) {
      expect(code).toBe(0)
      expect(await valid(dir, stdout)).toBe(true)
    }
  })

  test('without a signing key there is nothing to replace', async () => {
    const result = await run(tempDir(), ['keys', 'rotate'])
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/keys/) })
  })
})
