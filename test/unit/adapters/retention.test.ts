import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeKey } from '../../../adapters/cli/key-files.ts'
import { openAuditFile } from '../../../adapters/node/audit-file.ts'
import { filesOfLog } from '../../../adapters/node/audit-lines.ts'
import { systemClock } from '../../../adapters/node/clock.ts'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { LogRetention } from '../../../adapters/node/retention/log-retention.ts'
import type { Keys } from '../../../adapters/node/retention/rewrite-file.ts'
import { verifyAuditFiles } from '../../../adapters/node/verify-audit-files.ts'
import { checkAgainst } from '../../../src/audit/checked-chain.ts'
import type { Hold } from '../../../src/audit/holds.ts'
import { AuditLog } from '../../../src/audit/log.ts'
import type { AuditEntry } from '../../../src/audit/record.ts'
import type { RetentionPolicy } from '../../../src/audit/retention.ts'
import { createNoteSigner, createNoteVerifier } from '../../../src/audit/signed-note.ts'
import { sampleEntry } from '../audit/sample.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2026, 10, 24)
const SILENT = { log: () => {}, count: () => {} }
const never = new AbortController().signal

let folder: string
let path: string
let keys: Keys

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-retention-'))
  path = join(folder, 'audit.jsonl')
  keys = await newKeys()
})
afterEach(() => rm(folder, { recursive: true }))

async function newKeys(): Promise<Keys> {
  const { privateKey } = await makeKey('EdDSA', NOW)
  const signer = await createNoteSigner(privateKey, 'test/log')
  const verifier = await createNoteVerifier(privateKey)
  if (!signer.ok || !verifier.ok) throw new Error('no key')
  return { signer: signer.key, verifiers: [verifier.key] }
}

/** Opens the log, as the gateway does: some five records a file. */
async function open(maxBytes = 5000): Promise<AuditLog> {
  const sink = await openAuditFile({ path, maxBytes })
  return await AuditLog.open({ sink, hashing: nodeHashing, clock: systemClock, telemetry: SILENT, instance: 'test' })
}

/** Writes records of these ages in days; every third is of the team blue. */
async function write(ages: readonly number[], over: (index: number) => Partial<AuditEntry> = () => ({})) {
  const log = await open()
  const heads = []
  for (const [index, age] of ages.entries()) {
    const team = index % 3 === 0 ? 'blue' : 'red'
    await log.append(sampleEntry({ time: NOW - age * DAY, requestId: `req_${index}`, team, ...over(index) }))
    heads.push(log.head)
  }
  await log.close()
  return heads
}

const readable = () => filesOfLog(path)
const verify = async () => await verifyAuditFiles(nodeHashing, await readable(), { keys: keys.verifiers })
const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n')
const requestIds = async () =>
  (await readable()).flatMap(linesOf).flatMap(line => {
    const record = JSON.parse(line) as { requestId?: string; team?: string }
    return record.requestId?.startsWith('req_') ? [`${record.requestId} ${record.team}`] : []
  })

interface Given {
  readonly policy?: RetentionPolicy
  readonly holds?: readonly Hold[]
  readonly readHolds?: () => Promise<readonly Hold[]>
  readonly needed?: number
}

const KEEP_A_MONTH: RetentionPolicy = { rules: [], keepMs: 30 * DAY }
const OLD = Array.from({ length: 30 }, () => 90)

const retention = ({ policy = KEEP_A_MONTH, holds = [], readHolds = async () => holds, needed }: Given) =>
  new LogRetention({
    path,
    policy,
    maxAgeMs: undefined,
    readHolds,
    oldestNeeded: async () => needed,
    telemetry: SILENT,
  })

async function run(given: Given, nowMs = NOW) {
  const log = await open()
  try {
    return await retention(given).run('tester', keys, log, nowMs, never)
  } finally {
    await log.close()
  }
}

