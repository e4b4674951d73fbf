import { type Hold, parseHolds } from '../../../src/audit/holds.ts'
import { statOf } from '../durable-file.ts'
import { readText } from '../read-text.ts'

const MAX_HOLDS_BYTES = 16 * 1024 * 1024

/**
 * Reads the legal holds. None where there is no file, unless there `mustExist` one.
 * @throws an Error that names the file and is safe to print: what is held cannot be told
 */
export async function readHoldFile(path: string, mustExist: boolean): Promise<readonly Hold[]> {
  if (!mustExist && (await statOf(path)) === undefined) return []
  const file = await readText(path, MAX_HOLDS_BYTES)
  if (!file.ok) throw new Error(`${path} cannot be read: ${file.reason}`)
  const read = parseHolds(file.text)
  if (!read.ok) throw new Error(`${path}: ${read.reason}`)
  return read.holds
}
