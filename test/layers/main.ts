// Run by `npm run check`: fails when a file depends on what its layer must not know.
import { glob, readFile } from 'node:fs/promises'
import { violations } from './layers.ts'

const files = new Map<string, string>()
for await (const path of glob('{src,adapters}/**/*.ts')) files.set(path, await readFile(path, 'utf8'))

const found = await violations(files)
for (const line of found) console.error(line)
console.log(`layers: ${files.size} files, ${found.length} breaches`)
process.exitCode = found.length > 0 ? 1 : 0
