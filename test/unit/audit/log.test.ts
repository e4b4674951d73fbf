import { beforeEach, describe, expect, it } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { AuditLog, AuditUnavailable } from '../../../src/audit/log.ts'
import { GENESIS } from '../../../src/audit/record.ts'
import { createVerifier } from '../../../src/audit/verify.ts'
import type { AuditSink } from '../../../src/ports/audit-sink.ts'
import type { Telemetry } from '../../../src/ports/telemetry.ts'
import { createMemorySink, type MemorySink } from './memory-sink.ts'
import { sampleChain, sampleEntry } from './sample.ts'

let monotonic = 0
let events: string[]
let counts: Record<string, number>
let sink: MemorySink

const clock = { now: () => 0, monotonic: () => monotonic }
const telemetry: Telemetry = {
  log: (_level, event) => events.push(event),
  count: (_metric: string, labels?: Readonly<Record<string, string>>) => {
    const result = labels?.['result'] ?? ''
    counts[result] = (counts[result] ?? 0) + 1
  },
}

beforeEach(() => {
  monotonic = 0
  events = []
  counts = {}
  sink = createMemorySink()
})

const openLog = (instance?: string) => AuditLog.open({ sink, hashing: nodeHashing, clock, telemetry, instance })

function seqs(): number[] {
  return sink.lines.map(line => (JSON.parse(line) as { seq: number }).seq)
}

function expectWhole(records: number): void {
  const verifier = createVerifier(nodeHashing)
  for (const line of sink.lines) expect(verifier.line(line)).toBeUndefined()
  expect(verifier.verified()).toMatchObject({ records, firstSeq: 1 })
}

const appendAll = (log: AuditLog, count: number) =>
  Promise.allSettled(Array.from({ length: count }, (_, index) => log.append(sampleEntry({ requestId: `r${index}` }))))

const outcomes = (results: PromiseSettledResult<void>[]) =>
  results.map(({ status }) => (status === 'fulfilled' ? '+' : '-')).join('')

describe('the audit log', () => {
  it('starts a chain, and continues it after a restart under another instance', async () => {
    const first = await openLog('one')
    expect(first.head).toEqual({ seq: 0, hash: GENESIS })
    await appendAll(first, 3)
    const second = await openLog()
    expect(second.head).toEqual(first.head)
    await second.append(sampleEntry())
    expectWhole(4)
    expect(JSON.parse(sink.lines[0] ?? '')).toMatchObject({ instance: 'one' })
    expect(second.instance).toMatch(/^[0-9a-f]{8}$/)
    expect(JSON.parse(sink.lines[3] ?? '')).toMatchObject({ instance: second.instance })
  })

  it('keeps the order of the calls while many are under way', async () => {
    const log = await openLog()
    expect(outcomes(await appendAll(log, 100))).toBe('+'.repeat(100))
    expect(sink.lines.map(line => (JSON.parse(line) as { requestId: string }).requestId)).toEqual(
      Array.from({ length: 100 }, (_, index) => `r${index}`),
    )
    expectWhole(100)
    expect(counts).toEqual({ written: 100 })
  })

  it.each([
    ['edited', (line: string) => line.replace('payments', 'research'), /hash differs/],
    ['no record', () => 'hello', /not JSON/],
  ])('will not continue after a last line that is %s', async (_name, damage, reason) => {
    sink = createMemorySink(sampleChain(2).map((line, index) => (index === 1 ? damage(line) : line)))
    await expect(openLog()).rejects.toThrow(AuditUnavailable)
    await expect(openLog()).rejects.toThrow(reason)
  })

  it('leaves no gap and no fork when the disk fails in the middle of many', async () => {
    const log = await openLog()
    sink.room = 4
    expect(outcomes(await appendAll(log, 10))).toBe('++++------')
    expect(log.head.seq).toBe(4)
    expect(events).toEqual(['audit_unavailable'])

    sink.room = Number.POSITIVE_INFINITY
    expect(outcomes(await appendAll(log, 3))).toBe('+++')
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 7])
    expectWhole(7)
    expect(events).toEqual(['audit_unavailable', 'audit_recovered'])
    expect(counts).toEqual({ written: 7, failed: 6 })
  })

  it('refuses while the disk is broken, and asks it no more than four times a second', async () => {
    const log = await openLog()
    sink.room = 0
    await appendAll(log, 1)
    expect(outcomes(await appendAll(log, 50))).toBe('-'.repeat(50))
    expect(outcomes(await appendAll(log, 50))).toBe('-'.repeat(50))
    expect(sink.probes).toBe(1)
    monotonic = 250
    expect(await log.ready()).toBe(false)
    expect(sink.probes).toBe(2)
    sink.room = Number.POSITIVE_INFINITY
    expect(await log.ready()).toBe(false)
    monotonic = 500
    expect(await log.ready()).toBe(true)
    await log.append(sampleEntry())
    expectWhole(1)
  })

  it('waits for what is under way before it goes on from the last acknowledged record', async () => {
    const log = await openLog()
    const held = Promise.withResolvers<void>()
    await log.append(sampleEntry())
    sink.room = 1
    sink.hold = held.promise
    const early = appendAll(log, 3)
    expect(log.lagMs()).toBe(0)
    monotonic = 40
    expect(log.lagMs()).toBe(40)
    held.resolve()
    sink.hold = undefined
    expect(outcomes(await early)).toBe('+--')
    expect(log.lagMs()).toBe(0)
    sink.room = 2
    const [late, ready] = await Promise.all([appendAll(log, 3), log.ready()])
    expect(outcomes(late)).toBe('++-')
    expect(ready).toBe(true)
    expectWhole(4)
  })

  it('goes on only when the last one under way is settled, though a later one failed before it', async () => {
    const first = Promise.withResolvers<void>()
    const answers = [first.promise, Promise.reject(new Error('too many wait')), Promise.resolve()]
    const sent: string[] = []
    const slow: AuditSink = {
      lastLine: () => Promise.resolve(undefined),
      append: line => answers[sent.push(line) - 1] ?? Promise.resolve(),
      ready: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    }
    const log = await AuditLog.open({ sink: slow, hashing: nodeHashing, clock, telemetry })
    const one = log.append(sampleEntry())
    await expect(log.append(sampleEntry())).rejects.toThrow()
    const three = log.append(sampleEntry())
    await new Promise(resolve => setTimeout(resolve, 5))
    expect(sent).toHaveLength(2)
    first.resolve()
    await Promise.all([one, three])
    expect(JSON.parse(sent[2] ?? '')).toMatchObject({
      seq: 2,
      prev: (JSON.parse(sent[0] ?? '') as { hash: string }).hash,
    })
  })

  it('says whether the sink is ready without being asked to repair it', async () => {
    const log = await openLog()
    expect(await log.ready()).toBe(true)
    expect(sink.probes).toBe(1)
  })

  it('tells no more than that it could not write', async () => {
    const log = await openLog()
    sink.room = 0
    const error: unknown = await log.append(sampleEntry()).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AuditUnavailable)
    expect((error as Error).message).toBe('the audit record could not be written')
  })
})
