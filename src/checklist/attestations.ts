import * as v from 'valibot'
import { ROWS } from './rows.ts'

/** An attestation that never lapses is none. */
export const MAX_ATTESTATION_DAYS = 366
const day = v.pipe(v.string(), v.isoDate('should be a day such as 2027-03-31'))
const words = (max: number) =>
  v.pipe(v.string(), v.minLength(1), v.maxLength(max), v.regex(/^[^\p{Cc}]*$/u, 'should be on one line'))

const ATTESTATION = v.strictObject({
  row: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(ROWS.length)),
  by: words(128),
  date: day,
  /** The last day on which it counts (UTC). */
  until: day,
  note: v.exactOptional(words(500)),
})
const FILE = v.strictObject({ attestations: v.pipe(v.array(ATTESTATION), v.maxLength(10_000)) })

/** That a person vouches for a row. */
export type Attestation = v.InferOutput<typeof ATTESTATION>

export type AttestationsRead =
  | { readonly ok: true; readonly attestations: readonly Attestation[] }
  | { readonly ok: false; readonly reason: string }

export function parseAttestations(text: string): AttestationsRead {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), FILE), text)
  if (parsed.success) return { ok: true, attestations: parsed.output.attestations }
  const [issue] = parsed.issues
  return { ok: false, reason: `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}` }
}

/** Why an attestation cannot be made, or undefined. Days are UTC. */
export function attestationFault(attestation: Attestation, nowMs: number): string | undefined {
  const { row, until } = attestation
  const parsed = v.safeParse(ATTESTATION, attestation)
  if (!parsed.success) return `${v.getDotPath(parsed.issues[0])}: ${parsed.issues[0].message}`
  const found = ROWS[row - 1]
  if (found?.attest === 'never') return `row ${row} (${found.item}) is measured, and cannot be attested`
  if (isOver(until, nowMs)) return 'until: is over already'
  if (Date.parse(until) > nowMs + MAX_ATTESTATION_DAYS * 86_400_000) {
    return `until: is more than ${MAX_ATTESTATION_DAYS} days away: an attestation has to be renewed`
  }
  return undefined
}

export function isOver(until: string, nowMs: number): boolean {
  return Date.parse(until) + 86_400_000 <= nowMs
}

/** The one that counts for a row: the last in the file. Earlier ones stay as its history. */
export function attestationOf(row: number, attestations: readonly Attestation[]): Attestation | undefined {
  return attestations.findLast(attestation => attestation.row === row)
}
