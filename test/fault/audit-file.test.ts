import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AuditFile, type AuditFileOptions, openAuditFile } from '../../adapters/node/audit-file.ts'
import { systemClock } from '../../adapters/node/clock.ts'
import { writeAll } from '../../adapters/node/durable-file.ts'
import { takeLock } from '../../adapters/node/file-lock.ts'
import { nodeHashing } from '../../adapters/node/hashing.ts'
import { verifyAuditFiles } from '../../adapters/node/verify-audit-files.ts'
import { AuditLog } from '../../src/audit/log.ts'
import { sampleEntry } from '../unit/audit/sample.ts'

const CHILD = fileURLToPath(new URL('audit-child.ts', import.meta.url))
const BUN = fileURLToPath(new URL('../../node_modules/.bin/bun', import.meta.url))

let root: string
let folder: string
let path: string
let sinks: AuditFile[]
let children: ChildProcess[]
let events: string[]

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sallyport-audit-'))
  folder = join(root, 'audit')
  path = join(folder, 'audit.jsonl')
  sinks = []
  children = []
  events = []
})
afterEach(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
  await Promise.all(sinks.map(sink => sink.close()))
  await rm(root, { recursive: true, force: true })
})

async function openFile(options: Partial<AuditFileOptions> = {}): Promise<AuditFile> {
  const telemetry = { log: (_level: string, event: string) => events.push(event), count: () => undefined }
  const sink = await openAuditFile({ path, telemetry, ...options })
  sinks.push(sink)
  return sink
}

async function openLog(options: Partial<AuditFileOptions> = {}): Promise<AuditLog> {
  const sink = await openFile(options)
  const telemetry = { log: () => undefined, count: () => undefined }
  return AuditLog.open({ sink, hashing: nodeHashing, clock: systemClock, telemetry })
}

async function logFiles(): Promise<string[]> {
  return (await readdir(folder)).filter(name => name.endsWith('.jsonl')).map(name => join(folder, name))
}

async function recordedIds(): Promise<Set<string>> {
  const texts = await Promise.all((await logFiles()).map(file => readFile(file, 'utf8')))
  return new Set(
    texts
      .flatMap(text => text.split('\n').slice(0, -1))
      .map(line => (JSON.parse(line) as { requestId: string }).requestId),
  )
}

