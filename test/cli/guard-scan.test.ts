import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { MINIMAL } from '../support/config.ts'
import { runProcess } from '../support/process.ts'
import { tempDir } from '../support/temp-dir.ts'

vi.setConfig({ testTimeout: 60_000 })

const ENTRY = fileURLToPath(new URL('../../adapters/cli/main.ts', import.meta.url))
const TEXT = 'a@x.example, b@x.example, a@x.example [EMAIL_1]'

async function scan(guard: string, text: string, args: readonly string[] = []): Promise<string> {
  const cwd = tempDir()
  writeFileSync(join(cwd, 'sallyport.yaml'), `${MINIMAL}guard: ${guard}\n`)
  const done = await runProcess(process.execPath, [ENTRY, 'guard', 'scan', ...args], {
    cwd,
    env: { SALLYPORT_CONFIG: undefined, PROMPT_HMAC_SECRET: undefined },
    input: text,
  })
  expect(done).toMatchObject({ code: 0, stderr: '' })
  return done.stdout
}

const last = (output: string) => output.trim().split('\n').at(-1)

test.each([
  ['redact', '[EMAIL_REDACTED], [EMAIL_REDACTED], [EMAIL_REDACTED] [EMAIL_1]'],
  ['mask', '*@*.****ple, *@*.****ple, *@*.****ple [EMAIL_1]'],
  ['pseudonymise', '[EMAIL_2], [EMAIL_3], [EMAIL_2] [EMAIL_1]'],
  ['block', '[EMAIL_REDACTED], [EMAIL_REDACTED], [EMAIL_REDACTED] [EMAIL_1]'],
  ['flag', TEXT],
])('shows what goes on with %s, and what was found', async (action, redacted) => {
  const output = await scan(`{ input: { pii: ${action} } }`, TEXT)
  expect(last(output)).toBe(redacted)
  expect(output).toContain(`0-11\tEMAIL\t${action}\n13-24\tEMAIL\t${action}\n26-37\tEMAIL\t${action}\n`)
})

test('hashes as the gateway does with the same secret: always alike', async () => {
  const line = (id: number) => `${JSON.stringify({ id, text: 'a@x.example' })}\n`
  const output = await scan('{ output: { pii: hash } }', line(1) + line(2), ['--on', 'output', '--jsonl'])
  const rows = output
    .trim()
    .split('\n')
    .map(row => JSON.parse(row) as Record<string, unknown>)
  expect(rows).toEqual(
    [1, 2].map(id => ({
      id,
      findings: [{ rule: 'EMAIL', start: 0, end: 11, action: 'hash' }],
      redacted: expect.stringMatching(/^\[EMAIL_[0-9a-f]{12}\]$/),
    })),
  )
  expect(rows[0]?.['redacted']).toBe(rows[1]?.['redacted'])
})

test('an open-ended value is found in its whole length', async () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(20)}-----END PRIVATE KEY-----`
  const output = await scan('{ input: { secrets: pseudonymise } }', `see ${key} end`, ['--json'])
  expect(JSON.parse(output)).toMatchObject({
    findings: [{ rule: 'PRIVATE_KEY', start: 4, end: 4 + key.length, action: 'pseudonymise' }],
    redacted: 'see [PRIVATE_KEY_1] end',
  })
})
