import { type Attestation, parseAttestations } from '../../../src/checklist/attestations.ts'
import { statOf } from '../../node/durable-file.ts'
import { readText } from '../../node/read-text.ts'
import { CommandFailure } from '../failure.ts'

const MAX_ATTESTATIONS_BYTES = 8 * 1024 * 1024

/** None where there is no file. @throws CommandFailure where there is one that cannot be used: it may hold what counts */
export async function readAttestations(path: string): Promise<readonly Attestation[]> {
  if ((await statOf(path)) === undefined) return []
  const file = await readText(path, MAX_ATTESTATIONS_BYTES)
  if (!file.ok) throw new CommandFailure(`${path} cannot be read: ${file.reason}`)
  const read = parseAttestations(file.text)
  if (!read.ok) throw new CommandFailure(`${path}: ${read.reason}`)
  return read.attestations
}