const hold = (match: Hold['match'], over: Partial<Hold> = {}): Hold => ({
  name: 'case-17',
  reason: 'a lawsuit',
  by: 'counsel',
  placed: '2026-11-01T00:00:00Z',
  match,
  ...over,
})

describe('retention', () => {
  it('deletes whole files, and the chain verifies over what is gone', async () => {
    await write(OLD)
    const before = await readable()
    const report = await run({})
    expect(report).toMatchObject({ failed: false, held: 0 })
    const { bad, verified } = await verify()
    expect(bad).toBeUndefined()
    // One line says of whom and when, one stands for the records; the file that is written is left alone.
    const full = (await readable()).filter(file => file !== path)
    expect(full.slice(0, before.length - 1).map(file => linesOf(file).length)).toEqual(before.slice(1).map(() => 2))
    expect(verified).toMatchObject({ firstSeq: 1, lastSeq: 32, deleted: { records: report.deleted } })
    expect(verified.deleted.ranges).toEqual([{ from: 1, to: report.deleted }])
    expect(verified.deleted.statements[0]).toMatchObject({ by: 'tester', rules: { others: 5 }, run: report.run })
  })

  it('deletes single records of a team, keeps all others byte for byte, and records what it did', async () => {
    await write(OLD)
    const before = (await readable()).flatMap(linesOf)
    const current = linesOf(path)
    const policy = { rules: [{ match: { team: ['blue'] }, keepMs: 30 * DAY }] }
    const report = await run({ policy })
    expect(report.deleted).toBeGreaterThan(5)
    expect((await verify()).bad).toBeUndefined()
    const after = (await readable()).flatMap(linesOf)
    expect(after.filter(line => before.includes(line))).toEqual(
      before.filter(line => !line.includes('"team":"blue"') || current.includes(line)),
    )
    expect(after.slice(-2).map(line => JSON.parse(line) as unknown)).toMatchObject([
      { action: 'audit.retain', outcome: 'begun', target: report.run, subject: 'tester' },
      { action: 'audit.retain', outcome: 'served', reason: `${report.deleted} records deleted, 0 held` },
    ])
  })

  it('goes on a second time where the first left off, each run with a statement of its own', async () => {
    await write(OLD)
    await run({ policy: { rules: [{ match: { team: ['blue'] }, keepMs: 30 * DAY }] } })
    const first = (await verify()).verified.deleted
    await run({})
    const { bad, verified } = await verify()
    expect(bad).toBeUndefined()
    expect(verified.deleted.records).toBeGreaterThan(2 * first.records)
    expect(new Set(verified.deleted.statements.map(each => each.run)).size).toBe(2)
    // And where nothing is due, nothing is written.
    const size = (await readable()).flatMap(linesOf).length
    expect(await run({})).toMatchObject({ deleted: 0, files: [] })
    expect((await readable()).flatMap(linesOf)).toHaveLength(size)
  })

  it('takes the first rule that fits, and keeps for ever what no rule is about', async () => {
    await write(OLD)
    const policy = {
      rules: [
        { match: { team: ['blue'], env: ['production'] }, keepMs: 365 * DAY },
        { match: { team: ['blue', 'red'] }, keepMs: 30 * DAY },
      ],
    }
    const files = (await readable()).slice(0, -1)
    await run({ policy })
    const full = files.flatMap(linesOf)
    expect(full.filter(line => line.includes('"team":"red"'))).toEqual([])
    expect(full.filter(line => line.includes('"team":"blue"')).length).toBeGreaterThan(5)
    await rm(folder, { recursive: true })
    await write(OLD)
    expect(await run({ policy: { rules: [{ match: { team: ['green'] }, keepMs: DAY }] } })).toMatchObject({ files: [] })
  })

  it('never deletes what a legal hold keeps, until that ends or is released', async () => {
    await write(OLD)
    const all = await requestIds()
    const holds = [hold({ team: ['blue'], from: '2026-01-01T00:00:00Z' })]
    expect(await run({ holds })).toMatchObject({ held: expect.any(Number), holds: ['case-17'] })
    const blue = all.filter(each => each.endsWith('blue'))
    expect(await requestIds()).toEqual(expect.arrayContaining(blue))
    for (const ended of [
      { until: '2026-11-23T00:00:00Z' },
      { released: { by: 'counsel', at: '2026-11-23T00:00:00Z' } },
    ]) {
      expect(await retention({ holds: [hold({}, ended)] }).dryRun(NOW, never)).toMatchObject({ holds: [], held: 0 })
    }
    const byRequest = [hold({ requestId: ['req_3'] })]
    await run({ holds: byRequest })
    expect((await requestIds()).filter(each => blue.includes(each))).toContain('req_3 blue')
    expect((await verify()).bad).toBeUndefined()
  })

  it('deletes nothing where the holds cannot be told', async () => {
    await write(OLD)
    const readHolds = () => Promise.reject(new Error('holds.json: holds[0].reason: missing'))
    await expect(run({ readHolds })).rejects.toThrow('holds.json: holds[0].reason: missing')
    expect(await requestIds()).toHaveLength(30)
  })

  it('leaves files alone that have records which are still to be forwarded', async () => {
    await write(OLD)
    const report = await run({ needed: 8 })
    expect(report.files.map(({ kept }) => kept?.replace(/\d+/, 'N') ?? 'deleted').slice(0, 3)).toEqual([
      'deleted',
      'record N and those after it are still to be forwarded',
      'record N and those after it are still to be forwarded',
    ])
    expect((await requestIds()).map(each => each.split(' ')[0])).toContain('req_7')
  })

  it('says in a dry run what it would do, and does nothing', async () => {
    await write(OLD)
    const before = (await readable()).map(file => readFileSync(file, 'utf8'))
    const report = await retention({}).dryRun(NOW, never)
    expect((await readable()).map(file => readFileSync(file, 'utf8'))).toEqual(before)
    const done = await run({})
    expect(report.files.slice(0, done.files.length - 1).map(({ deleted }) => deleted)).toEqual(
      done.files.slice(0, -1).map(({ deleted }) => deleted),
    )
  })

  it('agrees with checkpoints from before and after', async () => {
    const heads = await write(OLD)
    const checkpoints = heads
      .filter((_, index) => index % 4 === 1)
      .map(({ seq, hash }) => ({ origin: 'test', seq, hash, time: '2026-08-26T00:00:00Z' }))
    await run({ policy: { rules: [{ match: { team: ['blue'] }, keepMs: 30 * DAY }] } })
    const checked = checkAgainst(checkpoints)
    if (!checked.ok) throw new Error(checked.fault)
    const { witness } = checked.check
    const { bad, verified } = await verifyAuditFiles(nodeHashing, await readable(), { keys: keys.verifiers, witness })
    expect(bad).toBeUndefined()
    expect(checked.check.ending(verified)).toBeUndefined()
    // Of a single record that is gone its hash is still there.
    expect(checked.check.confirmed).toBe(checkpoints.length)
  })

  it('does not touch a file that is damaged, tells of it, and goes on with the others', async () => {
    await write(OLD)
    const [, second = ''] = await readable()
    const damaged = readFileSync(second, 'utf8').replace('"status":200', '"status":403')
    writeFileSync(second, damaged)
    const report = await run({})
    expect(report.failed).toBe(true)
    expect(report.files.filter(({ failed }) => failed)).toMatchObject([
      { file: second, kept: 'line 1 is damaged (hash differs): verify the log' },
    ])
    expect(readFileSync(second, 'utf8')).toBe(damaged)
    expect(linesOf(path).at(-1)).toContain(`"outcome":"failed"`)
    expect(report.deleted).toBeGreaterThan(10)
  })

  it('lets the log go on where all that is left of it is a tombstone', async () => {
    await write(OLD)
    await run({})
    // Somebody has taken away the file that was written: the chain goes on behind the newest full one.
    const last = JSON.parse(linesOf((await readable()).at(-2) ?? '').at(-1) ?? '') as { seq: number }
    await rm(path)
    const log = await open()
    expect(log.head.seq).toBe(last.seq)
    await log.append(sampleEntry({ time: NOW }))
    await log.close()
    expect((await verify()).bad).toBeUndefined()
  })

  it('leaves no file unfinished, not even one of a run that was killed', async () => {
    await write(OLD)
    const [first = ''] = await readable()
    writeFileSync(`${first}.retaining-ret_dead`, 'half a li')
    await run({})
    expect(readdirSync(folder).filter(name => name.includes('retaining'))).toEqual([])
  })
})

