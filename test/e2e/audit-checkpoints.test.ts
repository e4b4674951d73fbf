import { existsSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { splitNotes } from '../../src/audit/checkpoint.ts'
import { chat } from '../fault/support/caller.ts'
import { type ModelServer, modelServer } from '../fault/support/model.ts'
import {
  freePort,
  type Gateway,
  type Redis,
  type Runtime,
  sallyport,
  startGateway,
  startProcess,
  startRedis,
  tempDir,
  waitFor,
} from '../support/index.ts'

const ORIGIN = 'e2e/audit'
const KEY = 'keys/audit-signing.jwk.json'

describe.each<Runtime>(['node', 'bun'])('the audit log and its checkpoints, of the gateway on %s', runtime => {
  const dir = tempDir()
  let model: ModelServer
  let redis: Redis
  let witness: Server
  let witnessUrl = ''
  let witnessStatus = 500
  const posted: { auth: string | undefined; note: string }[] = []
  let gateway: Gateway
  let token: string

  beforeAll(async () => {
    model = await modelServer()
    redis = await startRedis()
    const port = await freePort()
    witness = createServer((request, response) => {
      let note = ''
      request.setEncoding('utf8').on('data', (text: string) => (note += text))
      request.on('end', () => {
        if (witnessStatus === 201) posted.push({ auth: request.headers.authorization, note })
        response.writeHead(witnessStatus).end()
      })
    }).listen(port, '127.0.0.1')
    witnessUrl = `http://127.0.0.1:${port}/checkpoints`
    gateway = await start()
    token = await gateway.mint()
  })
  afterAll(async () => {
    await gateway?.stop()
    await model?.stop()
    await redis?.stop()
    witness?.close()
  })

  const start = () =>
    startGateway({
      runtime,
      dir,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${model.url}/v1`, kind: 'openai' }] }],
        audit: {
          file: 'audit/audit.jsonl',
          hmacSecret: 'the second secret of this test, 32 bytes',
          previousHmacSecrets: ['the first secret of this test, 32 bytes!'],
          checkpoint: {
            every: '1s',
            key: KEY,
            origin: ORIGIN,
            to: [
              { kind: 'file', path: 'elsewhere/checkpoints' },
              { kind: 'redis', url: redis.url },
              { kind: 'http', url: witnessUrl, token: 'witness-token' },
            ],
          },
        },
      },
    })
  const ask = async (id: string, prompt = 'Hello') =>
    expect((await chat(gateway, { token, id, stream: false, prompt }).answer).status).toBe(200)
  const log = join(dir, 'audit/audit.jsonl')
  const file = join(dir, 'elsewhere/checkpoints')
  const audit = (args: readonly string[], input = '') => sallyport(['audit', ...args], { cwd: dir, input })
  const verify = (...args: string[]) =>
    audit(['verify', '--checkpoints', 'elsewhere/checkpoints', '--key', KEY, ...args])

  test('heads are signed while the log grows, and reach every place that works', async () => {
    await ask('first')
    await waitFor('a checkpoint', () => existsSync(file) && readFileSync(file, 'utf8').includes(ORIGIN))
    expect(posted).toEqual([])
    await waitFor('the failure is told', () => gateway.output().includes('audit_checkpoint_failed'))
    expect(gateway.output()).toContain('it answered 500')
    expect(gateway.output()).not.toContain('witness-token')
    witnessStatus = 201
    await waitFor('the witness has one', () => posted.length > 0)
    expect(posted[0]?.auth).toBe('Bearer witness-token')
    expect(posted[0]?.note).toContain(`${ORIGIN}\n2\n`)
    const told = await verify()
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(/checkpoints \d+ agree/)
  })

  test('one is signed at the end, and Redis has them too', async () => {
    await ask('last')
    expect(await gateway.stop()).toMatchObject({ code: 0 })
    const whole = JSON.parse((await verify('--json')).stdout) as { lastSeq: number; interrupted: number; open: number }
    expect(whole).toMatchObject({ ok: true, interrupted: 0, open: 0 })
    expect(readFileSync(file, 'utf8')).toContain(`${ORIGIN}\n${whole.lastSeq}\n`)
    const inRedis = await audit(['verify', '--checkpoints', redis.url, '--origin', ORIGIN, '--key', KEY])
    expect(inRedis).toMatchObject({ code: 0 })
    expect((await audit(['verify', '--checkpoints', redis.url, '--origin', 'other', '--key', KEY])).code).toBe(1)
  })

  test('what was cut off while the gateway was away shows, although the gateway goes on', async () => {
    const text = readFileSync(log)
    const end = text.lastIndexOf('\n', text.length - 2) + 1
    truncateSync(log, end)
    expect(await audit(['verify'])).toMatchObject({ code: 0 })
    expect((await verify()).stderr).toMatch(/truncated: the checkpoint of \S+ saw seq 4, and the log ends at 3/)
    gateway = await start()
    await ask('after')
    expect((await verify()).stderr).toMatch(
      /rewritten: the checkpoint of \S+ has another hash for seq 4|the log went back/,
    )
    await gateway.stop()
    // For the tests that follow.
    writeFileSync(log, text)
    renameSync(file, `${file}.old`)
    gateway = await start()
  })

  test('a checkpoint by hand is one like the others', async () => {
    const made = await audit(['checkpoint', '--key', KEY, '--origin', ORIGIN])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(splitNotes(made.stdout)).toHaveLength(1)
    expect((await audit(['checkpoint', '--key', 'keys/signing.jwk.json', '--verifier'])).stdout).toMatch(
      /^sallyport\/.*\+[0-9a-f]{8}\+A/,
    )
    expect((await audit(['checkpoint', '--key', 'keys/public.jwks.json'])).stderr).toContain('no private Ed25519 key')
  })

  test('records are found by who, what and when, and by their prompt', async () => {
    await ask('needle', 'A prompt to be found')
    expect((await chat(gateway, { token: 'nonsense', id: 'refused', stream: false }).answer).status).toBe(401)
    const query = async (...args: string[]) => {
      const { code, stdout, stderr } = await audit(['query', ...args])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const lines = stdout === '' ? [] : stdout.trimEnd().split('\n')
      return lines.map(line => (JSON.parse(line) as { requestId: string }).requestId)
    }
    expect(await query()).toEqual(['first', 'last', 'needle', 'refused'])
    expect(await query('--team', 'blue', '--model', 'm', '--outcome', 'served', '--limit', '1')).toEqual(['first'])
    expect(await query('--team', 'green')).toEqual([])
    expect(await query('--status', '4xx')).toEqual(['refused'])
    expect(await query('--outcome', 'begun', '--request-id', 'needle,other')).toEqual(['needle'])
    expect(await query('--since', '1h')).toHaveLength(4)
    expect(await query('--until', '1h')).toEqual([])
    const prompt = JSON.stringify([{ role: 'user', content: 'A prompt to be found' }])
    const names = JSON.parse((await audit(['hmac', '--json'], prompt)).stdout) as { promptHmac: string }[]
    expect(names).toHaveLength(2)
    expect(await query('--prompt-hmac', names.map(({ promptHmac }) => promptHmac).join(','))).toEqual(['needle'])
    expect((await audit(['query', '--outcome', 'nonsense'])).code).toBe(2)
    expect((await audit(['query', '--since', 'yesterday'])).code).toBe(2)
    expect((await audit(['query', 'missing.jsonl'])).stderr).toContain('missing.jsonl: no such file')
  })

  test('tail shows the last ones, and follows across a rotation', async () => {
    const { stdout } = await audit(['tail', '-n', '2'])
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map(line => (JSON.parse(line) as { requestId: string }).requestId),
    ).toEqual(['needle', 'refused'])
    await using tail = await startProcess(
      process.execPath,
      [join(import.meta.dirname, '../../dist/sallyport.mjs'), 'audit', 'tail', '-f', '-n', '1'],
      {
        cwd: dir,
        ready: /"requestId":"refused"/,
      },
    )
    await ask('followed')
    await waitFor('it is shown', () => tail.output().includes('"requestId":"followed"'))
    renameSync(log, join(dir, 'audit/audit.20261124T000000000Z.jsonl'))
    // The gateway notices with its next write, and goes on in a new file.
    await chat(gateway, { token, id: 'lost', stream: false }).answer
    await waitFor(
      'the log goes on',
      async () => (await chat(gateway, { token, id: 'new-file', stream: false }).answer).status === 200,
    )
    await waitFor('that is shown too', () => tail.output().includes('"requestId":"new-file"'))
    expect(tail.output().split('"requestId":"followed"')).toHaveLength(2)
    expect(readdirSync(join(dir, 'audit')).filter(name => name.endsWith('.jsonl'))).toHaveLength(2)
  })
})
