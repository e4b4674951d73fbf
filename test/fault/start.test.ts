import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { freePort, type Runtime, sallyport, sallyportOutput, startGateway, tempDir } from '../support/index.ts'

/** A valid configuration, to be changed. */
const settings = (port: number) => ({
  listen: { host: '127.0.0.1', port },
  models: [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:1/v1', kind: 'openai' }] }],
  audit: { file: 'audit/audit.jsonl', hmacSecret: '${env:PROMPT_HMAC_SECRET}' },
})

describe.each<Runtime>(['node', 'bun'])('sallyport serve on %s cannot start', runtime => {
  const dir = tempDir()
  const occupied = createServer()
  let taken: number
  let free: number

  beforeAll(async () => {
    free = await freePort()
    taken = await freePort()
    const { promise, resolve } = Promise.withResolvers<void>()
    occupied.listen(taken, '127.0.0.1', resolve)
    await promise
    await sallyportOutput(['keys', 'init', '--dir', join(dir, 'keys')], { cwd: dir })
    writeFileSync(join(dir, 'plain.txt'), 'not a folder')
    mkdirSync(join(dir, 'folder'))
    writeFileSync(join(dir, 'damaged.jsonl'), '{"seq":1}\n')
    writeFileSync(join(dir, 'no-keys.json'), '{"keys":[]}')
  })
  afterAll(() => void occupied.close())

  async function start(text: string, env = {}) {
    writeFileSync(join(dir, 'sallyport.yaml'), text)
    const args = ['serve', '--config', join(dir, 'sallyport.yaml')]
    const { code, stdout, stderr } = await sallyport(args, { cwd: dir, runtime, env: { PORT: undefined, ...env } })
    expect(stderr + stdout).not.toMatch(/\n\s+at .*[:(]\d|unexpected:|undefined/)
    return { code, stderr }
  }
  const withSettings = (change: Readonly<Record<string, unknown>>) => stringify({ ...settings(free), ...change })
  const audit = (file: string) => ({ audit: { ...settings(free).audit, file } })

  test.each<[string, () => string, RegExp]>([
    ['a port that is in use', () => stringify(settings(taken)), /cannot listen on 127\.0\.0\.1:\d+: .*already in use/],
    [
      'an audit folder that cannot be made',
      () => withSettings(audit('plain.txt/audit.jsonl')),
      /audit\.file: .*plain\.txt/,
    ],
    ['a folder for an audit file', () => withSettings(audit('folder')), /audit\.file: .*folder/],
    ['an audit file that is damaged', () => withSettings(audit('damaged.jsonl')), /damaged\.jsonl: .*damaged/],
    ['no key file', () => withSettings({ tokens: { jwks: 'none/public.jwks.json' } }), /none\/public\.jwks\.json/],
    ['a key file that is none', () => withSettings({ tokens: { jwks: 'plain.txt' } }), /plain\.txt/],
    ['a key file without keys', () => withSettings({ tokens: { jwks: 'no-keys.json' } }), /no-keys\.json/],
    [
      'a key for issuing that is none',
      () => withSettings({ admin: { listen: { port: 0 }, issue: { key: 'no-keys.json' } } }),
      /admin\.issue\.key: .*no-keys\.json is no private signing key/,
    ],
    [
      'a key for issuing that callers’ tokens are not checked with',
      () => withSettings({ admin: { listen: { port: 0 }, issue: { key: 'keys/audit-signing.jwk.json' } } }),
      /admin\.issue\.key: .*is not in tokens\.jwks/,
    ],
    ['an admin port that is in use', () => withSettings({ admin: { listen: { port: taken } } }), /already in use/],
    ['an unknown setting', () => withSettings({ modles: [] }), /modles.*models/s],
    ['a wrong unit', () => withSettings({ timeouts: { idle: '5 parsecs' } }), /timeouts\.idle/],
    ['no model', () => withSettings({ models: undefined }), /models/],
    ['YAML that is none', () => 'models: [', /sallyport\.yaml/],
    ['an empty file', () => '', /sallyport\.yaml|models/],
  ])('for %s', async (_, text, message) => {
    const { code, stderr } = await start(text())
    expect(stderr).toMatch(message)
    expect(code).toBe(1)
  })

  test('for an HTTP client that it does not have', async () => {
    const { code, stderr } = await start(withSettings({}), { SALLYPORT_UPSTREAM_CLIENT: 'curl' })
    expect(stderr).toMatch(
      runtime === 'node' ? /SALLYPORT_UPSTREAM_CLIENT: own or undici, not "curl"/ : /SALLYPORT_UPSTREAM_CLIENT: Bun/,
    )
    expect(code).toBe(1)
  })

  test('for a missing secret, which it names', async () => {
    const { code, stderr } = await start(withSettings({}), { PROMPT_HMAC_SECRET: undefined })
    expect({ code, names: stderr.includes('PROMPT_HMAC_SECRET') }).toEqual({ code: 1, names: true })
  })

  test('without its configuration, which it names', async () => {
    rmSync(join(dir, 'sallyport.yaml'), { force: true })
    const { code, stderr } = await sallyport(['serve', '--config', 'sallyport.yaml'], { cwd: dir, runtime })
    expect(stderr).toContain('sallyport.yaml')
    expect(code).toBe(1)
  })

  test('beside another one on the same audit log', async () => {
    const { models } = settings(free)
    const first = await startGateway({ runtime, dir, config: { models } })
    const { code, stderr } = await start(withSettings({}))
    expect(stderr).toMatch(/audit\.jsonl/)
    expect(code).toBe(1)
    expect(await first.stop()).toMatchObject({ code: 0 })
  })
})
