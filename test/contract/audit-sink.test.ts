import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAuditFile } from '../../adapters/node/audit-file.ts'
import { auditSinkContract, type SinkUnderTest } from './audit-sink.ts'

/** The folder is moved away and back: the bytes that were acknowledged stay those of the same file. */
async function fileWhoseFolderGoes(): Promise<SinkUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'sallyport-sink-'))
  const folder = join(root, 'audit')
  const path = join(folder, 'audit.jsonl')
  return {
    open: () => openAuditFile({ path }),
    lines: async () => (await readFile(path, 'utf8')).split('\n').slice(0, -1),
    breakIt: () => rename(folder, `${folder}.away`),
    mend: () => rename(`${folder}.away`, folder),
    cleanUp: () => rm(root, { recursive: true, force: true }),
  }
}

/** The folder is deleted and made again, empty. */
async function fileWhoseFolderIsDeleted(): Promise<SinkUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'sallyport-sink-'))
  const folder = join(root, 'audit')
  const path = join(folder, 'audit.jsonl')
  return {
    open: () => openAuditFile({ path }),
    lines: async () => (await readFile(path, 'utf8')).split('\n').slice(0, -1),
    breakIt: () => rm(folder, { recursive: true }),
    mend: async () => void (await mkdir(folder)),
    cleanUp: () => rm(root, { recursive: true, force: true }),
  }
}

auditSinkContract('a file whose folder is moved away', fileWhoseFolderGoes)
auditSinkContract('a file whose folder is deleted', fileWhoseFolderIsDeleted)
