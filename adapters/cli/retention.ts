import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditLog } from '../../src/audit/log.ts'
import { createNoteVerifiers, type NoteSigner, type NoteVerifier } from '../../src/audit/signed-note.ts'
import type { AuditConfig, CheckpointConfig } from '../../src/config/config.ts'
import type { RetentionConfig } from '../../src/config/retention-schema.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { reasonOf } from '../node/error-code.ts'
import { oldestUnsent } from '../node/forward/oldest-unsent.ts'
import { readHoldFile } from '../node/retention/hold-file.ts'
import { LogRetention } from '../node/retention/log-retention.ts'
import { CommandFailure } from './failure.ts'
import { readKeyFile } from './key-files.ts'

/** The retention of a configured log. */
export function createLogRetention(
  { file, maxAgeMs, forward }: AuditConfig,
  { policy, holds, holdsMustExist }: RetentionConfig,
  telemetry: Telemetry,
): LogRetention {
  return new LogRetention({
    path: file,
    policy,
    maxAgeMs,
    readHolds: () => readHoldFile(holds, holdsMustExist),
    oldestNeeded: () => oldestUnsent({ file, forward }),
    telemetry,
  })
}

/** The keys that what was deleted may be signed with: the present one and earlier ones. @throws CommandFailure */
export async function statementKeys(paths: readonly string[]): Promise<NoteVerifier[]> {
  const found: NoteVerifier[] = []
  for (const path of paths) {
    const created = await createNoteVerifiers(await readKeyFile(path))
    if (!created.ok) throw new CommandFailure(`${path}: ${created.reason}`)
    found.push(...created.key)
  }
  return found
}

export function keyFilesOf({ key, previousKeys }: CheckpointConfig): readonly string[] {
  return [key, ...previousKeys]
}

/** Deletes what is due, soon after the start and then at intervals. Returns what stops that; undefined where nothing is asked for. */
export async function startRetention(
  config: AuditConfig,
  audit: AuditLog,
  signer: NoteSigner | undefined,
  { clock, telemetry }: { readonly clock: Clock; readonly telemetry: Telemetry },
): Promise<{ close(): Promise<void> } | undefined> {
  const { retention, checkpoint } = config
  if (retention === undefined || checkpoint === undefined || signer === undefined) return undefined
  const keys = { signer, verifiers: await statementKeys(keyFilesOf(checkpoint)) }
  const log = createLogRetention(config, retention, telemetry)
  const stop = new AbortController()

  async function runAlways(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        const { failed } = await log.run('timer', keys, audit, clock.now(), stop.signal)
        telemetry.count('sallyport_audit_retention_runs_total', { result: failed ? 'failed' : 'done' })
      } catch (error) {
        if (stop.signal.aborted) return
        telemetry.count('sallyport_audit_retention_runs_total', { result: 'failed' })
        telemetry.log('error', 'audit_retention_failed', { reason: reasonOf(error) })
      }
      await sleep(retention?.everyMs, undefined, { signal: stop.signal, ref: false }).catch(() => undefined)
    }
  }
  const running = runAlways()
  return {
    async close() {
      stop.abort()
      await running
    },
  }
}
