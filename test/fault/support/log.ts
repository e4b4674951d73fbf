import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Completed, type Gateway, sallyport, waitFor } from '../../support/index.ts'

export interface LogRecord {
  readonly action?: string
  readonly seq: number
  readonly requestId: string
  readonly team?: string
  readonly status: number
  readonly outcome: string
  readonly begun?: number
  readonly target?: string
  readonly errorCode?: string
  readonly reason?: string
  readonly upstream?: string
  readonly latencyMs: number
  readonly queueMs?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly tokenSource?: string
}

type Place = Pick<Gateway, 'dir'>

/** The records of how requests ended. */
export function recordsOf(place: Place): LogRecord[] {
  return allRecordsOf(place).filter(({ outcome }) => outcome !== 'begun')
}

/** Every record in the gateway's log, those in rotated files first. A line that is just being written is left out. */
export function allRecordsOf({ dir }: Place): LogRecord[] {
  return logFiles(dir).flatMap(file => {
    const text = readFileSync(file, 'utf8')
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines.filter(line => line !== '').map(line => JSON.parse(line) as LogRecord)
  })
}

/** The record of a request, as soon as it is there. */
export function recordOf(gateway: Place, requestId: string, deadlineMs = 3000): Promise<LogRecord> {
  const find = () => recordsOf(gateway).find(record => record.requestId === requestId)
  return waitFor(`the record of ${requestId}`, find, deadlineMs)
}

export function verifyLog({ dir }: Place): Promise<Completed> {
  return sallyport(['audit', 'verify', ...logFiles(dir)], { cwd: dir })
}

/** Of the log, those that were rotated first. */
export function logFiles(dir: string): string[] {
  const folder = join(dir, 'audit')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter(name => /^audit(\.\d{8}T\d{9}Z)?\.jsonl$/.test(name))
  // The rotated ones have a date in their names, which sorts in front of `jsonl`.
  return names.sort().map(name => join(folder, name))
}
