import { accessEvidence } from './access-evidence.ts'
import { auditEvidence } from './audit-evidence.ts'
import type { Evaluate } from './evaluate.ts'
import { guardEvidence } from './guard-evidence.ts'
import { networkEvidence } from './network-evidence.ts'
import { weightsEvidence } from './weights-evidence.ts'

/** What each row rests on, in the order of the rows. */
export const EVIDENCE: readonly Evaluate[] = [
  ...weightsEvidence,
  ...networkEvidence,
  ...accessEvidence,
  ...auditEvidence,
  ...guardEvidence,
]
