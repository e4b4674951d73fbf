import type { AuditConfig } from '../../../src/config/config.ts'
import { positionPath, readPosition } from './position-file.ts'

/**
 * The `seq` of the oldest record that some destination does not have yet, sent already or to come; undefined where there are
 * no destinations. One whose position is missing or damaged is sent everything. Rejects when the disk fails.
 */
export async function oldestUnsent({
  file,
  forward,
}: Pick<AuditConfig, 'file' | 'forward'>): Promise<number | undefined> {
  let oldest: number | undefined
  for (const { name } of forward) {
    const read = await readPosition(positionPath(file, name))
    const next = read.ok && read.position !== undefined ? read.position.seq + 1 : 1
    oldest = Math.min(oldest ?? next, next)
  }
  return oldest
}
