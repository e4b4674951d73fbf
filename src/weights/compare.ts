import { isExecutable, type WeightFormat } from './formats.ts'
import type { Manifest, SealedFile } from './manifest.ts'

/** A file as it is now. `sha256` is undefined where it was not read, because its size is enough to tell, or on request. */
export interface FoundFile {
  readonly path: string
  readonly size: number
  /** Octal, four digits. */
  readonly mode: string
  readonly format: WeightFormat
  readonly sha256?: string
}

export type ProblemKind = 'changed' | 'missing' | 'added' | 'mode' | 'world-writable' | 'executable' | 'unreadable'

/** What is wrong with a path; `detail` is one phrase in English. */
export interface WeightProblem {
  readonly path: string
  readonly kind: ProblemKind
  readonly detail: string
}

/** What differs between a folder and its manifest. A pickle that was sealed as one was accepted by whoever sealed it. */
export function compareWeights({ files }: Manifest, found: readonly FoundFile[]): WeightProblem[] {
  const sealed = new Map(files.map(file => [file.path, file]))
  const problems: WeightProblem[] = []
  for (const file of found) {
    const before = sealed.get(file.path)
    sealed.delete(file.path)
    if (before) problems.push(...differences(before, file))
    else problems.push({ path: file.path, kind: 'added', detail: 'is not in the manifest' })
    if (isExecutable(file.format) && before?.format !== file.format) problems.push(executable(file))
    if (isWorldWritable(file.mode)) problems.push(worldWritable(file.path, file.mode))
  }
  for (const path of sealed.keys()) problems.push({ path, kind: 'missing', detail: 'is in the manifest and not there' })
  return problems
}

/** What has to be put right before a folder is worth a seal. */
export function sealProblems(found: readonly FoundFile[], allowPickle: boolean): WeightProblem[] {
  return found.flatMap(file => [
    ...(isExecutable(file.format) && !allowPickle ? [executable(file)] : []),
    ...(isWorldWritable(file.mode) ? [worldWritable(file.path, file.mode)] : []),
  ])
}

export function isWorldWritable(mode: string): boolean {
  return (Number.parseInt(mode, 8) & 0o002) !== 0
}

export function worldWritable(path: string, mode: string): WeightProblem {
  return { path, kind: 'world-writable', detail: `everybody may change it (mode ${mode})` }
}

function executable({ path, format }: FoundFile): WeightProblem {
  const what = format === 'pickle' ? 'a pickle' : 'a ZIP with a pickle in it (torch.save)'
  return { path, kind: 'executable', detail: `is ${what}: it may run any code when it is loaded` }
}

function differences(before: SealedFile, now: FoundFile): WeightProblem[] {
  const { path } = now
  const problems: WeightProblem[] = []
  if (before.size !== now.size) {
    problems.push({ path, kind: 'changed', detail: `has ${now.size} bytes, sealed with ${before.size}` })
  } else if (now.sha256 !== undefined && now.sha256 !== before.sha256) {
    problems.push({ path, kind: 'changed', detail: 'has other content than when it was sealed (SHA-256 differs)' })
  }
  if (before.mode !== now.mode)
    problems.push({ path, kind: 'mode', detail: `has mode ${now.mode}, sealed with ${before.mode}` })
  return problems
}
