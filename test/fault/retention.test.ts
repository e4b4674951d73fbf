import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { openAuditFile } from '../../adapters/node/audit-file.ts'
import { systemClock } from '../../adapters/node/clock.ts'
import { nodeHashing } from '../../adapters/node/hashing.ts'
import { AuditLog } from '../../src/audit/log.ts'
import {
  type Runtime,
  sallyport,
  sallyportOutput,
  sleep,
  startGateway,
  startProcess,
  tempDir,
  waitFor,
} from '../support/index.ts'
import { sampleEntry } from '../unit/audit/sample.ts'

const DAY = 86_400_000
const FILES = 12
const RECORDS_A_FILE = 100
const TEAMS = ['blue', 'red', 'green']
const BUNDLE = resolve('dist/sallyport.mjs')
const SECRET = 'a secret for tests alone, 32 bytes or more'
const MODELS = [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:9/v1', kind: 'openai' }] }]
const SILENT = { log: () => {}, count: () => {} }

/** A folder with a log of half a year ago, in full files, and the one that is written. */
async function oldLog(dir: string): Promise<void> {
  mkdirSync(join(dir, 'audit'), { recursive: true })
  const sink = await openAuditFile({ path: join(dir, 'audit/audit.jsonl'), maxBytes: RECORDS_A_FILE * 930 })
  const log = await AuditLog.open({ sink, hashing: nodeHashing, clock: systemClock, telemetry: SILENT })
  const time = Date.now() - 180 * DAY
  const records = Array.from({ length: FILES * RECORDS_A_FILE }, (_, index) =>
    sampleEntry({ time: time + index, requestId: `req_${index}`, team: TEAMS[index % 3] }),
  )
  for (let at = 0; at < records.length; at += 20) {
    await Promise.all(records.slice(at, at + 20).map(record => log.append(record)))
  }
  await log.close()
}

const AUDIT = {
  file: 'audit/audit.jsonl',
  hmacSecret: '${env:PROMPT_HMAC_SECRET}',
  checkpoint: {
    every: '1h',
    key: 'keys/audit-signing.jwk.json',
    to: [{ kind: 'file', path: 'elsewhere/checkpoints' }],
  },
  retentionRules: [
    { match: { team: 'blue' }, keep: '30d' },
    { match: { team: 'red' }, keep: '90d' },
  ],
}

const textOf = (dir: string) =>
  readdirSync(join(dir, 'audit'))
    .filter(name => name.endsWith('.jsonl'))
    .map(name => readFileSync(join(dir, 'audit', name), 'utf8'))
    .join('')
const recordsOf = (dir: string, team: string) => textOf(dir).split(`"team":"${team}"`).length - 1

interface Verified {
  readonly ok: boolean
  readonly bad?: { readonly reason: string }
  readonly interrupted: number
  readonly lastSeq: number
  readonly deleted: { readonly records: number; readonly statements: readonly { readonly rules: object }[] }
}
const verify = async (dir: string) =>
  JSON.parse((await sallyport(['audit', 'verify', '--complete', '--json'], { cwd: dir })).stdout) as Verified

test('audit retain is killed again and again: the log verifies each time, and nothing is kept in the end', async () => {
  const dir = tempDir()
  await sallyportOutput(['keys', 'init'], { cwd: dir })
  writeFileSync(
    join(dir, 'sallyport.yaml'),
    stringify({ models: MODELS, tokens: { jwks: 'keys/public.jwks.json' }, audit: AUDIT }),
  )
  await oldLog(dir)
  const dry = JSON.parse(await sallyportOutput(['audit', 'retain', '--dry-run', '--json'], { cwd: dir })) as object
  expect(dry).toMatchObject({ dryRun: true, failed: false, deleted: expect.any(Number) })
  expect(recordsOf(dir, 'blue')).toBe((FILES * RECORDS_A_FILE) / 3)

  let killed = 0
  for (let attempt = 0; attempt < 6; attempt++) {
    const running = await startProcess(process.execPath, [BUNDLE, 'audit', 'retain', '--yes'], {
      cwd: dir,
      env: { PROMPT_HMAC_SECRET: SECRET },
    })
    await Promise.race([running.exited, sleep(150 + attempt * 60)])
    running.signal('SIGKILL')
    if ((await running.exited).signal === 'SIGKILL') killed += 1
    const { ok, bad } = await verify(dir)
    expect({ ok, bad }).toEqual({ ok: true, bad: undefined })
  }
  expect(killed).toBeGreaterThan(0)
  await sallyportOutput(['audit', 'retain', '--yes'], { cwd: dir })
  const { ok, deleted } = await verify(dir)
  expect(ok).toBe(true)
  expect(recordsOf(dir, 'blue') + recordsOf(dir, 'red')).toBeLessThanOrEqual(RECORDS_A_FILE)
  expect(recordsOf(dir, 'green')).toBe((FILES * RECORDS_A_FILE) / 3)
  expect(deleted.records).toBe((FILES * RECORDS_A_FILE * 2) / 3 - recordsOf(dir, 'blue') - recordsOf(dir, 'red'))
  expect(readdirSync(join(dir, 'audit')).filter(name => name.includes('retaining'))).toEqual([])
})

test.each<Runtime>(['node', 'bun'])('a gateway on %s deletes by itself, and records it', async runtime => {
  const dir = tempDir()
  await oldLog(dir)
  const gateway = await startGateway({
    runtime,
    dir,
    config: { models: MODELS, audit: AUDIT },
  })
  try {
    await waitFor('the end of a run of retention', () => textOf(dir).includes(' records deleted, 0 held"'))
    expect(recordsOf(dir, 'blue')).toBeLessThan(RECORDS_A_FILE)
    // The log is the gateway's: the command does not get at it.
    const { code, stderr } = await sallyport(['audit', 'retain', '--yes'], { cwd: dir })
    expect(code).toBe(1)
    expect(stderr).toMatch(/is held by process \d+/)
  } finally {
    await gateway.stop()
  }
  expect(await verify(dir)).toMatchObject({ ok: true, interrupted: 0 })
})
