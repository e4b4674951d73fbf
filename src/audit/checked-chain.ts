import type { Checkpoint } from './checkpoint.ts'
import type { Verified, Witness } from './verify.ts'

/** A chain held against checkpoints of it. */
export interface CheckpointCheck {
  /** Looks at each record of the chain. */
  readonly witness: Witness
  /** What is wrong at the end, or undefined. */
  ending(verified: Verified): string | undefined
  /** Checkpoints that the chain agrees with. */
  readonly confirmed: number
}

/**
 * Checks a chain against signed checkpoints, in the order in which they were signed: a record that was rewritten has another
 * hash than was signed, and of a log that was cut or replaced by an older copy the end is missing. Undefined where the
 * checkpoints themselves contradict each other: then `fault` says how.
 */
export function checkAgainst(
  checkpoints: readonly Checkpoint[],
): { readonly ok: true; readonly check: CheckpointCheck } | { readonly ok: false; readonly fault: string } {
  const fault = contradiction(checkpoints)
  if (fault !== undefined) return { ok: false, fault }
  let next = 0
  let confirmed = 0
  const check: CheckpointCheck = {
    witness(seq, hash) {
      let checkpoint = checkpoints[next]
      // Of records that are not at hand any more.
      while (checkpoint !== undefined && checkpoint.seq < seq) checkpoint = checkpoints[++next]
      if (checkpoint?.seq !== seq) return undefined
      if (checkpoint.hash !== hash) {
        return `rewritten: the checkpoint of ${checkpoint.time} has another hash for seq ${seq}`
      }
      for (; checkpoints[next]?.seq === seq; next++) confirmed += 1
      return undefined
    },
    ending({ firstSeq, lastSeq = 0 }) {
      const last = checkpoints.at(-1)
      if (last === undefined) return 'there are no checkpoints'
      if (lastSeq < last.seq) {
        return `truncated: the checkpoint of ${last.time} saw seq ${last.seq}, and the log ends at ${lastSeq}`
      }
      return firstSeq !== undefined && confirmed === 0
        ? `no checkpoint is of these records: the last one saw seq ${last.seq}, and they begin at ${firstSeq}`
        : undefined
    },
    get confirmed() {
      return confirmed
    },
  }
  return { ok: true, check }
}

/** Checkpoints of one log are of one origin, and never go back. */
function contradiction(checkpoints: readonly Checkpoint[]): string | undefined {
  for (const [index, checkpoint] of checkpoints.entries()) {
    const before = checkpoints[index - 1]
    if (before === undefined) continue
    const { origin, seq, hash, time } = checkpoint
    if (origin !== before.origin) return `checkpoints of two logs, ${before.origin} and ${origin}: give those of one`
    if (seq < before.seq) {
      return `the log went back: the checkpoint of ${before.time} saw seq ${before.seq}, that of ${time} only ${seq}`
    }
    if (seq === before.seq && hash !== before.hash) {
      return `the log was rewritten: the checkpoints of ${before.time} and ${time} have two hashes for seq ${seq}`
    }
  }
  return undefined
}
