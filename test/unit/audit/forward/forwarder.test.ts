import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { takeLock } from '../../../../adapters/node/file-lock.ts'
import { positionPath } from '../../../../adapters/node/forward/position-file.ts'
import { waitFor } from '../../../support/wait.ts'
import { sampleChain } from '../sample.ts'
import { DOWN, forwarderOn, logIn, scripted, TAKEN } from './support.ts'

const CHAIN = sampleChain(300)
const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const notes = (path: string) =>
  readFileSync(positionPath(path, 'test').replace(/\.json$/, '.refused.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)

test('everything arrives once and in order, across files that follow each other, also while they are written', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 120), join(log.dir, 'audit.20261124T100000000Z.jsonl'))
  log.add(CHAIN.slice(120, 130), join(log.dir, 'audit.20261124T110000000Z.jsonl'))
  log.add(CHAIN.slice(130, 150))
  const { destination, taken } = scripted(() => TAKEN)
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await run.reached(150)
  log.add(CHAIN.slice(150, 200))
  renameSync(log.path, join(log.dir, 'audit.20261124T120000000Z.jsonl'))
  log.add(CHAIN.slice(200, 250))
  await run.reached(250)
  renameSync(log.path, join(log.dir, 'audit.20261124T130000000Z.jsonl'))
  log.add(CHAIN.slice(250, 300))
  await run.reached(300)
  await run.forwarder.close()
  expect(taken).toEqual(seqs(1, 300))
  expect(run.counts.get('sallyport_audit_forwarded_total')).toBe(300)
  expect(run.events).toEqual([])
})

test('a line that is being written is sent when it is whole', async () => {
  const log = logIn()
  const [first = '', second = ''] = CHAIN
  writeFileSync(log.path, `${first}\n${second.slice(0, 100)}`)
  const { destination, taken } = scripted(() => TAKEN)
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await run.reached(1)
  writeFileSync(log.path, `${second.slice(100)}\n`, { flag: 'a' })
  await run.reached(2)
  await run.forwarder.close()
  expect(taken).toEqual([1, 2])
})

test('a record that is not durable yet is not sent', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 10))
  let durable = 4
  const { destination, taken } = scripted(() => TAKEN)
  const run = forwarderOn(log.path, destination, { durable: () => durable })
  run.forwarder.start()
  await run.reached(4)
  await waitFor('some looks more', () => run.pauses.length > 5)
  expect(taken).toEqual([1, 2, 3, 4])
  // What was never acknowledged is cut off again, and others come in its place.
  const other = sampleChain(6, seq => (seq === 5 ? { requestId: 'another' } : {}))
  writeFileSync(log.path, `${other.join('\n')}\n`)
  durable = 6
  await run.reached(6)
  await run.forwarder.close()
  expect(taken).toEqual(seqs(1, 6))
  expect(run.told('audit_forward_position_unknown')).toEqual([])
})

test('an outage of any length loses nothing, and pauses grow to the longest and no further', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 50))
  let isUp = false
  const { destination, taken } = scripted(() => (isUp ? TAKEN : DOWN))
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  // Pauses that add up to more than an hour.
  const pausedMs = () => run.pauses.reduce((sum, ms) => sum + ms, 0)
  await waitFor('an hour', () => pausedMs() > 3_600_000, 15_000)
  expect(run.pauses.slice(0, 7)).toEqual([750, 1500, 3000, 6000, 12_000, 24_000, 45_000])
  expect(Math.max(...run.pauses)).toBe(45_000)
  log.add(CHAIN.slice(50, 120))
  isUp = true
  await run.reached(120)
  await run.forwarder.close()
  expect(taken).toEqual(seqs(1, 120))
  expect(run.told('audit_forward_failed')).toHaveLength(1)
  expect(run.told('audit_forward_recovered')).toHaveLength(1)
  expect(run.counts.get('sallyport_audit_forward_failures_total')).toBeGreaterThan(80)
})

test('a destination that says when to come back is asked no sooner', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 5))
  const { destination } = scripted((_, call) => (call > 1 ? TAKEN : { ...DOWN, retryAfterMs: 120_000 }))
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await run.reached(5)
  await run.forwarder.close()
  expect(run.pauses[0]).toBe(120_500)
})

test('the position outlives the process; what was sent since it was kept is sent again', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 20))
  const first = scripted(() => TAKEN)
  const one = forwarderOn(log.path, first.destination)
  one.forwarder.start()
  await one.reached(20)
  await one.forwarder.close()
  log.add(CHAIN.slice(20, 40))
  const second = scripted(() => TAKEN)
  const two = forwarderOn(log.path, second.destination)
  two.forwarder.start()
  await two.reached(40)
  await two.forwarder.close()
  expect([first.taken, second.taken]).toEqual([seqs(1, 20), seqs(21, 40)])
})

