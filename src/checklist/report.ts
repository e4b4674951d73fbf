import { type Attestation, attestationOf, isOver } from './attestations.ts'
import { EVIDENCE } from './evidence.ts'
import type { Facts } from './facts.ts'
import { ROWS, type Row } from './rows.ts'

export type Status = 'pass' | 'fail' | 'attested' | 'attest-needed' | 'expired'

export interface CheckedRow extends Omit<Row, 'attest'> {
  readonly status: Status
  /** What was seen, in a sentence or two. */
  readonly evidence: string
}

export interface Checklist {
  /** ISO 8601. */
  readonly time: string
  readonly rows: readonly CheckedRow[]
  /** Whether every critical row passes or is attested. */
  readonly ok: boolean
}

/** All rows. What was measured goes before what was attested: nobody can vouch for what is seen to be wrong. */
export function checklistOf(facts: Facts, attestations: readonly Attestation[]): Checklist {
  const rows = ROWS.map((row): CheckedRow => {
    const { attest: _, ...rest } = row
    return { ...rest, ...check(row, facts, attestations) }
  })
  const ok = rows.every(({ priority, status }) => priority !== 'critical' || status === 'pass' || status === 'attested')
  return { time: new Date(facts.nowMs).toISOString(), rows, ok }
}

function check(row: Row, facts: Facts, attestations: readonly Attestation[]): Pick<CheckedRow, 'status' | 'evidence'> {
  const { met, wrong = false, evidence } = EVIDENCE[row.number - 1]?.(facts) ?? { met: false, evidence: '' }
  if (met) return { status: 'pass', evidence }
  if (wrong || row.attest === 'never') return { status: 'fail', evidence }
  const attestation = attestationOf(row.number, attestations)
  if (attestation === undefined) return { status: row.attest === 'only' ? 'attest-needed' : 'fail', evidence }
  const { by, date, until, note } = attestation
  const said = `${by} on ${date}, until ${until}${note === undefined ? '' : `: ${note}`}`
  return isOver(until, facts.nowMs)
    ? { status: 'expired', evidence: `${evidence}. Was attested by ${said}` }
    : { status: 'attested', evidence: `${evidence}. Attested by ${said}` }
}
