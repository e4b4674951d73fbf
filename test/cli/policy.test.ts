import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { run } from '../support/cli.ts'
import { SECRET } from '../support/config.ts'
import { tempDir } from '../support/temp-dir.ts'

// Each test starts the program several times, and many run at once.
vi.setConfig({ testTimeout: 60_000 })

const CONFIG = `
models:
  - { id: m, upstreams: [{ url: http://127.0.0.1:8080/v1, kind: llama.cpp, apiKey: key-value-of-m }] }
  - { id: n, upstreams: [{ url: http://127.0.0.1:8080/v1, kind: llama.cpp }] }
quotas:
  - { name: everybody, per: [team], tokens: 100k, window: 1m }
  - { name: legal-n, match: { team: legal, model: n }, per: [team], tokens: 20k, window: 1m }
guard:
  input: { rules: { EMAIL_SPELLED: flag, EMAIL: redact }, locales: [us] }
  rules:
    - { name: EMPLOYEE_ID, pattern: "EMP-[0-9]{6}" }
    - { name: PROJECTS, file: lists/projects.txt, action: block }
  exceptions:
    - { match: { team: [legal, hr], model: n }, input: { pii: off, rules: { PROJECTS: flag } } }
audit: { hmacSecret: ${SECRET} }
`

let dir: string
beforeAll(async () => {
  dir = tempDir()
  mkdirSync(join(dir, 'lists'))
  writeFileSync(join(dir, 'sallyport.yaml'), CONFIG)
  writeFileSync(join(dir, 'lists/projects.txt'), '# code names\nFalcon\nOsprey Nest\n')
  await run(dir, ['keys', 'init'])
})

