import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { reasonOf } from '../node/error-code.ts'
import { CommandFailure } from './failure.ts'
import { PUBLIC_MODE, writeKeyFile } from './key-files.ts'

/** Where, beside the configuration, what the checklist reads is kept. */
export const redteamFile = (folder: string) => join(folder, 'checklist', 'redteam-last.json')
export const attestationsFile = (folder: string) => join(folder, 'checklist', 'attestations.json')

/** Writes such a file at once or not at all; makes its folder. */
export async function writeProofFile(path: string, value: unknown): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
  } catch (error) {
    throw new CommandFailure(`${dirname(path)} cannot be made: ${reasonOf(error)}`)
  }
  await writeKeyFile(path, value, PUBLIC_MODE, true)
}