test('what is left is sent when it ends', async () => {
  const log = logIn()
  const { destination, taken } = scripted(() => TAKEN)
  const run = forwarderOn(log.path, destination, { batch: { records: 3, bytes: 1 << 20, waitMs: 5 } })
  run.forwarder.start()
  await waitFor('a look', () => run.pauses.length > 0)
  log.add(CHAIN.slice(0, 10))
  await run.forwarder.close()
  expect(taken).toEqual(seqs(1, 10))
})

test('of a batch that was taken in part, the rest is sent again', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 10))
  const { destination, taken, batches } = scripted((_, call) =>
    call === 1 ? { ...DOWN, taken: 4, refused: [{ index: 2, reason: 'bad' }] } : TAKEN,
  )
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await run.reached(10)
  await run.forwarder.close()
  expect(batches).toEqual([seqs(1, 10), seqs(5, 10)])
  expect(taken).toEqual([1, 2, ...seqs(4, 10)])
  expect(notes(log.path)).toMatchObject([{ from: 3, to: 3, records: 1, reason: 'bad' }])
})

test('a batch that is too large is halved until it is not', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 100))
  const { destination, taken, batches } = scripted(records =>
    records.length > 10 ? { kind: 'too-large', reason: '413' } : TAKEN,
  )
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await run.reached(100)
  await run.forwarder.close()
  expect(taken).toEqual(seqs(1, 100))
  expect(batches.slice(0, 5).map(batch => batch.length)).toEqual([100, 50, 25, 13, 7])
})

test('a record that is refused alone, while others are taken, is given up, counted, told and noted', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 60))
  const bad = new Set([17, 18, 40])
  const { destination, taken } = scripted(records =>
    records.some(({ seq }) => bad.has(seq)) ? { kind: 'refused', reason: '400 no mapping' } : TAKEN,
  )
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await run.reached(60)
  await run.forwarder.close()
  expect([...new Set(taken)]).toEqual(seqs(1, 60).filter(seq => !bad.has(seq)))
  expect(notes(log.path).map(({ from }) => from)).toEqual([17, 18, 40])
  expect(run.counts.get('sallyport_audit_forward_dropped_total refused')).toBe(3)
  expect(run.told('audit_forward_dropped')).toHaveLength(3)
})

test('a destination that refuses everything has nothing given up for it', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 60))
  let isMended = false
  const { destination, taken } = scripted(() => (isMended ? TAKEN : { kind: 'refused', reason: '400 wrong index' }))
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await waitFor('a failure', () => run.told('audit_forward_failed').length > 0)
  expect(run.told('audit_forward_failed')[0]?.fields).toMatchObject({
    reason: 'it takes no record: 400 wrong index',
  })
  isMended = true
  await run.reached(60)
  await run.forwarder.close()
  expect([...new Set(taken)].toSorted((a, b) => a - b)).toEqual(seqs(1, 60))
  expect(run.told('audit_forward_dropped')).toEqual([])
})

test('a last record that was refused while the destination was set up wrong is sent when it is not', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 1))
  let isMended = false
  const { destination, taken } = scripted(() => (isMended ? TAKEN : { kind: 'refused', reason: '400 wrong index' }))
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await waitFor('some looks', () => run.pauses.length > 3)
  isMended = true
  log.add(CHAIN.slice(1, 2))
  await run.reached(2)
  await run.forwarder.close()
  expect(new Set(taken)).toEqual(new Set([1, 2]))
})

test('a position that is damaged, or of another log, is told of, and all is sent', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 20))
  const one = forwarderOn(log.path, scripted(() => TAKEN).destination)
  one.forwarder.start()
  await one.reached(20)
  await one.forwarder.close()

  writeFileSync(positionPath(log.path, 'test'), '{"seq":20,"id":')
  const second = scripted(() => TAKEN)
  const two = forwarderOn(log.path, second.destination)
  two.forwarder.start()
  await two.reached(20)
  await two.forwarder.close()
  expect(second.taken).toEqual(seqs(1, 20))
  expect(two.told('audit_forward_position_damaged')).toHaveLength(1)

  const other = sampleChain(30, () => ({ team: 'another' }))
  writeFileSync(log.path, `${other.join('\n')}\n`)
  const third = scripted(() => TAKEN)
  const three = forwarderOn(log.path, third.destination)
  three.forwarder.start()
  await three.reached(30)
  await three.forwarder.close()
  expect(third.taken).toEqual(seqs(1, 30))
  expect(three.told('audit_forward_position_unknown')).toHaveLength(1)
})

test('records that were deleted before they were sent are counted and named, and the rest is sent', async () => {
  const log = logIn()
  const old = join(log.dir, 'audit.20261124T100000000Z.jsonl')
  log.add(CHAIN.slice(0, 50), old)
  log.add(CHAIN.slice(50, 80))
  const one = forwarderOn(log.path, scripted((_, call) => (call === 1 ? { ...DOWN, taken: 10 } : DOWN)).destination)
  one.forwarder.start()
  await one.reached(10)
  await one.forwarder.close()
  rmSync(old)
  const { destination, taken } = scripted(() => TAKEN)
  const two = forwarderOn(log.path, destination)
  two.forwarder.start()
  await two.reached(80)
  await two.forwarder.close()
  expect(taken).toEqual(seqs(51, 80))
  expect(notes(log.path)).toMatchObject([{ from: 11, to: 50, records: 40 }])
  expect(two.counts.get('sallyport_audit_forward_dropped_total missing')).toBe(40)
})

