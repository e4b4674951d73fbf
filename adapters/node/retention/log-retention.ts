import { open } from 'node:fs/promises'
import { type Hold, inForce } from '../../../src/audit/holds.ts'
import type { AuditLog, Intent } from '../../../src/audit/log.ts'
import type { AuditEntry } from '../../../src/audit/record.ts'
import type { DeletionPlan } from '../../../src/audit/record-deleter.ts'
import { createRetention, type RetentionPolicy, shortestKeep } from '../../../src/audit/retention.ts'
import type { Telemetry } from '../../../src/ports/telemetry.ts'
import { firstTime, rotatedSiblings } from '../audit-tail.ts'
import { statOf } from '../durable-file.ts'
import { reasonOf } from '../error-code.ts'
import { type Keys, planFile, type Run, removeUnfinished, rewriteFile } from './rewrite-file.ts'

export interface LogRetentionOptions {
  /** The file that is written; the full ones stand beside it. */
  readonly path: string
  readonly policy: RetentionPolicy
  /** Age at which the file that is written is moved aside; undefined: at any. */
  readonly maxAgeMs: number | undefined
  /** Rejects, safe to print, where what is held cannot be told: then nothing is deleted. */
  readonly readHolds: () => Promise<readonly Hold[]>
  /**
   * The `seq` of the oldest record that somebody beside the log has still to read; undefined where there is none. A file that
   * has this record or later ones is left alone. Rejects where it cannot be told: then nothing is deleted.
   */
  readonly oldestNeeded: () => Promise<number | undefined>
  readonly telemetry: Telemetry
}

/** What a run did to one file, or would do. */
export interface FileReport extends Pick<DeletionPlan, 'records' | 'deleted' | 'rules' | 'held'> {
  readonly file: string
  /** Why nothing is deleted of what is due. */
  readonly kept?: string
  /** Whether that is a fault, and no matter of time. */
  readonly failed?: true
}

export interface RunReport {
  readonly run: string
  /** Those of which something is due. */
  readonly files: readonly FileReport[]
  readonly deleted: number
  /** Due, and kept by a legal hold. */
  readonly held: number
  /** Names of the holds in force. */
  readonly holds: readonly string[]
  readonly failed: boolean
}

interface Planned {
  readonly file: string
  readonly plan: DeletionPlan
  readonly kept?: string
  readonly failed?: true
}

/** Deletes from the full files of one log what its policy does not keep. One run at a time, by whoever holds the log's lock. */
export class LogRetention {
  readonly #options: LogRetentionOptions
  /** When a file that has not changed since has its next record due. */
  readonly #dueAt = new Map<string, { readonly version: string; readonly at: number }>()

  constructor(options: LogRetentionOptions) {
    this.#options = options
  }

  /** What a run would do now. Writes nothing. @throws where holds or readers cannot be told */
  async dryRun(nowMs: number, signal: AbortSignal): Promise<RunReport> {
    const run = await this.#begin('dry run', nowMs, signal)
    const files = await this.#plan(run)
    const { path } = this.#options
    if (await this.#isCurrentDue(nowMs)) {
      const plan = await planFile(path, run)
      if (plan.deleted > 0) files.push({ file: path, plan, kept: 'is written to: a run moves it aside first' })
    }
    return reportOf(run, files)
  }