describe('what somebody else deletes', () => {
  const BY_TEAM = { rules: [{ match: { team: ['blue'] }, keepMs: 30 * DAY }] }

  /** Changes the lines of the first file. */
  async function forge(change: (lines: string[]) => readonly string[]): Promise<string> {
    const [first = ''] = await readable()
    writeFileSync(first, `${change(linesOf(first)).join('\n')}\n`)
    const { bad } = await verify()
    return bad === undefined ? 'ok' : `${basename(bad.file ?? '') === basename(first)} ${bad.reason}`
  }

  const tombstoneOf = (line: string, runName: string): string => {
    const { hash, prev, seq } = JSON.parse(line) as { hash: string; prev: string; seq: number }
    return JSON.stringify({ deletedFrom: seq, hash, prev, run: runName, seq })
  }
  const isTombstone = (line: string) => line.includes('"deletedFrom"')

  it('is found where there is no statement', async () => {
    await write(OLD)
    expect(await forge(lines => lines.with(1, tombstoneOf(lines[1] ?? '', 'ret_x')))).toBe(
      'true seq 2 to 2 are deleted, and no statement at the head of the file says so',
    )
  })

  it('is found where the statement is of another run, or says less', async () => {
    await write(OLD)
    const { run: name } = await run({ policy: BY_TEAM })
    expect(await forge(lines => [...lines.slice(0, 2), tombstoneOf(lines[2] ?? '', name), ...lines.slice(3)])).toBe(
      `true what run ${name} deleted is not what its statement says`,
    )
  })

  it('is found where a tombstone or the statement is taken away or repeated', async () => {
    await write(OLD)
    const { run: name } = await run({ policy: BY_TEAM })
    const [first = ''] = await readable()
    const whole = readFileSync(first, 'utf8')
    const attempts: [string, (lines: string[]) => string[]][] = [
      ['true seq jumps from 3 to 5', lines => lines.filter((line, at) => !isTombstone(line) || at < 3)],
      ['true seq 1 to 1 are deleted, and no statement at the head of the file says so', lines => lines.slice(1)],
      [`true run ${name} has two statements in one file`, lines => [lines[0] ?? '', ...lines]],
      ['true seq 1 comes twice', lines => lines.toSpliced(1, 0, lines[1] ?? '')],
    ]
    for (const [reason, change] of attempts) {
      writeFileSync(first, whole)
      expect(await forge(change)).toBe(reason)
    }
  })

  it('is found where the statement is changed, or signed by another key', async () => {
    await write(OLD)
    const own = keys
    await run({ policy: BY_TEAM })
    expect(await forge(lines => lines.with(0, (lines[0] ?? '').replace('tester', 'nobody')))).toBe(
      'true forged: the statement that records were deleted: the signature is wrong',
    )
    await rm(folder, { recursive: true })
    keys = await newKeys()
    await write(OLD)
    await run({ policy: BY_TEAM })
    expect((await verify()).bad).toBeUndefined()
    keys = own
    expect((await verify()).bad?.reason).toBe('forged: the statement that records were deleted: not signed by this key')
    keys = { ...own, verifiers: [] }
    expect((await verify()).bad?.reason).toContain('there is no key to prove that with')
  })
})
