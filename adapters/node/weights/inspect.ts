import { join } from 'node:path'
import type { FoundFile, WeightProblem } from '../../../src/weights/compare.ts'
import type { WeightFormat } from '../../../src/weights/formats.ts'
import { reasonOf } from '../error-code.ts'
import { readFormat } from './file-format.ts'
import { type HashOptions, hashFiles } from './hash-files.ts'
import { type WalkedFile, walkWeights } from './walk.ts'

export interface Inspection {
  /** In the order of their paths. Those that could not be read are among the problems too. */
  readonly files: readonly FoundFile[]
  readonly problems: readonly WeightProblem[]
  /** Of all that was to be read. */
  readonly bytes: number
}

export interface InspectOptions extends HashOptions {
  /** The absolute path of the manifest, which is no part of what it is about. */
  readonly manifest: string
  /** Whether a file is read to its end; the others have no `sha256`. */
  readonly needsHash: (file: WalkedFile) => boolean
  /** Called with the bytes that are going to be read. */
  readonly begin?: (bytes: number) => void
}

/** Looks at all files below an absolute path. Rejects where the folder itself cannot be read. */
export async function inspectWeights(folder: string, options: InspectOptions): Promise<Inspection> {
  const walk = await walkWeights(folder, options.manifest)
  const problems = [...walk.problems]
  const unreadable = new Set<string>()
  const formats = new Map<string, WeightFormat>()
  for (const { path } of walk.files) {
    try {
      formats.set(path, await readFormat(join(folder, path)))
    } catch (error) {
      formats.set(path, 'other')
      unreadable.add(path)
      problems.push({ path, kind: 'unreadable', detail: `cannot be read: ${reasonOf(error)}` })
    }
  }
  const toHash = walk.files.filter(file => !unreadable.has(file.path) && options.needsHash(file))
  const bytes = toHash.reduce((sum, { size }) => sum + size, 0)
  options.begin?.(bytes)
  const hashes = new Map<string, string>()
  for (const { path, sha256, problem } of await hashFiles(folder, toHash, options)) {
    if (sha256 !== undefined) hashes.set(path, sha256)
    else problems.push({ path, kind: 'unreadable', detail: problem ?? 'cannot be read' })
  }
  const files = walk.files.map(({ path, size, mode }): FoundFile => {
    const sha256 = hashes.get(path)
    return { path, size, mode, format: formats.get(path) ?? 'other', ...(sha256 !== undefined && { sha256 }) }
  })
  return { files, problems, bytes }
}
