import { filesOfLog } from '../node/audit-lines.ts'
import { locateConfig, readAuditFile } from '../node/config-file.ts'
import { errorCode, reasonOf } from '../node/error-code.ts'
import { faultList, nameOf } from './config-faults.ts'
import { CommandFailure } from './failure.ts'
import { workerLog } from './workers/worker-config.ts'

/** The path of the log that the configuration names. */
export async function locateLog(config: string | undefined): Promise<string> {
  const location = await locateConfig(config, process.env, process.cwd())
  const read = await readAuditFile(location, process.env)
  if (!read.ok) throw new CommandFailure(faultList(nameOf(location), read.faults))
  return read.file
}

/** The files that are named, else those of the configuration's log, oldest first. */
export async function chosenFiles(named: readonly string[], config: string | undefined): Promise<readonly string[]> {
  if (named.length > 0) return named
  const path = await locateLog(config)
  const files = await filesOfLog(path).catch((error: unknown) => {
    throw new CommandFailure(`audit.file: ${path}: ${reasonOf(error)}`)
  })
  if (files.length > 0) return files
  const ofWorker = workerLog(path, 1)
  const hint =
    (await filesOfLog(ofWorker)).length > 0 ? `; each worker has its own: name the files of one, ${ofWorker}` : ''
  throw new CommandFailure(`audit.file: ${path}: there is no log yet${hint}`)
}

/** What is wrong with a file that could not be read. */
export function fileFault(error: unknown): string {
  const path = error instanceof Error && 'path' in error ? String(error.path) : 'a file'
  switch (errorCode(error)) {
    case 'ENOENT':
      return `${path}: no such file`
    case 'EISDIR':
      return `${path}: is a folder; name the files in it`
    case 'EACCES':
      return `${path}: may not be read`
    default:
      return `${path}: ${reasonOf(error)}`
  }
}
