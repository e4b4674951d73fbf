import type { BigIntStats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isWorldWritable, type WeightProblem, worldWritable } from '../../../src/weights/compare.ts'
import { MAX_WEIGHT_FILES } from '../../../src/weights/manifest.ts'
import { reasonOf } from '../error-code.ts'

const MAX_DEPTH = 32

/** A regular file below a folder. */
export interface WalkedFile {
  /** Relative, with slashes. */
  readonly path: string
  readonly size: number
  readonly mode: string
  /** Another one: the file was changed or replaced, its mode too. */
  readonly fingerprint: string
}

export interface Walk {
  /** In the order of their paths. */
  readonly files: readonly WalkedFile[]
  /** What is no regular file, cannot be read or has no plain name, and folders that everybody may write to. */
  readonly problems: readonly WeightProblem[]
}

/**
 * All that is below a folder, hidden files too. Links are not followed: what they lead to may change without a trace here.
 * Rejects where the folder itself cannot be read.
 * @param except the absolute path of one file that is left out
 */
export async function walkWeights(folder: string, except: string): Promise<Walk> {
  const files: WalkedFile[] = []
  const problems: WeightProblem[] = []

  const problem = (path: string, detail: string) => problems.push({ path, kind: 'unreadable', detail })

  async function visit(relative: string, depth: number): Promise<void> {
    const names = (await readdir(join(folder, relative), { encoding: 'buffer' })).sort(Buffer.compare)
    for (const raw of names) {
      const name = plainName(raw)
      const path = relative === '' ? (name ?? '') : `${relative}/${name ?? ''}`
      if (name === undefined) {
        problem(
          `${relative}/${JSON.stringify(raw.toString('latin1')).slice(1, -1)}`,
          'has a name that is no plain UTF-8 text',
        )
        continue
      }
      const full = join(folder, path)
      if (full === except) continue
      try {
        await entry(path, full, depth)
      } catch (error) {
        problem(path, `cannot be read: ${reasonOf(error)}`)
      }
    }
  }

  async function entry(path: string, full: string, depth: number): Promise<void> {
    const stat = await lstat(full, { bigint: true })
    if (stat.isDirectory()) {
      if (depth === MAX_DEPTH) return void problem(path, `lies more than ${MAX_DEPTH} folders deep`)
      checkFolder(path, stat)
      return visit(path, depth + 1)
    }
    if (stat.isSymbolicLink()) return void problem(path, 'is a symbolic link: put the file itself in its place')
    if (!stat.isFile()) return void problem(path, 'is no regular file (a pipe, socket or device)')
    if (files.length === MAX_WEIGHT_FILES) throw new Error(`more than ${MAX_WEIGHT_FILES} files`)
    files.push({ path, size: Number(stat.size), mode: modeOf(stat), fingerprint: fingerprintOf(stat) })
  }

  function checkFolder(path: string, stat: BigIntStats): void {
    if (isWorldWritable(modeOf(stat))) problems.push(worldWritable(path, modeOf(stat)))
  }

  const top = await lstat(folder, { bigint: true })
  if (!top.isDirectory()) throw Object.assign(new Error('is no folder'), { code: 'ENOTDIR' })
  checkFolder('.', top)
  await visit('', 0)
  return { files, problems }
}

/** Without what could fool a terminal or a reader of the manifest. */
function plainName(raw: Buffer): string | undefined {
  try {
    const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw)
    return /\p{Cc}/u.test(name) ? undefined : name
  } catch {
    return undefined
  }
}

function modeOf({ mode }: BigIntStats): string {
  return (mode & 0o7777n).toString(8).padStart(4, '0')
}

function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}