const json = async (args: readonly string[], input?: string) => {
  const { code, stdout, stderr } = await run(dir, [...args, '--json'], {}, input)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe('config print', () => {
  test('shows what applies to a caller, model by model, and what says so', async () => {
    const { stdout, code } = await run(dir, ['config', 'print', '--team', 'legal'])
    expect(code).toBe(0)
    const sections = stdout.split('\n\n')
    expect(sections[0]).toBe('caller: { team: legal }')
    expect(sections).toHaveLength(3)
    expect(sections[1]).toContain('models: [ m ]\nexception: none\n')
    expect(sections[1]).not.toContain('legal-n')
    expect(sections[2]).toContain('models: [ n ]\nexception: guard.exceptions[0]\n')
    expect(sections[2]).toMatch(/^ {2}pii: off +# guard\.exceptions\[0\]\.input\.pii$/m)
    expect(sections[2]).toMatch(/^ {4}PROJECTS: flag +# guard\.exceptions\[0\]\.input\.rules\.PROJECTS$/m)
    expect(sections[2]).toMatch(/^ {4}EMAIL: redact +# guard\.input\.rules\.EMAIL$/m)
    expect(sections[2]).toMatch(/^ {2}locales: \[ us \] +# guard\.input\.locales$/m)
    expect(sections[2]).toContain('name: legal-n')
    const { policies } = await json(['config', 'print', '--team', 'legal', '--model', 'n'])
    expect(policies).toMatchObject([
      {
        models: ['n'],
        exception: 'guard.exceptions[0]',
        input: { pii: { value: 'off', setBy: 'guard.exceptions[0].input.pii' } },
        quotas: [{ name: 'everybody' }, { name: 'legal-n' }],
      },
    ])
  })

  test('shows what applies to a token, for the models that it may use, and never the token', async () => {
    const mint = ['token', 'mint', '--team', 'hr', '--app', 'web', '--env', 'test', '--models', 'n*']
    const token = (await run(dir, mint)).stdout.trim()
    const given = await run(dir, ['config', 'print', '--token', token])
    const piped = await run(dir, ['config', 'print', '--token', '-'], {}, `${token}\n`)
    expect(piped).toEqual(given)
    expect(given).toMatchObject({ code: 0, stderr: '' })
    expect(given.stdout).toContain(
      'caller: { team: hr, app: web, env: test }\n\nmodels: [ n ]\nexception: guard.exceptions[0]\n',
    )
    expect(given.stdout).not.toContain('models: [ m ]')
    for (const secret of [token, token.split('.')[2] ?? '', SECRET, 'key-value-of-m']) {
      expect(given.stdout).not.toContain(secret)
    }
    const forbidden = await run(dir, ['config', 'print', '--token', token, '--model', 'm'])
    expect(forbidden).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'error: the token may use none of these models: its requests are refused\n',
    })
  })

  test('says that a token is refused, and nothing of it', async () => {
    const elsewhere = tempDir()
    await run(elsewhere, ['keys', 'init'])
    const mint = ['token', 'mint', '--team', 'hr', '--app', 'web', '--env', 'test']
    const foreign = (await run(elsewhere, mint)).stdout.trim()
    const { code, stdout, stderr } = await run(dir, ['config', 'print', '--token', foreign])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: no policy applies: the token is refused: \w+\n$/)
  })

  test.each([
    [['--token', 'x', '--team', 'a'], '--token says team, app and env'],
    [['--team', 'a', '--model', 'mm'], '--model: there is no model mm in the configuration; there are m, n'],
  ])('bad usage exits with 2: %j', async (args, message) => {
    const { code, stdout, stderr } = await run(dir, ['config', 'print', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  test('shows of a dictionary in a file the file and how many terms it has', async () => {
    const { guard } = await json(['config', 'print'])
    expect(guard.rules[1]).toMatchObject({ name: 'PROJECTS', file: join(dir, 'lists/projects.txt'), terms: 2 })
    expect(guard.exceptions[0].match).toEqual({ team: ['legal', 'hr'], model: ['n'] })
  })
})

describe('guard rules', () => {
  test('lists rules with locale, what is done about them and what says so', async () => {
    const all = await json(['guard', 'rules'])
    const row = (name: string) => all.find((each: { name: string }) => each.name === name)
    expect(row('PROJECTS')).toMatchObject({ group: 'custom', locale: null, terms: 2, input: 'block', output: 'block' })
    expect(row('EMAIL')).toMatchObject({ input: 'redact', inputSetBy: 'guard.input.rules.EMAIL', output: 'redact' })
    expect(row('UK_NHS')).toMatchObject({ locale: 'uk', input: 'off', inputSetBy: 'guard.input.locales' })
    expect(row('EMAIL_SPELLED')).toMatchObject({ input: 'flag', output: 'off' })
    const legal = await json(['guard', 'rules', 'projects', 'PHONE', '--team', 'legal', '--model', 'n'])
    expect(legal.map(({ name, input }: Record<string, string>) => [name, input])).toEqual([
      ['PROJECTS', 'flag'],
      ['PHONE', 'off'],
    ])
  })

  test('shows those that are asked for', async () => {
    const names = async (...args: string[]) => {
      const { stdout, stderr } = await run(dir, ['guard', 'rules', ...args])
      expect(stderr).toMatch(/^\d+ of \d+ rules\n$/)
      return stdout
        .split('\n')
        .slice(1, -1)
        .map(line => line.split(' ')[0])
    }
    expect(await names('--group', 'custom')).toEqual(['EMPLOYEE_ID', 'PROJECTS'])
    expect(await names('--locale', 'us')).toContain('US_SSN')
    expect(await names('--locale', 'us')).not.toContain('EMAIL')
    expect(await names('--action', 'block', '--group', 'custom')).toEqual(['PROJECTS'])
    expect(await names('--action', 'flag', '--locale', 'uk')).toEqual([])
  })

  test('bad usage exits with 2 and says what was meant', async () => {
    expect(await run(dir, ['guard', 'rules', 'EMIAL'])).toMatchObject({
      code: 2,
      stderr: 'error: there is no rule EMIAL; did you mean EMAIL?\n',
    })
    expect((await run(dir, ['guard', 'rules', '--locale', 'xx'])).code).toBe(2)
    expect(await run(tempDir(), ['guard', 'rules', '--team', 'a'])).toMatchObject({
      code: 2,
      stderr: 'error: --team needs a configuration: give --config\n',
    })
  })
})

describe('guard scan', () => {
  const text = 'EMP-123456 of osprey nest: jane at example dot com'
  const found = async (...args: string[]) => {
    const { findings, redacted } = await json(['guard', 'scan', ...args], text)
    return [findings.map(({ rule, action }: Record<string, string>) => `${rule} ${action}`), redacted]
  }

  test('tries own rules and dictionaries, as an exception changes them', async () => {
    expect(await found()).toEqual([
      ['EMPLOYEE_ID redact', 'PROJECTS block', 'EMAIL_SPELLED flag'],
      '[EMPLOYEE_ID_REDACTED] of [PROJECTS_REDACTED]: jane at example dot com',
    ])
    expect(await found('--team', 'hr', '--model', 'n')).toEqual([
      ['EMPLOYEE_ID redact', 'PROJECTS flag', 'EMAIL_SPELLED flag'],
      '[EMPLOYEE_ID_REDACTED] of osprey nest: jane at example dot com',
    ])
    expect((await found('--team', 'hr', '--model', 'm'))[0]).toContain('PROJECTS block')
    expect((await found('--on', 'output'))[0]).toEqual(['EMPLOYEE_ID redact', 'PROJECTS block'])
  })
})

describe('a fault of the policy', () => {
  const bad = CONFIG.replace('projects.txt', 'none.txt').replace('EMAIL: redact', 'EMIAL: redact').replace('{6}', '+')
  const lines = [
    'guard.rules[1].file: the file lists/none.txt cannot be read: there is no such file',
    'guard.input.rules.EMIAL: there is no rule of this name; did you mean "EMAIL"?',
  ]

  test.each([['config', 'check'], ['serve']])('is named by %s %s', async (...command) => {
    writeFileSync(join(dir, 'bad.yaml'), bad)
    const { code, stdout, stderr } = await run(dir, [...command.filter(Boolean), '--config', 'bad.yaml'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    for (const line of lines) expect(stderr).toContain(`\n  ${line}`)
  })

  test('a file that is no text is named too', async () => {
    writeFileSync(join(dir, 'lists/binary.txt'), new Uint8Array([0xff, 0xfe, 0x00]))
    writeFileSync(join(dir, 'binary.yaml'), CONFIG.replace('projects.txt', 'binary.txt'))
    const { stderr } = await run(dir, ['config', 'check', 'binary.yaml'])
    expect(stderr).toContain('guard.rules[1].file: the file lists/binary.txt cannot be read: it is not UTF-8 text')
  })
})
