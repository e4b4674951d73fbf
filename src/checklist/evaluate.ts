import type { Facts } from './facts.ts'

export interface Evidence {
  readonly met: boolean
  /** Seen to be bad, and not only absent: no attestation helps. */
  readonly wrong?: boolean
  readonly evidence: string
}

export type Evaluate = (facts: Facts) => Evidence
