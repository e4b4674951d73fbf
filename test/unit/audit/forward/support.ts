import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemClock } from '../../../../adapters/node/clock.ts'
import { LogFiles } from '../../../../adapters/node/forward/log-files.ts'
import { PositionFile } from '../../../../adapters/node/forward/position-file.ts'
import type { Delivery, Destination } from '../../../../src/audit/forward/destination.ts'
import { Forwarder, type ForwarderOptions } from '../../../../src/audit/forward/forwarder.ts'
import { headOf } from '../../../../src/audit/forward/record-line.ts'
import type { LoggedRecord } from '../../../../src/ports/forward-log.ts'
import type { Fields } from '../../../../src/ports/telemetry.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { waitFor } from '../../../support/wait.ts'

/** Lines as records of the log, for what encodes them. */
export function recordsOf(lines: readonly string[]): LoggedRecord[] {
  let end = 0
  return lines.map(line => {
    end += Buffer.byteLength(line) + 1
    const head = headOf(line)
    if (!head) throw new Error(`no record: ${line}`)
    return { seq: head.seq, id: head.id, line, end, missing: 0 }
  })
}

/** A log in a folder of its own, that the test writes. */
export function logIn(dir = tempDir()) {
  const path = join(dir, 'audit.jsonl')
  mkdirSync(dirname(path), { recursive: true })
  return {
    path,
    dir,
    add: (lines: readonly string[], file = path) => appendFileSync(file, lines.map(line => `${line}\n`).join('')),
  }
}

/** A destination that does as it is told, and remembers what it took. */
export function scripted(answer: (records: readonly LoggedRecord[], call: number) => Delivery | Promise<Delivery>) {
  const taken: number[] = []
  const batches: number[][] = []
  let calls = 0
  const destination: Destination = {
    async deliver(records) {
      calls += 1
      const seqs = records.map(({ seq }) => seq)
      batches.push(seqs)
      const delivery = await answer(records, calls)
      const count = delivery.kind === 'taken' ? records.length : delivery.kind === 'failed' ? (delivery.taken ?? 0) : 0
      const refused = 'refused' in delivery ? (delivery.refused ?? []) : []
      taken.push(...seqs.slice(0, count).filter((_, index) => !refused.some(one => one.index === index)))
      return delivery
    },
    close: async () => undefined,
  }
  return { destination, taken, batches }
}

export const TAKEN: Delivery = { kind: 'taken' }
export const DOWN: Delivery = { kind: 'failed', reason: 'it is down' }

/** A forwarder on a log, in which pauses take no time: how long they would have been stands in `pauses`. */
export function forwarderOn(
  path: string,
  destination: Destination,
  options: Partial<Pick<ForwarderOptions, 'batch' | 'durable' | 'timeoutMs' | 'maxPauseMs'>> = {},
) {
  const pauses: number[] = []
  const events: { event: string; fields: Fields | undefined }[] = []
  const counts = new Map<string, number>()
  const forwarder = new Forwarder({
    name: 'test',
    destination,
    log: new LogFiles(path),
    place: new PositionFile(path, 'test'),
    batch: { records: 100, bytes: 1 << 20, waitMs: 5 },
    timeoutMs: 5000,
    maxPauseMs: 60_000,
    durable: () => Number.POSITIVE_INFINITY,
    clock: systemClock,
    telemetry: {
      log: (_level, event, fields) => void events.push({ event, fields }),
      count: (metric: string, labels?: Readonly<Record<string, string>>, by = 1) => {
        const key = labels?.['why'] === undefined ? metric : `${metric} ${labels['why']}`
        counts.set(key, (counts.get(key) ?? 0) + by)
      },
    },
    random: () => 0.5,
    sleep: async (ms, signal) => {
      pauses.push(ms)
      if (!signal.aborted) await new Promise(resolve => setTimeout(resolve, 1))
    },
    ...options,
  })
  return {
    forwarder,
    pauses,
    events,
    counts,
    told: (event: string) => events.filter(one => one.event === event),
    /** Until the destination has everything up to a record. */
    reached: (seq: number) => waitFor(`position ${seq}`, () => (forwarder.position?.seq ?? 0) >= seq, 10_000),
  }
}
