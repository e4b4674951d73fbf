import { accessEvidence } from './access-evidence.ts'
import { auditEvidence } from './audit-evidence.ts'
import type { Facts } from './facts.ts'
import { guardEvidence } from './guard-evidence.ts'
import { networkEvidence } from './network-evidence.ts'
import { weightsEvidence } from './weights-evidence.ts'

export interface Evidence {
  readonly met: boolean
  /** Seen to be bad, and not only absent: no attestation helps. */
  readonly wrong?: boolean
  readonly evidence: string
}

export type Evaluate = (facts: Facts) => Evidence

/** What each row rests on, in the order of the rows. */
export const EVIDENCE: readonly Evaluate[] = [
  ...weightsEvidence,
  ...networkEvidence,
  ...accessEvidence,
  ...auditEvidence,
  ...guardEvidence,
]
