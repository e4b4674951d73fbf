import { hostname } from 'node:os'
import { basename } from 'node:path'
import { Checkpointer } from '../../src/audit/checkpointer.ts'
import type { AuditLog } from '../../src/audit/log.ts'
import { createNoteSigner, type NoteSigner } from '../../src/audit/signed-note.ts'
import type { AuditConfig, CheckpointConfig } from '../../src/config/config.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { openCheckpointPlace } from '../node/checkpoint-places.ts'
import { CommandFailure } from './failure.ts'
import { isOpenToOthers, readKeyFile } from './key-files.ts'

/** Signs checkpoints of a log as the configuration says, and returns what ends that; undefined where it asks for none. */
export async function startCheckpoints(
  { checkpoint, file }: AuditConfig,
  audit: AuditLog,
  signer: NoteSigner | undefined,
  { clock, telemetry }: { readonly clock: Clock; readonly telemetry: Telemetry },
): Promise<Checkpointer | undefined> {
  if (checkpoint === undefined || signer === undefined) return undefined
  const origin = originOf(file, checkpoint.origin)
  const places = await Promise.all(checkpoint.to.map(place => openCheckpointPlace(place, origin)))
  const { everyMs } = checkpoint
  const checkpointer = new Checkpointer({ head: () => audit.head, signer, places, everyMs, clock, telemetry })
  checkpointer.start()
  return checkpointer
}

/**
 * The key of the configuration.
 * @throws CommandFailure naming the file, where it is no such key or others may read it
 */
export async function checkpointSigner(checkpoint: CheckpointConfig, log: string): Promise<NoteSigner> {
  const { key, origin } = checkpoint
  const signer = await readSigner(key, originOf(log, origin))
  if (await isOpenToOthers(key)) {
    throw new CommandFailure(`audit.checkpoint.key: ${key}: is open to others; chmod 600 closes it`)
  }
  return signer
}

/** Reads a private key that signs under a name. */
export async function readSigner(path: string, origin: string): Promise<NoteSigner> {
  const created = await createNoteSigner(await readKeyFile(path), origin)
  if (!created.ok) throw new CommandFailure(`${path}: ${created.reason}`)
  return created.key
}

/** Names a log where its configuration does not: no two instances have the same host and file. */
export function originOf(file: string, configured: string | undefined): string {
  return configured ?? `sallyport/${hostname()}/${basename(file)}`.replaceAll(/[\s+]/g, '_')
}