  /**
   * Deletes what is due, and records that in the log, before and after; where nothing is due, no record. A file that
   * cannot be rewritten is left as it is and told of, and the others go on.
   * @throws where holds or readers cannot be told, or the run cannot be recorded
   */
  async run(by: string, keys: Keys, audit: AuditLog, nowMs: number, signal: AbortSignal): Promise<RunReport> {
    const run = await this.#begin(by, nowMs, signal)
    await removeUnfinished(this.#options.path)
    const isCurrentDue = await this.#isCurrentDue(nowMs)
    let planned = await this.#plan(run)
    if (!isCurrentDue && !planned.some(isDue)) return reportOf(run, planned)
    const started = performance.now()
    const intent: Intent = { seq: undefined }
    const record = (change: Pick<AuditEntry, 'outcome' | 'status' | 'reason'>) =>
      audit.append(
        {
          time: nowMs,
          requestId: run.id,
          subject: by,
          method: 'RUN',
          route: 'audit.retain',
          action: 'audit.retain',
          target: run.id,
          latencyMs: performance.now() - started,
          stream: false,
          guard: [],
          ...change,
        },
        intent,
      )
    // Moves a file aside that is due, too: the log does so with the next record.
    await record({ outcome: 'begun', status: 102 })
    if (isCurrentDue) planned = await this.#plan(run)
    const done: Planned[] = []
    for (const each of planned) done.push(isDue(each) ? await this.#rewrite(each, run, keys) : each)
    const report = reportOf(run, done)
    const reason = `${report.deleted} records deleted, ${report.held} held`
    const faults = done.filter(({ failed }) => failed).map(({ file, kept }) => `${file}: ${kept}`)
    await record(
      report.failed
        ? { outcome: 'failed', status: 500, reason: `${reason}; ${faults.join('; ')}` }
        : { outcome: 'served', status: 200, reason },
    )
    return report
  }

  async #begin(by: string, nowMs: number, signal: AbortSignal): Promise<Run> {
    const holds = await this.#options.readHolds()
    return {
      id: `ret_${crypto.randomUUID()}`,
      by,
      nowMs,
      fateOf: createRetention(this.#options.policy, holds, nowMs),
      holds: inForce(holds, nowMs).map(({ name }) => name),
      signal,
    }
  }

  /** The full files of which something is due, oldest first. */
  async #plan(run: Run): Promise<Planned[]> {
    const { path, oldestNeeded } = this.#options
    const needed = (await oldestNeeded()) ?? Number.POSITIVE_INFINITY
    const planned: Planned[] = []
    for (const file of await rotatedSiblings(path)) {
      const version = await versionOf(file)
      const known = this.#dueAt.get(file)
      if (known?.version === version && known.at > run.nowMs) continue
      const found = await this.#planOne(file, run, needed)
      // A file of which nothing is due now changes only by us, until it is.
      if (found.plan.deleted === 0 && !found.failed) this.#dueAt.set(file, { version, at: found.plan.dueAt })
      if (found.plan.deleted > 0 || Object.keys(found.plan.held).length > 0 || found.failed) planned.push(found)
    }
    return planned
  }

  async #planOne(file: string, run: Run, needed: number): Promise<Planned> {
    try {
      const plan = await planFile(file, run)
      return plan.lastSeq >= needed && plan.deleted > 0
        ? { file, plan, kept: `record ${needed} and those after it are still to be forwarded` }
        : { file, plan }
    } catch (error) {
      run.signal.throwIfAborted()
      return { file, plan: NOTHING, kept: `cannot be read: ${reasonOf(error)}`, failed: true }
    }
  }

  async #rewrite(planned: Planned, run: Run, keys: Keys): Promise<Planned> {
    const { telemetry } = this.#options
    const { file, plan } = planned
    try {
      await rewriteFile(file, plan, run, keys)
      telemetry.count('sallyport_audit_deleted_records_total', undefined, plan.deleted)
      telemetry.log('info', 'audit_deleted', { file, records: plan.deleted, from: plan.from, to: plan.to, run: run.id })
      return planned
    } catch (error) {
      // Stopped: not a fault of the file. What was not done is due again with the next run.
      if (run.signal.aborted) return { ...planned, kept: 'the run was stopped before' }
      const kept = reasonOf(error)
      telemetry.log('error', 'audit_retention_failed', { file, reason: kept })
      return { ...planned, kept, failed: true }
    }
  }

  /** Whether the file that is written has records that are due, and would be moved aside with the next. */
  async #isCurrentDue(nowMs: number): Promise<boolean> {
    const { path, policy, maxAgeMs = Number.POSITIVE_INFINITY } = this.#options
    if ((await statOf(path)) === undefined) return false
    await using handle = await open(path, 'r')
    const first = (await firstTime(handle)) ?? Number.POSITIVE_INFINITY
    return first + Math.max(shortestKeep(policy) ?? Number.POSITIVE_INFINITY, maxAgeMs) < nowMs
  }
}

const NOTHING: DeletionPlan = {
  records: 0,
  deleted: 0,
  rules: {},
  held: {},
  from: 0,
  to: 0,
  digest: '',
  lastSeq: 0,
  dueAt: 0,
}

function isDue({ plan, kept }: Planned): boolean {
  return plan.deleted > 0 && kept === undefined
}

async function versionOf(file: string): Promise<string> {
  const found = await statOf(file)
  return `${found?.ino} ${found?.size} ${found?.mtimeMs}`
}

function reportOf({ id, holds }: Run, planned: readonly Planned[]): RunReport {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  return {
    run: id,
    files: planned.map(({ file, plan: { records, deleted, rules, held }, kept, failed }) => ({
      file,
      records,
      deleted,
      rules,
      held,
      ...(kept !== undefined && { kept }),
      ...(failed && { failed }),
    })),
    deleted: sum(planned.filter(({ kept }) => kept === undefined).map(({ plan }) => plan.deleted)),
    held: sum(planned.flatMap(({ plan }) => Object.values(plan.held))),
    holds,
    failed: planned.some(({ failed }) => failed),
  }
}