/** Polls until it holds. */
async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`)
    await sleep(20)
  }
}

interface Run {
  readonly child: ChildProcess
  readonly acknowledged: string[]
  readonly failures: string[]
}

function start(command: string, args: string[], options: { uid?: number } = {}): Run {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
  children.push(child)
  const run: Run = { child, acknowledged: [], failures: [] }
  let held = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (held + text).split('\n')
    held = lines.pop() ?? ''
    for (const line of lines) (line.startsWith('!') ? run.failures : run.acknowledged).push(line)
  })
  return run
}

describe.each([
  ['Node', process.execPath],
  ['Bun', BUN],
])('killed on %s', (_runtime, command) => {
  it('has every acknowledged record, in a whole chain, over many deaths and rotations', async () => {
    const acknowledged: string[] = []
    for (let round = 0; round < 4; round += 1) {
      const run = start(command, [CHILD, path, `run${round}`, '300000'])
      await until('records are acknowledged', () => run.acknowledged.length > 200 + 150 * round)
      run.child.kill('SIGKILL')
      await once(run.child, 'close')
      expect(run.failures).toEqual([])
      acknowledged.push(...run.acknowledged)
    }
    // A last start moves what was torn aside.
    await (await openFile()).close()
    const report = await verifyAuditFiles(nodeHashing, await logFiles())
    expect(report.bad).toBeUndefined()
    expect(report.verified.firstSeq).toBe(1)
    expect(report.verified.records).toBeGreaterThanOrEqual(acknowledged.length)
    expect(report.files.length).toBeGreaterThan(1)
    const recorded = await recordedIds()
    expect(acknowledged.filter(id => !recorded.has(id))).toEqual([])
  }, 60_000)
})

describe('a file that is old', () => {
  it('is followed by another with the next record, also after a restart, and the chain goes on', async () => {
    const old = Date.now() - 90_000
    const first = await openLog()
    await first.append(sampleEntry({ time: old }))
    await first.close()
    // Young enough for a limit of two minutes, too old for one.
    const second = await openLog({ maxAgeMs: 120_000 })
    await second.append(sampleEntry({ time: old }))
    await second.close()
    expect(await logFiles()).toHaveLength(1)
    const third = await openLog({ maxAgeMs: 60_000 })
    await third.append(sampleEntry())
    await third.append(sampleEntry())
    await third.close()
    expect(await logFiles()).toHaveLength(2)
    const report = await verifyAuditFiles(nodeHashing, await logFiles())
    expect(report).toMatchObject({ bad: undefined, verified: { records: 4, firstSeq: 1 } })
  })
})

describe('a line that nobody waits for', () => {
  it('goes with the next that somebody waits for, in order', async () => {
    const sink = await openFile()
    const order: string[] = []
    const lazy = sink.append('lazy', 60_000).then(() => order.push('lazy'))
    await sleep(50)
    expect(await readFile(path, 'utf8')).toBe('')
    await Promise.all([lazy, sink.append('urgent').then(() => order.push('urgent'))])
    expect(order).toEqual(['lazy', 'urgent'])
    expect(await readFile(path, 'utf8')).toBe('lazy\nurgent\n')
  })

  it('goes alone when its time is over, and when the log is closed', async () => {
    const sink = await openFile()
    await sink.append('soon', 20)
    const late = sink.append('late', 60_000)
    await sink.close()
    await late
    expect(await readFile(path, 'utf8')).toBe('soon\nlate\n')
  })
})

describe('a disk that is full', () => {
  it.skipIf(spawnSync('prlimit', ['--version']).error !== undefined)(
    'rejects, leaves no half line, and goes on without a gap when there is room again',
    async () => {
      // The kernel's limit on a file's size: a write is cut short, the next fails, as on a full disk.
      const run = start('prlimit', ['--fsize=200000:', process.execPath, CHILD, path, 'full', '100000000'])
      await until('appends fail', () => run.failures.length > 100)
      const whole = run.acknowledged.length
      expect(whole).toBeGreaterThan(10)
      expect(new Set(run.failures)).toEqual(
        new Set(['! the audit record could not be written', '! the audit log cannot be written']),
      )
      expect(spawnSync('prlimit', ['--pid', String(run.child.pid), '--fsize=100000000:']).status).toBe(0)
      await until('appends work again', () => run.acknowledged.length > whole + 500)
      run.child.kill('SIGKILL')
      await once(run.child, 'close')

      await (await openFile()).close()
      const report = await verifyAuditFiles(nodeHashing, [path])
      expect(report.bad).toBeUndefined()
      expect(report.verified.firstSeq).toBe(1)
      const recorded = await recordedIds()
      expect(run.acknowledged.filter(id => !recorded.has(id))).toEqual([])
    },
    40_000,
  )
})

describe('the folder', () => {
  it('is made for the owner alone, and so is the file', async () => {
    await openFile()
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('when deleted, makes appends fail; the chain goes on in a new file when it is back', async () => {
    const log = await openLog()
    await log.append(sampleEntry())
    await rm(folder, { recursive: true })
    await expect(log.append(sampleEntry())).rejects.toThrow('could not be written')
    expect(await log.ready()).toBe(false)
    await mkdir(folder)
    await until('the log is ready', () => log.ready())
    await log.append(sampleEntry())
    expect((await verifyAuditFiles(nodeHashing, [path])).verified).toMatchObject({ records: 1, firstSeq: 2 })
    await expect(openAuditFile({ path })).rejects.toThrow('held by process')
  })

  it('when deleted while nothing is written, is noticed, and is made good without a lost record', async () => {
    const sink = await openFile()
    expect(await sink.ready()).toBe(true)
    await rm(folder, { recursive: true })
    expect(await sink.ready()).toBe(false)
    await mkdir(folder)
    expect(await sink.ready()).toBe(true)
    await sink.append('one')
    expect(await readFile(path, 'utf8')).toBe('one\n')
  })

  it('when it may not be written, is named at start', async () => {
    await mkdir(folder, { mode: 0o500 })
    // Root may write anywhere, so somebody else tries.
    await chmod(root, 0o755)
    const run = start(process.execPath, [CHILD, path, 'x'], process.getuid?.() === 0 ? { uid: 65534 } : {})
    await once(run.child, 'close')
    expect(run.child.exitCode).toBe(3)
    expect(run.failures).toEqual([`! audit log ${path}: EACCES`])
  })

  it('when it is none, is named at start', async () => {
    await writeFile(folder, '')
    await expect(openFile()).rejects.toThrow(new RegExp(`^audit log ${path}: E(EXIST|NOTDIR)$`))
  })
})

describe('the file', () => {
  it('when moved by somebody else, is continued in a new one', async () => {
    const log = await openLog()
    await log.append(sampleEntry())
    await rename(path, `${path}.1`)
    await expect(log.append(sampleEntry())).rejects.toThrow()
    await until('the log is ready', () => log.ready())
    await log.append(sampleEntry())
    const report = await verifyAuditFiles(nodeHashing, [path, `${path}.1`])
    expect(report).toMatchObject({ bad: undefined, verified: { records: 2 }, files: [`${path}.1`, path] })
  })

  it('when replaced by a copy of itself, is continued', async () => {
    const log = await openLog()
    await log.append(sampleEntry())
    await copyFile(path, `${path}.copy`)
    await rename(`${path}.copy`, path)
    await expect(log.append(sampleEntry())).rejects.toThrow()
    await until('the log is ready', () => log.ready())
    await log.append(sampleEntry())
    expect(await verifyAuditFiles(nodeHashing, [path])).toMatchObject({ bad: undefined, verified: { records: 2 } })
  })

  it.each([
    ['cut', () => truncate(path, 2)],
    ['emptied', () => truncate(path, 0)],
    ['given other bytes', () => writeFile(path, 'two\nthree\n')],
    [
      'replaced by another',
      async () => {
        await writeFile(`${path}.other`, 'other\n')
        await rename(`${path}.other`, path)
      },
    ],
    ['left without its lock', () => rm(`${path}.lock`)],
  ])('when %s, is written no more by this process', async (_name, harm) => {
    const sink = await openFile()
    await sink.append('one')
    await harm()
    await expect(sink.append('two')).rejects.toThrow()
    expect(await sink.ready()).toBe(false)
    await expect(sink.append('three')).rejects.toThrow()
    expect(events).toEqual(['audit_file_failed', 'audit_file_lost'])
  })

  it('is not taken for an audit log when no line ends in it', async () => {
    await mkdir(folder)
    await writeFile(path, Buffer.alloc(9 * 1024 * 1024, 'x'))
    await expect(openFile()).rejects.toThrow('not an audit log')
    expect((await stat(path)).size).toBe(9 * 1024 * 1024)
    expect(await readdir(folder)).toEqual(['audit.jsonl'])
  })

  it('reports the torn line that it moved aside', async () => {
    await mkdir(folder)
    await writeFile(path, 'one\ntw')
    const sink = await openFile()
    expect(events).toEqual(['audit_torn_line'])
    expect(await sink.lastLine()).toBe('one')
    expect(sink.tornPath).toMatch(/audit\.jsonl\.torn-\d{8}T\d{9}Z$/)
    expect(await readFile(sink.tornPath ?? '', 'utf8')).toBe('tw')
    expect((await stat(sink.tornPath ?? '')).mode & 0o777).toBe(0o600)
    await sink.append('two')
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n')
  })

  it('gets all bytes when the kernel takes a few at a time', async () => {
    const target = join(root, 'target')
    const handle = await open(target, 'a')
    try {
      const slow = {
        write: (bytes: Buffer, offset: number) => handle.write(bytes, offset, Math.min(3, bytes.length - offset)),
      }
      await writeAll(slow as unknown as typeof handle, Buffer.from('0123456789'))
    } finally {
      await handle.close()
    }
    expect(await readFile(target, 'utf8')).toBe('0123456789')
  })

  it('when it does not answer in time, has failed', async () => {
    const sink = await openFile({ timeoutMs: 1 })
    await expect(sink.append('x'.repeat(7 * 1024 * 1024))).rejects.toThrow('no answer from the disk within 1 ms')
    await expect(sink.append('late')).rejects.toThrow('no answer')
    expect(await sink.ready()).toBe(false)
    await sink.close()
    await until('the lock is given back', async () => !(await readdir(folder)).includes('audit.jsonl.lock'))
  })

  it('bounds what waits for the disk, and recovers', async () => {
    const sink = await openFile({ maxPending: 100 })
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => sink.append('0123456789')))
    const failed = results.findIndex(({ status }) => status === 'rejected')
    expect(failed).toBeGreaterThanOrEqual(0)
    expect(results.slice(failed).every(({ status }) => status === 'rejected')).toBe(true)
    expect(await sink.ready()).toBe(true)
    await sink.append('after')
    for (let index = 0; index < 20; index += 1) await sink.append('0123456789')
    expect(events).toEqual(['audit_file_failed'])
    const written = results.filter(({ status }) => status === 'fulfilled').length
    expect(await readFile(path, 'utf8')).toBe(`${'0123456789\n'.repeat(written)}after\n${'0123456789\n'.repeat(20)}`)
  })
})

describe('the lock', () => {
  it('keeps a second process, and this one, from the same file', async () => {
    const sink = await openFile()
    await expect(openAuditFile({ path })).rejects.toThrow(`held by process ${process.pid}`)
    const run = start(process.execPath, [CHILD, path, 'second'])
    await once(run.child, 'close')
    expect(run.failures).toEqual([`! audit log ${path}: ${path}.lock is held by process ${process.pid}`])
    await sink.close()
    expect(await readdir(folder)).toEqual(['audit.jsonl'])
    await openFile()
  })

  it('of a dead process is taken over at once, of a process with the same id too', async () => {
    const run = start(process.execPath, [CHILD, path, 'dead'])
    await until('records are acknowledged', () => run.acknowledged.length > 10)
    run.child.kill('SIGKILL')
    await once(run.child, 'close')
    const left = JSON.parse(await readFile(`${path}.lock`, 'utf8')) as { pid: number; start: string }
    expect(left.pid).toBe(run.child.pid)
    await writeFile(`${path}.lock`, JSON.stringify({ ...left, pid: process.pid }))
    const started = performance.now()
    await openFile()
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(JSON.parse(await readFile(`${path}.lock`, 'utf8'))).toMatchObject({ pid: process.pid })
  })

  it('of another machine is respected while it is touched', async () => {
    await mkdir(folder)
    const lock = `${path}.lock`
    const text = JSON.stringify({ pid: 1, start: '1', host: 'elsewhere', space: 'another' })
    await writeFile(lock, text)
    const heartbeat = setInterval(() => void writeFile(lock, text), 300)
    try {
      await expect(openFile()).rejects.toThrow('held by process 1 on elsewhere')
    } finally {
      clearInterval(heartbeat)
    }
  })

  it('of another machine, or never filled, is taken over when it stays silent', async () => {
    await mkdir(folder)
    await writeFile(`${path}.lock`, '')
    const started = performance.now()
    const lock = await takeLock(`${path}.lock`, 600)
    expect(performance.now() - started).toBeGreaterThan(590)
    expect(lock.held()).toBe(true)
    await lock.release()
    expect(await readdir(folder)).toEqual([])
  })

  it('is taken by one of many that find it stale together', async () => {
    await mkdir(folder)
    const mine = await openFile()
    const text = await readFile(`${path}.lock`, 'utf8')
    await mine.close()
    await writeFile(`${path}.lock`, JSON.stringify({ ...(JSON.parse(text) as object), start: '1' }))
    const runs = Array.from({ length: 6 }, (_, index) => start(process.execPath, [CHILD, path, `rival${index}`]))
    // Most are refused the lock; one may get it and lose it again to a rival in the same moment, and stops as well.
    await until('all have tried', () => runs.every(run => run.acknowledged.length > 50 || run.child.exitCode !== null))
    const winners = runs.filter(run => run.child.exitCode === null)
    expect(winners).toHaveLength(1)
    winners[0]?.child.kill('SIGKILL')
    await once(winners[0]?.child as ChildProcess, 'close')
    await (await openFile()).close()
    expect((await verifyAuditFiles(nodeHashing, await logFiles())).bad).toBeUndefined()
  }, 30_000)
})

describe('rotation', () => {
  it('moves full files aside, in the order of their names, and carries the chain over', async () => {
    const log = await openLog({ maxBytes: 5000 })
    for (let index = 0; index < 40; index += 1) await log.append(sampleEntry())
    const files = (await logFiles()).sort()
    expect(files.length).toBeGreaterThan(5)
    for (const file of files) expect((await stat(file)).size).toBeLessThanOrEqual(5000)
    expect((await stat(files[0] ?? '')).mode & 0o777).toBe(0o600)
    const report = await verifyAuditFiles(nodeHashing, files.toReversed())
    expect(report).toMatchObject({ bad: undefined, verified: { records: 40, firstSeq: 1 }, files })
  })

  it('goes on after a restart from the last rotated file when the new one is empty or missing', async () => {
    const log = await openLog({ maxBytes: 2500 })
    for (let index = 0; index < 6; index += 1) await log.append(sampleEntry())
    await log.close()
    const copy = join(root, 'copy')
    await cp(folder, copy, { recursive: true })
    const newest = (await logFiles()).sort().at(-2) ?? ''
    const { seq } = JSON.parse((await readFile(newest, 'utf8')).trimEnd().split('\n').at(-1) ?? '') as { seq: number }
    for (const harm of [() => truncate(path, 0), () => rm(path)]) {
      await harm()
      const next = await openLog()
      expect(next.head.seq).toBe(seq)
      await next.append(sampleEntry())
      await next.close()
      expect((await verifyAuditFiles(nodeHashing, await logFiles())).bad).toBeUndefined()
    }
  })

  it('takes a line that is longer than a whole file', async () => {
    const sink = await openFile({ maxBytes: 10 })
    await sink.append('x'.repeat(50))
    await sink.append('y'.repeat(50))
    expect(await readFile(path, 'utf8')).toBe(`${'y'.repeat(50)}\n`)
    expect(await logFiles()).toHaveLength(2)
  })

  it('keeps the order of names when the clock goes back', async () => {
    await mkdir(folder)
    await writeFile(join(folder, 'audit.20990101T000000000Z.jsonl'), 'old\n')
    const sink = await openFile({ maxBytes: 10 })
    expect(await sink.lastLine()).toBe('old')
    await sink.append('0123456789')
    await sink.append('0123456789')
    expect((await readdir(folder)).sort()).toContain('audit.20990101T000000001Z.jsonl')
  })
})

it('lines that come in one turn of the event loop after the other are written together, a lone one at once', async () => {
  const file = await openFile()
  await file.append('alone')
  const settled: string[] = []
  const append = (line: string) => void file.append(line).then(() => settled.push(line))
  setImmediate(() => {
    append('next turn')
    setImmediate(() => append('the one after'))
  })
  await file.append('first')
  // Promises of one group are resolved together, before anything else can happen.
  await Promise.resolve()
  expect(settled).toEqual(['next turn', 'the one after'])
})
