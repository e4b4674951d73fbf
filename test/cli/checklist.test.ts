import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Checklist } from '../../src/checklist/report.ts'
import { run } from '../support/cli.ts'
import { MINIMAL } from '../support/config.ts'
import { type Gateway, sallyport, sallyportOutput, startGateway } from '../support/gateway.ts'
import { tempDir } from '../support/temp-dir.ts'

vi.setConfig({ testTimeout: 60_000 })

const model = createServer((_, response) => {
  response.setHeader('content-type', 'application/json')
  const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'mail a@b.example' } }]
  const usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 }
  response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices, usage }))
})

/** A gateway that has served a request, and whose answer was redacted. */
let gateway: Gateway
beforeAll(async () => {
  await new Promise<void>(resolve => model.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`
  gateway = await startGateway({
    config: {
      models: [{ id: 'm', upstreams: [{ url, kind: 'openai' }], maxOutputTokens: 100 }],
      quotas: [{ name: 'key', per: ['token'], requests: 100, window: '1m' }],
    },
  })
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await gateway.mint()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  expect(response.status).toBe(200)
  await response.text()
})
afterAll(async () => {
  await gateway.stop()
  model.close()
})

type Rows = Record<number, string>
async function statuses(args: readonly string[] = []): Promise<{ rows: Rows; code: number | null; evidence: Rows }> {
  const { code, stdout, stderr } = await sallyport(['checklist', '--json', ...args], { cwd: gateway.dir })
  if (stdout === '') throw new Error(stderr)
  const { rows } = JSON.parse(stdout) as Checklist
  return {
    code,
    rows: Object.fromEntries(rows.map(({ number, status }) => [number, status])),
    evidence: Object.fromEntries(rows.map(({ number, evidence }) => [number, evidence])),
  }
}

test('a gateway at work passes what it enforces; what people know waits for them, and fails the command', async () => {
  const { rows, code, evidence } = await statuses()
  expect(code).toBe(1)
  for (const row of [9, 10, 11, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23])
    expect([row, rows[row], evidence[row]]).toContain('pass')
  for (const row of [1, 3, 4, 5, 6, 25]) expect([row, rows[row]]).toEqual([row, 'attest-needed'])
  for (const row of [2, 7, 8, 17, 18, 24]) expect([row, rows[row]]).toEqual([row, 'fail'])
})

test('attested, and run against itself, it holds', async () => {
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)
  for (const row of ['1', '2', '4', '5', '6', '7']) {
    await sallyportOutput(['checklist', 'attest', row, '--by', 'Jane <b>Doe</b>', '--until', until], {
      cwd: gateway.dir,
    })
  }
  const { rows, code } = await statuses()
  expect(code).toBe(0)
  for (const row of [1, 2, 4, 5, 6, 7]) expect([row, rows[row]]).toEqual([row, 'attested'])

  const html = await sallyport(['checklist', '--format', 'html'], { cwd: gateway.dir })
  expect(html.stdout.match(/<tr class=/g)).toHaveLength(25)
  expect(html.stdout).toContain('Jane &lt;b&gt;Doe&lt;/b&gt;')
  expect(html.stdout).not.toContain('<b>')
  const markdown = await sallyport(['checklist', '--format', 'md'], { cwd: gateway.dir })
  expect(markdown.stdout.match(/^\| \d+ \|/gm)).toHaveLength(25)
  const table = await sallyport(['checklist'], { cwd: gateway.dir })
  expect(table.stderr).toContain('critical rows all hold')

  const file = join(gateway.dir, 'checklist/attestations.json')
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(until, '2026-01-31'))
  const after = await statuses()
  expect(after.code).toBe(1)
  for (const row of [1, 2, 4, 5, 6, 7]) expect([row, after.rows[row]]).toEqual([row, 'expired'])
})

test('a red-team run shows with its date', async () => {
  const suite = join(import.meta.dirname, '../redteam/suites')
  await sallyportOutput(['redteam', '--suite', suite], { cwd: gateway.dir })
  const { rows, evidence } = await statuses()
  expect(rows[24]).toBe('pass')
  expect(evidence[24]).toContain(`Last run ${new Date().toISOString().slice(0, 10)}, 280 rows`)
})

test('weights: sealed they pass, tampered with they fail whoever vouches for them', async () => {
  const { dir } = gateway
  const weights = tempDir()
  writeFileSync(join(weights, 'm.gguf'), 'GGUF', { mode: 0o644 })
  await sallyportOutput(['weights', 'seal', weights], { cwd: dir })
  const config = join(dir, 'sallyport.yaml')
  writeFileSync(join(dir, 'with-weights.yaml'), `${readFileSync(config, 'utf8')}weights: [{ dir: ${weights} }]\n`)
  const args = ['--config', 'with-weights.yaml']
  expect((await statuses(args)).rows[2]).toBe('pass')
  writeFileSync(join(weights, 'm.gguf'), 'GGUX')
  expect((await statuses(args)).evidence[2]).toContain('--full hashes contents')
  const { rows, evidence } = await statuses([...args, '--full'])
  expect(rows[2]).toBe('fail')
  expect(evidence[2]).toContain('m.gguf has other content')
})

test('an egress that is open fails, and one that is not clear passes for nothing', async () => {
  const open = await statuses(['--probe-egress', `127.0.0.1:${gateway.port}`])
  expect([open.rows[6], open.evidence[6]]).toEqual(['fail', expect.stringContaining('can reach')])
  expect((await statuses(['--probe-egress', '127.0.0.1:1'])).rows[6]).not.toBe('pass')
})

test('a record that was changed fails the chain', async () => {
  const file = join(gateway.dir, 'audit/audit.jsonl')
  const before = readFileSync(file, 'utf8')
  writeFileSync(file, before.replace('"team":"blue"', '"team":"grey"'))
  const { rows, evidence } = await statuses()
  writeFileSync(file, before)
  expect(rows[19]).toBe('fail')
  expect(evidence[19]).toContain('line 1: hash differs')
})

describe('what a configuration weakens', () => {
  async function rowsOf(yaml: string): Promise<Rows> {
    const dir = tempDir()
    writeFileSync(join(dir, 'sallyport.yaml'), MINIMAL + yaml)
    const { stdout, stderr } = await run(dir, ['checklist', '--format', 'json'])
    if (stdout === '') throw new Error(stderr)
    return Object.fromEntries((JSON.parse(stdout) as Checklist).rows.map(({ number, status }) => [number, status]))
  }

  test.each<[string, number]>([
    ['guard: { input: { injection: off } }', 20],
    ['guard: { exceptions: [{ match: { team: a }, input: { injection: off } }] }', 20],
    ['guard: { input: { pii: off } }', 21],
    ['guard: { output: { pii: flag } }', 22],
    ['quotas: [{ name: k, per: [team], requests: 1, window: 1m }]', 12],
    ['quotas: [{ name: k, match: { team: a }, per: [token], requests: 1, window: 1m }]', 12],
    ['', 23],
    ['', 9],
    ['', 14],
  ])('%s fails row %i', async (yaml, row) => {
    expect((await rowsOf(yaml))[row]).toBe('fail')
  })
})

describe('attest refuses', () => {
  test.each([
    [['9', '--by', 'x', '--until', '2099-01-01'], 'is measured, and cannot be attested'],
    [['26', '--by', 'x', '--until', '2099-01-01'], 'Use the number of a row'],
    [['1', '--by', 'x', '--until', '2020-01-01'], 'is over already'],
    [['1', '--by', 'x', '--until', '2099-01-01'], 'more than 366 days away'],
    [['1', '--by', 'x', '--until', 'soon'], 'until: should be a day'],
    [['1', '--by', '', '--until', '2099-01-01'], 'by: '],
    [['1', '--by', 'x'], "required option '--until <date>'"],
  ])('%j', async (args, message) => {
    const { code, stderr } = await run(tempDir(), ['checklist', 'attest', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })

  test('a file that it cannot read, and leaves it as it is', async () => {
    const dir = tempDir()
    writeFileSync(join(dir, 'a.json'), '{"attestations": [{}]}')
    const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
    const args = ['checklist', 'attest', '1', '--by', 'x', '--until', until, '--attestations', 'a.json']
    const { code, stderr } = await run(dir, args)
    expect(code).toBe(1)
    expect(stderr).toContain('a.json: attestations.0.row')
    expect(readFileSync(join(dir, 'a.json'), 'utf8')).toBe('{"attestations": [{}]}')
  })
})
