import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Gateway, sallyport, startGateway } from '../support/gateway.ts'
import { startProcess } from '../support/process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { waitFor } from '../support/wait.ts'

vi.setConfig({ testTimeout: 60_000 })

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await request.resume().toArray()
  response.setHeader('content-type', 'application/json')
  const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'ok' } }]
  const usage = { prompt_tokens: 30, completion_tokens: 12, total_tokens: 42 }
  response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices, usage }))
}
const model = createServer((request, response) => void answer(request, response))

let gateway: Gateway
let admin: string
let env: Record<string, string>
beforeAll(async () => {
  await new Promise<void>(resolve => model.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`
  gateway = await startGateway({
    config: {
      models: [{ id: 'm', upstreams: [{ url, kind: 'openai' }] }],
      quotas: [
        { name: 'team-hour', per: ['team'], tokens: '10k', window: '1h' },
        { name: 'team-calls', per: ['team'], requests: 8, window: '1d' },
        { name: 'busy', per: ['team', 'app'], concurrent: 4 },
      ],
    },
  })
  admin = await gateway.mint({ app: 'web', scope: 'usage:read' })
  env = { SALLYPORT_ADMIN_URL: gateway.adminUrl, SALLYPORT_TOKEN: admin }
  for (const team of ['blue', 'green']) await ask(team)
  await ask('blue')
  await waitFor('all is settled', async () => {
    const { limits } = JSON.parse((await usage(['--json', '--limit', 'team-hour'])).stdout)
    return limits.map(({ used }: { used: number }) => used).join(' ') === '84 42'
  })
})
afterAll(async () => {
  await gateway?.stop()
  model.close()
})

async function ask(team: string): Promise<void> {
  const token = await gateway.mint({ team, app: 'web' })
  const { status } = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', max_tokens: 20, messages: [{ role: 'user', content: 'hello' }] }),
  })
  expect(status).toBe(200)
}

function usage(args: readonly string[], more: Record<string, string> = {}) {
  return sallyport(['usage', ...args], { cwd: tempDir(), env: { ...env, ...more } })
}

describe('what is printed', () => {
  test('the windows, the fullest first, and what was used', async () => {
    const { code, stdout, stderr } = await usage([])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.split('\n').map(line => line.split(/ {2,}/))
    const windows = lines.slice(2, 8).map(cells => cells.slice(0, 7))
    expect(windows).toEqual([
      ['team-calls', 'team blue', 'requests', '2', '8', '25%', '1d'],
      ['team-calls', 'team green', 'requests', '1', '8', '12%', '1d'],
      ['team-hour', 'team blue', 'tokens', '84', '10,000', '0%', '1h'],
      ['team-hour', 'team green', 'tokens', '42', '10,000', '0%', '1h'],
      ['busy', 'team blue, app web', 'concurrent', '0', '4', '0%'],
      ['busy', 'team green, app web', 'concurrent', '0', '4', '0%'],
    ])
    expect(lines[2]?.[7]).toMatch(/^2[45]h$/)
    expect(lines.slice(9).map(cells => cells.join(' '))).toEqual([
      expect.stringMatching(/^Used on this instance since 20\d\d-\d\d-\d\dT[\d:.]+Z$/),
      'TEAM APP ENV MODEL REQUESTS REFUSED INPUT OUTPUT',
      'blue web test m 2 0 60 24',
      'green web test m 1 0 30 12',
      '',
    ])
  })

  test('with --json the answer of the admin API, narrowed by the filters', async () => {
    const { code, stdout } = await usage(['--json', '--team', 'green', '--app', 'web', '--limit', 'team-hour'])
    expect(code).toBe(0)
    const { limits, complete, totals } = JSON.parse(stdout)
    expect(limits).toMatchObject([
      { limit: 'team-hour', counts: 'tokens', per: { team: 'green' }, used: 42, of: 10_000 },
    ])
    expect(complete).toBe(true)
    expect(totals.rows).toMatchObject([{ team: 'green', app: 'web', requests: 1, inputTokens: 30, outputTokens: 12 }])
  })

  test('again and again with --watch, until interrupted', async () => {
    await using watching = await startProcess(
      process.execPath,
      [join(import.meta.dirname, '../../dist/sallyport.mjs'), 'usage', '--watch', '500ms', '--json', '--limit', 'busy'],
      { cwd: tempDir(), env, ready: /\n.*\n/ },
    )
    watching.signal('SIGINT')
    expect(await watching.exited).toEqual({ code: 0, signal: null })
    for (const line of watching.stdout().trim().split('\n')) expect(JSON.parse(line).limits).toHaveLength(2)
  })
})

describe('what is wrong is said', () => {
  test.each<[string, string[], Record<string, string>, number, string]>([
    ['no URL', [], { SALLYPORT_ADMIN_URL: '' }, 2, '--url'],
    ['a URL that is none', ['--url', 'localhost:9787'], {}, 2, 'Use the http: or https: URL of a gateway'],
    ['no token', [], { SALLYPORT_TOKEN: '' }, 2, '--url needs a token: give --token-file or $SALLYPORT_TOKEN'],
    ['a file that is not there', ['--token-file', 'none'], {}, 1, '--token-file: none cannot be read'],
    ['a token that is refused', [], { SALLYPORT_TOKEN: 'e.y.J' }, 1, 'the gateway answers 401 invalid_token'],
    ['a filter that is none', ['--team', 'a b'], {}, 1, '400 invalid_value: The field "team"'],
    ['an interval too short', ['--watch', '5ms'], {}, 2, '--watch: 500ms at least'],
    ['nobody there', ['--url', 'http://127.0.0.1:1'], {}, 1, 'http://127.0.0.1:1 does not answer: ECONNREFUSED'],
    ['half a certificate', ['--cert', 'x.pem'], {}, 2, '--cert and --cert-key go together'],
  ])('%s', async (_, args, more, code, message) => {
    const done = await usage(args, more)
    expect([done.code, done.stdout]).toEqual([code, ''])
    expect(done.stderr).toContain(message)
  })

  test('the data listener, another server, and a token without the scope', async () => {
    const data = await usage(['--url', gateway.url])
    expect(data).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('answers 404: it is no admin listener of a gateway'),
    })
    const other = await usage(['--url', `http://127.0.0.1:${(model.address() as AddressInfo).port}`])
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('answers in a form that') })
    const dir = tempDir()
    writeFileSync(join(dir, 'token'), `${await gateway.mint({ scope: 'inference' })}\n`)
    const unfit = await usage(['--token-file', join(dir, 'token')])
    expect(unfit).toMatchObject({ code: 1, stderr: expect.stringContaining('the token needs the scope usage:read') })
  })
})
