import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { run } from '../support/cli.ts'
import { MINIMAL, SAMPLE, SECRET } from '../support/config.ts'
import { tempDir } from '../support/temp-dir.ts'

// Each test starts the program several times, and many run at once.
vi.setConfig({ testTimeout: 60_000 })

/** A folder of its own with keys and a configuration that loads. */
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

const IDENTITY = ['--team', 'search', '--app', 'web', '--env', 'test']

describe('the program', () => {
  test('--version and --help succeed', async () => {
    expect(await run(tempDir(), ['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
    const help = await run(tempDir(), ['--help'])
    expect(help.code).toBe(0)
    for (const command of ['audit', 'config', 'keys', 'token']) expect(help.stdout).toContain(command)
  })

  test.each([
    [['keyz'], "unknown command 'keyz'"],
    [['keys', 'init', '--alg', 'HS256'], 'Allowed choices are EdDSA, ES256, RS256'],
    [['token', 'mint', '--team', 'a'], "required option '--app <name>'"],
    [['token', 'mint', '--team', 'a b', '--app', 'a', '--env', 'a'], "'--team <name>' argument 'a b' is invalid"],
    [['token', 'mint', ...IDENTITY, '--ttl', '91d'], 'from 1s to 90d'],
    [['token', 'mint', ...IDENTITY, '--priority', 'very high'], "'--priority <class>' argument 'very high' is invalid"],
    [['token', 'mint', ...IDENTITY, '--models', 'a,,b'], '--models'],
    [['token', 'mint', ...IDENTITY, '--subject', 'a\nb'], 'the gateway would refuse this token: invalid_claim (sub)'],
  ])('bad usage exits with 2: %j', async (args, message) => {
    const { code, stdout, stderr } = await run(prepared, args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('keys', () => {
  test('init makes closed files, and never writes over them', async () => {
    const dir = tempDir()
    const first = await run(dir, ['keys', 'init', '--dir', 'k', '--json'])
    expect(first.code).toBe(0)
    const mode = (name: string) => (statSync(join(dir, name)).mode & 0o777).toString(8)
    expect(['k', 'k/signing.jwk.json', 'k/audit-signing.jwk.json', 'k/public.jwks.json'].map(mode)).toEqual([
      '700',
      '600',
      '600',
      '644',
    ])
    const before = readFileSync(join(dir, 'k/signing.jwk.json'), 'utf8')
    const again = await run(dir, ['keys', 'init', '--dir', 'k'])
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('k/signing.jwk.json')
    expect(readFileSync(join(dir, 'k/signing.jwk.json'), 'utf8')).toBe(before)
    expect((await run(dir, ['keys', 'init', '--dir', 'k', '--force'])).code).toBe(0)
    expect(readFileSync(join(dir, 'k/signing.jwk.json'), 'utf8')).not.toBe(before)
    expect(mode('k/signing.jwk.json')).toBe('600')
  })

  test('one of the files is enough to leave all as they are', async () => {
    const dir = tempDir()
    mkdirSync(join(dir, 'keys'))
    writeFileSync(join(dir, 'keys/public.jwks.json'), '{}')
    expect((await run(dir, ['keys', 'init'])).code).toBe(1)
    expect(() => statSync(join(dir, 'keys/signing.jwk.json'))).toThrow('ENOENT')
  })

  test('no private part is printed or public', async () => {
    const { d } = JSON.parse(readFileSync(join(prepared, 'keys/signing.jwk.json'), 'utf8')) as { d: string }
    expect(d).toMatch(/^[\w-]{40,}$/)
    expect(readFileSync(join(prepared, 'keys/public.jwks.json'), 'utf8')).not.toContain(d)
    const { stdout } = await run(prepared, ['keys', 'list', '--json'])
    expect(JSON.parse(stdout)).toEqual([
      {
        kid: expect.stringMatching(/^[\w-]{43}$/),
        alg: 'EdDSA',
        created: expect.stringMatching(/^\d{4}-.*Z$/),
        acceptedUntil: null,
      },
    ])
    const table = await run(prepared, ['keys', 'list'])
    expect(table.stdout.split('\n')[0]).toMatch(/^KID +ALG +CREATED +ACCEPTED UNTIL$/)
    expect(table.stdout + stdout).not.toContain(d)
  })

  test('a missing folder is named', async () => {
    const { code, stderr } = await run(tempDir(), ['keys', 'list', '--dir', 'nope'])
    expect(code).toBe(1)
    expect(stderr).toBe('error: nope/public.jwks.json cannot be read: there is no such file\n')
  })
})

describe('token', () => {
  test.each(['EdDSA', 'ES256', 'RS256'])('what is minted with %s is accepted', async alg => {
    const dir = tempDir()
    await run(dir, ['keys', 'init', '--alg', alg])
    const minted = await run(dir, [
      'token',
      'mint',
      ...IDENTITY,
      '--models',
      'llama*,phi',
      '--priority',
      'batch',
      '--ttl',
      '1h',
    ])
    expect(minted).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^note: .* in no registry: .*\n$/),
      stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/),
    })
    const token = minted.stdout.trim()
    const inspected = await run(dir, ['token', 'inspect', token, '--jwks', 'keys/public.jwks.json', '--json'])
    expect(inspected).toMatchObject({ code: 0, stderr: '' })
    const { header, claims, valid } = JSON.parse(inspected.stdout)
    expect(valid).toBe(true)
    expect(header).toMatchObject({ alg, typ: 'at+jwt' })
    expect(claims).toMatchObject({
      iss: 'sallyport',
      aud: 'sallyport',
      sub: 'search/web/test',
      team: 'search',
      app: 'web',
      env: 'test',
      scope: 'inference',
      models: ['llama*', 'phi'],
      priority: 'batch',
    })
    expect(claims.exp - claims.iat).toBe(3600)
    expect(inspected.stdout).not.toContain(token.split('.')[2])
  })

  test('the configuration gives issuer, audience and longest life, and none of its secrets are needed', async () => {
    const dir = workplace()
    writeFileSync(
      join(dir, 'sallyport.yaml'),
      `tokens: { issuer: us, audience: llm, maxLifetime: 30d }\n${MINIMAL.replace(SECRET, '"$' + '{env:NOPE}"')}`,
    )
    const long = await run(dir, ['token', 'mint', ...IDENTITY, '--ttl', '31d'])
    expect(long).toMatchObject({ code: 2, stdout: '' })
    expect(long.stderr).toContain('--ttl is longer than the 30d that tokens.maxLifetime allows')
    const { stdout } = await run(dir, ['token', 'mint', ...IDENTITY, '--ttl', '30d'])
    const inspected = await run(dir, ['token', 'inspect', stdout.trim(), '--config', 'sallyport.yaml'])
    expect(inspected).toMatchObject({ code: 0, stdout: expect.stringContaining("The gateway's verdict: valid") })
    const elsewhere = ['--issuer', 'other', '--audience', 'other']
    const foreign = await run(dir, ['token', 'mint', ...IDENTITY, '--ttl', '1d', ...elsewhere])
    const refused = await run(dir, ['token', 'inspect', foreign.stdout.trim(), '--config', 'sallyport.yaml'])
    expect(refused).toMatchObject({ code: 1, stderr: 'error: the token is refused: wrong_issuer\n' })
  })

  test('a key that others can read is warned about, and the token still stands alone on stdout', async () => {
    const dir = workplace()
    chmodSync(join(dir, 'keys/signing.jwk.json'), 0o644)
    const { stdout, stderr } = await run(dir, ['token', 'mint', ...IDENTITY])
    expect(stderr).toContain('keys/signing.jwk.json can be read by others')
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  })

  test.each([
    ['{"kty":"OKP"}', 'is no private signing key'],
    ['{"kty":"oct","k":"secret-value","kid":"a","alg":"HS256","d":"x"}', 'is no private signing key'],
    ['{"kty":"OKP","crv":"Ed25519","d":"secret-value","x":"AA","kid":"a","alg":"EdDSA"}', 'is not a valid EdDSA key'],
    ['secret-value', 'is not valid JSON'],
  ])('a bad key file is named and not shown: %s', async (content, message) => {
    const dir = tempDir()
    writeFileSync(join(dir, 'key.json'), content, { mode: 0o600 })
    const { code, stdout, stderr } = await run(dir, ['token', 'mint', ...IDENTITY, '--key', 'key.json'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`key.json ${message}`)
    expect(stderr).not.toContain('secret-value')
  })

  test('what is no token is said to be none', async () => {
    expect(await run(tempDir(), ['token', 'inspect', 'nonsense'])).toMatchObject({
      code: 1,
      stderr: 'error: this is no JSON Web Token\n',
    })
  })

  test('control characters of a foreign token do not reach the terminal', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'none' })}.${part({ sub: '\u001b[31mred\u009b' })}.AA`
    const { code, stdout } = await run(tempDir(), ['token', 'inspect', token])
    expect(code).toBe(0)
    expect(stdout).toContain('\\u001b[31mred\\u009b')
    expect(stdout).not.toMatch(/[^\n\x20-\x7e]/)
  })
})

describe('config', () => {
  test('check says valid, with what to look at', async () => {
    const dir = workplace()
    writeFileSync(join(dir, 'all.yaml'), SAMPLE)
    const env = { VLLM_KEY: 'vllm-key-value', HEC_TOKEN: 'hec-token-value', PROMPT_HMAC_SECRET: SECRET }
    const { code, stdout, stderr } = await run(dir, ['config', 'check', 'all.yaml'], env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('all.yaml: valid\n')
    expect(stdout).toContain('warning audit.checkpoint.to: none given: checkpoints stay beside the log')
  })

  test('check names every fault with its path, as text and as JSON', async () => {
    const dir = workplace()
    writeFileSync(join(dir, 'bad.yaml'), `${MINIMAL}listen: { hots: a }\ntimeouts: { idle: 30 }\n`)
    const { code, stdout, stderr } = await run(dir, ['config', 'check', 'bad.yaml'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: .*bad\.yaml: 2 faults\n {2}listen\.hots: .*"host"\?\n {2}timeouts\.idle: /)
    const json = await run(dir, ['config', 'check', 'bad.yaml', '--json'])
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      faults: [{ path: 'listen.hots' }, { path: 'timeouts.idle' }],
    })
  })

  test('--config goes before sallyport.yaml, and that before $SALLYPORT_CONFIG', async () => {
    const dir = workplace()
    for (const name of ['given', 'variable']) {
      writeFileSync(join(dir, `${name}.yaml`), `${MINIMAL}tokens: { issuer: ${name} }\n`)
    }
    const env = { SALLYPORT_CONFIG: 'variable.yaml' }
    const issuer = async (cwd: string, ...args: string[]) =>
      (
        JSON.parse((await run(cwd, ['config', 'print', '--json', ...args], env)).stdout) as {
          tokens: { issuer: string }
        }
      ).tokens.issuer
    expect(await issuer(dir, '--config', 'given.yaml')).toBe('given')
    expect(await issuer(dir)).toBe('sallyport')
    const elsewhere = tempDir()
    writeFileSync(join(elsewhere, 'variable.yaml'), readFileSync(join(dir, 'variable.yaml')))
    expect(await issuer(elsewhere)).toBe('variable')
  })

  test('relative paths are relative to the file, not to the working folder', async () => {
    const dir = workplace()
    const { stdout } = await run(tempDir(), ['config', 'print', '--json', '--config', join(dir, 'sallyport.yaml')])
    expect(JSON.parse(stdout)).toMatchObject({
      tokens: { jwks: join(dir, 'keys/public.jwks.json') },
      audit: { file: join(dir, 'audit/audit.jsonl') },
    })
  })

  test('print masks credentials, in YAML and JSON', async () => {
    const dir = workplace()
    writeFileSync(join(dir, 'all.yaml'), SAMPLE)
    const env = {
      VLLM_KEY: 'vllm-key-value',
      HEC_TOKEN: 'hec-token-value',
      PROMPT_HMAC_SECRET: SECRET,
      REDIS_URL: 'redis://:redis-password@r:6379',
    }
    for (const form of [[], ['--json']]) {
      const { code, stdout, stderr } = await run(dir, ['config', 'print', '--config', 'all.yaml', ...form], env)
      expect(code).toBe(0)
      expect(stdout).toContain('llama-3.1-8b')
      for (const secret of ['vllm-key-value', 'hec-token-value', SECRET, 'redis-password']) {
        expect(stdout + stderr).not.toContain(secret)
      }
    }
  })

  test('a file that is missing, a folder or no text is named', async () => {
    const dir = workplace()
    writeFileSync(join(dir, 'binary.yaml'), new Uint8Array([0xff, 0xfe, 0x00]))
    for (const [file, reason] of [
      ['nope.yaml', 'there is no such file'],
      ['keys', 'it is a folder'],
      ['binary.yaml', 'it is not UTF-8 text'],
    ] as const) {
      const { code, stderr } = await run(dir, ['config', 'check', file])
      expect(code).toBe(1)
      expect(stderr).toContain(`${file}: 1 fault\n  cannot be read: ${reason}`)
    }
  })

  test('schema prints JSON Schema', async () => {
    const { code, stdout } = await run(tempDir(), ['config', 'schema'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ title: 'Sallyport configuration', type: 'object' })
  })
})
