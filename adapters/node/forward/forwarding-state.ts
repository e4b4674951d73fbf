import type { AuditConfig } from '../../../src/config/config.ts'
import type { ForwardKind } from '../../../src/config/forward-config.ts'
import type { Lag } from '../../../src/ports/forward-log.ts'
import { LogFiles } from './log-files.ts'
import { positionPath, readPosition } from './position-file.ts'

/** How far one destination is, as it stands on the disk. */
export interface ForwardingState {
  readonly name: string
  readonly kind: ForwardKind
  /** The last record that it has; undefined: none. */
  readonly seq: number | undefined
  readonly lag: Lag
  /** What is wrong with its position: it is begun anew. */
  readonly fault: string | undefined
}

/** Looks at the positions and the log, beside whichever process sends it. Rejects when the disk fails. */
export async function forwardingState({
  file,
  forward,
}: Pick<AuditConfig, 'file' | 'forward'>): Promise<ForwardingState[]> {
  const states: ForwardingState[] = []
  for (const { name, kind } of forward) {
    const read = await readPosition(positionPath(file, name))
    const position = read.ok ? read.position : undefined
    const log = new LogFiles(file)
    try {
      states.push({
        name,
        kind,
        seq: position?.seq,
        lag: await log.lag(position),
        fault: read.ok ? undefined : read.reason,
      })
    } finally {
      await log.close()
    }
  }
  return states
}
