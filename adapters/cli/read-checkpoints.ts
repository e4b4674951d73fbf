import { type Checkpoint, readCheckpoint, splitNotes } from '../../src/audit/checkpoint.ts'
import { createNoteVerifier } from '../../src/audit/signed-note.ts'
import { readText } from '../node/read-text.ts'
import { CommandFailure, UsageError } from './failure.ts'
import { readKeyFile } from './key-files.ts'

/** One a minute for two years. */
const MAX_CHECKPOINT_BYTES = 512 * 1024 * 1024

export interface CheckpointSource {
  /** A file, or the URL of a Redis. */
  readonly checkpoints: string
  readonly key?: string | undefined
  readonly origin?: string | undefined
}

/**
 * Reads signed checkpoints, oldest first, and proves that the key has signed each.
 * @throws CommandFailure naming the first that it has not
 */
export async function readCheckpoints({ checkpoints, key, origin }: CheckpointSource): Promise<Checkpoint[]> {
  if (key === undefined) throw new UsageError('--checkpoints needs --key, the key that they are signed with')
  const verifier = await createNoteVerifier(await readKeyFile(key))
  if (!verifier.ok) throw new CommandFailure(`${key}: ${verifier.reason}`)
  const notes = await readNotes(checkpoints, origin)
  if (notes.length === 0) throw new CommandFailure(`${checkpoints}: there are no checkpoints in it`)
  const found: Checkpoint[] = []
  for (const [index, note] of notes.entries()) {
    const read = await readCheckpoint(verifier.key, note)
    if (!read.ok) throw new CommandFailure(`${nameOf(checkpoints)}: checkpoint ${index + 1}: ${read.reason}`)
    if (origin === undefined || read.checkpoint.origin === origin) found.push(read.checkpoint)
  }
  if (found.length === 0) throw new CommandFailure(`${nameOf(checkpoints)}: there are no checkpoints of ${origin}`)
  return found
}

async function readNotes(place: string, origin: string | undefined): Promise<string[]> {
  if (/^rediss?[+:]/.test(place)) {
    if (origin === undefined) throw new UsageError('checkpoints in Redis need --origin, the name of the log')
    const { readRedisCheckpoints } = await import('../redis/checkpoint-place.ts')
    try {
      return await readRedisCheckpoints(place, origin)
    } catch (error) {
      throw new CommandFailure(`${nameOf(place)}: ${error instanceof Error ? error.message : 'unknown'}`)
    }
  }
  const file = await readText(place, MAX_CHECKPOINT_BYTES)
  if (!file.ok) throw new CommandFailure(`${place}: ${file.reason}`)
  return splitNotes(file.text)
}

/** Safe to print: a Redis URL may hold a password. */
function nameOf(place: string): string {
  return place.replace(/\/\/[^/]*@/, '//')
}
