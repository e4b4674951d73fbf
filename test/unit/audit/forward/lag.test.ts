import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LogFiles } from '../../../../adapters/node/forward/log-files.ts'
import { LagWatch } from '../../../../src/audit/forward/lag-watch.ts'
import { auditEvidence } from '../../../../src/checklist/audit-evidence.ts'
import type { Facts, ForwardingFacts } from '../../../../src/checklist/facts.ts'
import type { Lag, Position } from '../../../../src/ports/forward-log.ts'
import type { Fields } from '../../../../src/ports/telemetry.ts'
import { sampleChain } from '../sample.ts'
import { logIn, recordsOf } from './support.ts'

const now = Date.now()
const CHAIN = sampleChain(30, seq => ({ time: now - 60_000 * (31 - seq), latencyMs: 30_000 }))
const sizeOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)

test('the lag is what stands in the files behind the position', async () => {
  const log = logIn()
  const old = join(log.dir, 'audit.20261124T100000000Z.jsonl')
  log.add(CHAIN.slice(0, 10), old)
  log.add(CHAIN.slice(10))
  const files = new LogFiles(log.path)
  const after = (seq: number): Position | undefined => recordsOf(CHAIN)[seq - 1]
  expect(await files.lag(undefined)).toMatchObject({ records: 30, bytes: sizeOf(CHAIN) })
  const six = await files.lag({ ...(after(5) as Position) })
  expect(six).toMatchObject({ records: 25, bytes: sizeOf(CHAIN.slice(5)) })
  // The sixth request arrived 25 minutes ago and took half a minute.
  expect(Math.round(six.seconds / 10)).toBe(147)
  expect(await files.lag(after(30))).toEqual({ records: 0, bytes: 0, seconds: 0 })
  rmSync(old)
  const fresh = new LogFiles(log.path)
  expect(await fresh.lag(after(5))).toMatchObject({ records: 20, bytes: sizeOf(CHAIN.slice(10)) })
  await files.close()
  await fresh.close()
})

test('the lag is shown, and told of as it grows', async () => {
  const gauges = new Map<string, number>()
  const told: Fields[] = []
  let lag: Lag = { records: 0, bytes: 0, seconds: 0 }
  const watch = new LagWatch({
    name: 'test',
    log: { read: async () => ({ known: false }), lag: async () => lag, close: async () => undefined },
    position: () => undefined,
    warnAfterMs: 60_000,
    telemetry: {
      log: (_level, event, fields) => void (event === 'audit_forward_lag' && fields && told.push(fields)),
      count: (metric, _labels, by = 1) => void gauges.set(metric, (gauges.get(metric) ?? 0) + by),
    },
  })
  for (const seconds of [10, 59, 61, 90, 119, 125, 200, 260, 3, 70]) {
    lag = { records: seconds * 2, bytes: seconds * 1000, seconds }
    await watch.measure()
    expect(gauges.get('sallyport_audit_forward_lag_records')).toBe(seconds * 2)
    expect(watch.inTime).toBe(seconds < 60)
  }
  expect(told.map(({ seconds }) => seconds)).toEqual([61, 125, 260, 70])
  await watch.close()
})

test('row 17 of the checklist: every destination is in time, or which is not', () => {
  const siem: ForwardingFacts = {
    name: 'siem',
    kind: 'http',
    lagRecords: 0,
    lagMs: 0,
    warnAfterMs: 1000,
    fault: undefined,
  }
  const row = (...value: ForwardingFacts[]) =>
    auditEvidence[3]?.({ forwarding: { ok: true, value } } as unknown as Facts)
  expect(row()).toMatchObject({ met: false })
  expect(row(siem)).toEqual({ met: true, evidence: 'siem (http) has every record' })
  expect(row(siem, { ...siem, name: 'http', lagRecords: 3, lagMs: 5000 })).toEqual({
    met: false,
    evidence: 'siem (http) has every record; http lacks 3 records, the oldest 5 s old',
  })
  expect(row({ ...siem, fault: 'is no position' })).toMatchObject({ met: false })
})
