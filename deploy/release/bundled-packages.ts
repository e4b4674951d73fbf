import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A package of which some file is in the bundle. */
export interface BundledPackage {
  readonly name: string
  readonly version: string
  /** An SPDX expression, as its manifest has it. */
  readonly license: string
  /** The licence and notices it comes with, whole. */
  readonly licenseText: string
  /** Of the archive it was installed from, as in the lockfile: `sha512-` and base64. */
  readonly integrity: string
  readonly homepage: string | undefined
}

/** What may be in a program that a company runs and passes on without asking anybody. */
const PERMISSIVE = new Set(['Apache-2.0', 'MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'])
const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i

/**
 * The packages behind the files of a bundle, by name.
 *
 * @param inputs paths, relative to `root`
 * @throws if one has no licence that may be passed on, no text of it, or is not in the lockfile
 */
export function bundledPackages(root: string, inputs: readonly string[]): BundledPackage[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string }>
  }
  const folders = new Set(inputs.flatMap(path => folderOf(path) ?? []))
  return [...folders].sort().map(folder => {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
      name: string
      version: string
      license?: string
      homepage?: string
    }
    const { name, version, license = '' } = manifest
    if (!PERMISSIVE.has(license))
      throw new Error(`${folder}: its licence, ${license || 'none'}, is not one that may ship`)
    const integrity = packages[folder]?.integrity
    if (integrity === undefined) throw new Error(`${folder}: the lockfile has no integrity for it`)
    return {
      name,
      version,
      license,
      integrity,
      homepage: manifest.homepage,
      licenseText: licenseText(join(root, folder)),
    }
  })
}

/** `node_modules/a/node_modules/@b/c/d.js` is of `node_modules/a/node_modules/@b/c`. */
function folderOf(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]
}

function licenseText(folder: string): string {
  const files = existsSync(folder) ? readdirSync(folder).filter(name => LICENSE_FILE.test(name)) : []
  if (files.length === 0) throw new Error(`${folder}: no text of its licence`)
  return files
    .sort()
    .map(name => readFileSync(join(folder, name), 'utf8').trim())
    .join('\n\n')
}