test('a file that is deleted when all of it was sent is not missed', async () => {
  const log = logIn()
  const old = join(log.dir, 'audit.20261124T100000000Z.jsonl')
  log.add(CHAIN.slice(0, 50), old)
  log.add([])
  const one = forwarderOn(log.path, scripted(() => TAKEN).destination)
  one.forwarder.start()
  await one.reached(50)
  await one.forwarder.close()
  rmSync(old)
  log.add(CHAIN.slice(50, 60))
  const { destination, taken } = scripted(() => TAKEN)
  const two = forwarderOn(log.path, destination)
  two.forwarder.start()
  await two.reached(60)
  await two.forwarder.close()
  expect(taken).toEqual(seqs(51, 60))
  expect(two.events).toEqual([])
})

test('records longer than a block, and what is none between them: nothing else is lost', async () => {
  const log = logIn()
  const guard = Array.from({ length: 1500 }, (_, at) => ({
    stage: 'output' as const,
    rule: `RULE_${at}`,
    action: 'redact',
    count: 1,
  }))
  const chain = sampleChain(12, seq => (seq % 2 === 0 ? { guard } : {}))
  expect(chain[1]?.length).toBeGreaterThan(64 * 1024)
  log.add(
    [...chain.slice(0, 3), 'no record', ...chain.slice(3, 6), '{"torn'],
    join(log.dir, 'audit.20261124T100000000Z.jsonl'),
  )
  log.add(chain.slice(6, 7), join(log.dir, 'audit.20261124T110000000Z.jsonl'))
  log.add(chain.slice(7))
  const batch = { records: 2, bytes: 1000, waitMs: 5 }
  const first = scripted(records => ((records[0]?.seq ?? 0) > 4 ? DOWN : TAKEN))
  const one = forwarderOn(log.path, first.destination, { batch })
  one.forwarder.start()
  await one.reached(4)
  await one.forwarder.close()
  const second = scripted(() => TAKEN)
  const two = forwarderOn(log.path, second.destination, { batch })
  two.forwarder.start()
  await two.reached(12)
  await two.forwarder.close()
  expect([first.taken, second.taken]).toEqual([seqs(1, 4), seqs(5, 12)])
})

test('two processes do not send at the same time: the second waits for the first', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 5))
  const one = forwarderOn(log.path, scripted(() => TAKEN).destination)
  one.forwarder.start()
  await one.reached(5)
  const lock = `${positionPath(log.path, 'test')}.lock`
  expect(existsSync(lock)).toBe(true)
  await expect(takeLock(lock)).rejects.toThrow('is held by process')
  const { destination, taken } = scripted(() => TAKEN)
  const two = forwarderOn(log.path, destination)
  two.forwarder.start()
  await waitFor('it is told', () => two.told('audit_forward_failed').length > 0)
  await one.forwarder.close()
  log.add(CHAIN.slice(5, 8))
  await two.reached(8)
  await two.forwarder.close()
  expect(taken).toEqual([6, 7, 8])
})

test('the folder of the position is removed and comes back: it goes on, and nothing is left out', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 20))
  const { destination, taken } = scripted(() => TAKEN)
  const run = forwarderOn(log.path, destination)
  run.forwarder.start()
  await run.reached(20)
  await waitFor('it is kept', () => existsSync(positionPath(log.path, 'test')))
  rmSync(dirname(positionPath(log.path, 'test')), { recursive: true })
  log.add(CHAIN.slice(20, 40))
  await waitFor('it is kept again', () => existsSync(positionPath(log.path, 'test')))
  await run.reached(40)
  await run.forwarder.close()
  expect(new Set(taken)).toEqual(new Set(seqs(1, 40)))
  expect(JSON.parse(readFileSync(positionPath(log.path, 'test'), 'utf8'))).toMatchObject({ seq: 40 })
})

test('a destination that hangs is given up at the deadline, and at the end at once', async () => {
  const log = logIn()
  log.add(CHAIN.slice(0, 5))
  let attempts = 0
  const run = forwarderOn(
    log.path,
    {
      deliver: (_records, signal) => {
        attempts += 1
        return new Promise(resolve => {
          signal.addEventListener('abort', () => resolve({ kind: 'failed', reason: 'too slow' }))
        })
      },
      close: async () => undefined,
    },
    { timeoutMs: 30 },
  )
  run.forwarder.start()
  await waitFor('two attempts', () => attempts > 1)
  await run.forwarder.close()
  expect(run.forwarder.position).toBeUndefined()
})
