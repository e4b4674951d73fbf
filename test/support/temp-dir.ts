import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onCleanup } from './cleanup.ts'

/** A new, empty folder that is removed with all its contents after the tests. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  onCleanup(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }))
  return path
}
