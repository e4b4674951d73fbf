import { expect, it } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { AuditLog, type Intent } from '../../../src/audit/log.ts'
import { createVerifier } from '../../../src/audit/verify.ts'
import { createMemorySink } from './memory-sink.ts'
import { sampleEntry } from './sample.ts'

const clock = { now: () => 0, monotonic: () => performance.now() }
const telemetry = { log: () => undefined, count: () => undefined }

async function setUp() {
  const sink = createMemorySink()
  const open = () => AuditLog.open({ sink, hashing: nodeHashing, clock, telemetry })
  const begin = (log: AuditLog, requestId: string, intent: Intent) =>
    log.append(sampleEntry({ requestId, status: 102, outcome: 'begun' }), intent)
  const end = (log: AuditLog, requestId: string, intent?: Intent) => log.append(sampleEntry({ requestId }), intent)
  const verified = () => {
    const verifier = createVerifier(nodeHashing)
    for (const line of sink.lines) expect(verifier.line(line)).toBeUndefined()
    return verifier.verified()
  }
  return { sink, open, begin, end, verified, log: await open() }
}

it('a request without an end is open while its process may run, and interrupted once another has begun', async () => {
  const { open, begin, end, verified, log } = await setUp()
  const [a, b]: [Intent, Intent] = [{ seq: undefined }, { seq: undefined }]
  await begin(log, 'a', a)
  await begin(log, 'b', b)
  await end(log, 'a', a)
  expect(verified()).toMatchObject({ interrupted: 0, open: 1, requests: [{ seq: 2, requestId: 'b' }] })
  const next = await open()
  await end(next, 'c')
  expect(verified()).toMatchObject({ interrupted: 1, open: 0, requests: [{ seq: 2, requestId: 'b' }] })
})

it('another request of the same id does not end it: an end names the beginning that it belongs to', async () => {
  const { begin, end, verified, log } = await setUp()
  const intent = { seq: undefined }
  await begin(log, 'same', intent)
  await end(log, 'same')
  expect(verified()).toMatchObject({ open: 1, requests: [{ seq: 1 }] })
  await end(log, 'same', intent)
  expect(verified()).toMatchObject({ open: 0, requests: [] })
})

it('a beginning that was lost with the disk is not named by the end that follows', async () => {
  const { sink, begin, end, log } = await setUp()
  const [lost, other]: [Intent, Intent] = [{ seq: undefined }, { seq: undefined }]
  sink.room = 0
  await expect(begin(log, 'lost', lost)).rejects.toThrow()
  sink.room = Number.POSITIVE_INFINITY
  // It takes the number that the lost one would have had.
  await begin(log, 'other', other)
  await end(log, 'lost', lost)
  await end(log, 'other', other)
  const records = sink.lines.map(line => JSON.parse(line) as { requestId: string; begun?: number })
  expect(records.map(({ requestId, begun }) => [requestId, begun])).toEqual([
    ['other', undefined],
    ['lost', undefined],
    ['other', 1],
  ])
})

it('names the beginning also where neither is on disk yet', async () => {
  const { sink, begin, end, log } = await setUp()
  const intent = { seq: undefined }
  await Promise.all([begin(log, 'a', intent), end(log, 'a', intent)])
  expect(JSON.parse(sink.lines[1] ?? '')).toMatchObject({ begun: 1 })
})
