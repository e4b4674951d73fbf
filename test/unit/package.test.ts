import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { runProcess } from '../support/process.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** Half as much again as it is. What grows past this brought a library along that nobody wanted. */
const MAX_PACKAGE_BYTES = 2 * 1024 * 1024
const MAX_BUNDLE_BYTES = 6 * 1024 * 1024

/** Folders of the machine that built it, and hosts that packages were fetched from; Ollama's registry is part of the program. */
const BUILD_PLACES =
  /(?<![\w./])\/(?:work|home|root|Users|tmp|private|builds?)\/\w|registry\.(?!ollama\.ai\b)[a-z\d-]+\.[a-z]|\/artifactory\//

interface Packed {
  readonly size: number
  readonly files: readonly { readonly path: string; readonly size: number; readonly mode: number }[]
}

async function packed(): Promise<Packed> {
  const { code, stdout, stderr } = await runProcess('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    deadlineMs: 60_000,
  })
  if (code !== 0) throw new Error(stderr)
  // npm 11 gives an array, npm 12 an object by name.
  const [result] = Object.values(JSON.parse(stdout) as Record<string, Packed>)
  if (!result) throw new Error('npm pack named no package')
  return result
}

test('the package holds what is to ship, and nothing else', { timeout: 60_000 }, async () => {
  const { files, size } = await packed()
  expect(files.map(({ path }) => path).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'dist/SHA256SUMS',
    'dist/THIRD-PARTY-LICENSES.txt',
    'dist/sallyport.mjs',
    'dist/sallyport.mjs.map',
    'dist/sbom.cdx.json',
    'package.json',
  ])
  expect(files.find(({ path }) => path === 'dist/sallyport.mjs')?.mode).toBe(0o755)
  expect(size).toBeLessThan(MAX_PACKAGE_BYTES)
})

test('the bundle stands alone, stays small and tells nothing of where it was built', () => {
  const bundle = read('dist/sallyport.mjs')
  expect(bundle.length).toBeLessThan(MAX_BUNDLE_BYTES)
  expect(bundle.startsWith('#!/usr/bin/env node\n')).toBe(true)
  const imported = [...bundle.matchAll(/^import .*? from ["']([^"']+)["']/gm)].map(match => match[1] ?? '')
  expect(imported.length).toBeGreaterThan(0)
  expect(imported.filter(name => !name.startsWith('node:') && name !== 'bun')).toEqual([])
  // Asked for one that is not there, Bun downloads it.
  const required = [...bundle.matchAll(/\b_*require\(["']([^"']+)["']\)/g)].map(match => match[1] ?? '')
  expect(required.length).toBeGreaterThan(0)
  expect(required.filter(name => !isBuiltin(name))).toEqual([])
  // One character beyond ASCII doubles what the text takes in memory.
  expect(bundle.match(/[^\0-\x7f]/)?.[0]).toBeUndefined()
  expect(bundle.match(BUILD_PLACES)?.[0]).toBeUndefined()
  const map = JSON.parse(read('dist/sallyport.mjs.map')) as { sources: string[]; sourcesContent?: unknown }
  expect(map.sourcesContent).toBeUndefined()
  expect(map.sources.filter(source => source.startsWith('/') || source.includes('://'))).toEqual([])
})

test('the lockfile locks by integrity and names no place', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { version?: string; resolved?: string; integrity?: string }>
  }
  const installed = Object.entries(packages).filter(([path]) => path !== '')
  expect(installed.length).toBeGreaterThan(50)
  expect(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([])
  expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([])
  expect(read('package-lock.json').match(BUILD_PLACES)?.[0]).toBeUndefined()
})

test('every dependency has an exact version', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const version of Object.values(manifest[kind] ?? {})) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  }
})

test('the example of deploy/ is valid, without warnings, and enforced in full', async () => {
  const loaded = await loadConfig(read('deploy/sallyport.yaml'), {
    env: { PROMPT_HMAC_SECRET: '0123456789abcdef0123456789abcdef0123456789abcdef' },
    readFile: async () => ({ ok: false, reason: 'no file is included' }),
    resolvePath: path => resolve('/etc/sallyport', path),
  })
  expect(loaded).toMatchObject({ ok: true, warnings: [] })
})
