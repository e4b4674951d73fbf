// Makes what ships: the bundle, what it is made of, under which licences, and the checksums of all that.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { BUNDLE, bundle } from '../build.mjs'
import { bundledPackages } from './bundled-packages.ts'
import { licences } from './licences.ts'
import { sbom } from './sbom.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const { values } = parseArgs({ options: { out: { type: 'string', default: join(ROOT, BUNDLE) } } })
const folder = dirname(values.out)

const sha256 = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex')

const { outputs } = await bundle(values.out)
// Of some packages that are read, nothing is needed.
const contained = Object.values(outputs).flatMap(({ inputs }) =>
  Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? path : [])),
)
const packages = bundledPackages(ROOT, contained)
const program = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Parameters<typeof sbom>[0]
const files = [values.out, `${values.out}.map`, join(folder, 'sbom.cdx.json'), join(folder, 'THIRD-PARTY-LICENSES.txt')]
await writeFile(join(folder, 'sbom.cdx.json'), sbom(program, await sha256(values.out), packages))
await writeFile(join(folder, 'THIRD-PARTY-LICENSES.txt'), licences(packages))
const sums = await Promise.all(files.map(async file => `${await sha256(file)}  ${basename(file)}\n`))
await writeFile(join(folder, 'SHA256SUMS'), sums.join(''))
console.log(`${folder}: the bundle, its bill of materials (${packages.length} packages), their licences and SHA256SUMS`)
