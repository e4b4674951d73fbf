import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { beforeAll, describe, expect, test } from 'vitest'
import { bundledPackages } from '../../deploy/release/bundled-packages.ts'
import { runProcess } from '../support/process.ts'
import { tempDir } from '../support/temp-dir.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const FILES = ['sallyport.mjs', 'sallyport.mjs.map', 'sbom.cdx.json', 'THIRD-PARTY-LICENSES.txt', 'SHA256SUMS']

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')

async function release(): Promise<string> {
  const folder = tempDir()
  const { code, stderr } = await runProcess(
    process.execPath,
    [join(ROOT, 'deploy/release/main.ts'), '--out', join(folder, 'sallyport.mjs')],
    { cwd: ROOT, deadlineMs: 60_000 },
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return folder
}

describe('what ships', () => {
  let folder: string
  beforeAll(async () => {
    folder = await release()
  }, 60_000)
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')

  test('is made of the same bytes twice', { timeout: 60_000 }, async () => {
    const again = await release()
    for (const name of FILES) expect([name, sha256(join(again, name))]).toEqual([name, sha256(join(folder, name))])
    expect(sha256(join(ROOT, 'dist/sallyport.mjs'))).toBe(sha256(join(folder, 'sallyport.mjs')))
  })

  test('has the checksum of each file', () => {
    const sums = read('SHA256SUMS').trimEnd().split('\n')
    expect(sums).toEqual(
      FILES.filter(name => name !== 'SHA256SUMS').map(name => `${sha256(join(folder, name))}  ${name}`),
    )
  })

  test('has a bill of materials that is valid CycloneDX and names what the bundle says it contains', async () => {
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(read('sbom.cdx.json'))).toBeNull()
    const bill = JSON.parse(read('sbom.cdx.json')) as {
      metadata: { component: { hashes: { content: string }[] } }
      components: { group?: string; name: string; licenses: unknown[]; hashes: unknown[] }[]
    }
    expect(bill.metadata.component.hashes).toMatchObject([{ content: sha256(join(folder, 'sallyport.mjs')) }])
    const named = bill.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`))
    // esbuild heads each file of the bundle with its path.
    const contained = read('sallyport.mjs').matchAll(
      /^\s*(?:\/\/|")(?:\.\.\/)*(?:[\w/.-]*\/)?node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//gm,
    )
    expect(new Set(named)).toEqual(new Set([...contained].map(match => match[1])))
    for (const { licenses, hashes } of bill.components) expect([licenses.length, hashes.length]).toEqual([1, 1])
  })

  test('has the licence of each of them', () => {
    const text = read('THIRD-PARTY-LICENSES.txt')
    for (const words of ['hono 4', 'Copyright (c) 2022 - present, Yusuke Wada', 'jose 6', 'ioredis 6']) {
      expect(text).toContain(words)
    }
  })
})

describe('a package in the bundle', () => {
  function withPackage(manifest: object, files: Record<string, string>, integrity: string | undefined): string {
    const root = tempDir()
    mkdirSync(join(root, 'node_modules/some'), { recursive: true })
    const write = (name: string, text: string) => writeFileSync(join(root, name), text)
    write('node_modules/some/package.json', JSON.stringify({ name: 'some', version: '1.2.3', ...manifest }))
    for (const [name, text] of Object.entries(files)) write(`node_modules/some/${name}`, text)
    const packages = integrity === undefined ? {} : { 'node_modules/some': { integrity } }
    write('package-lock.json', JSON.stringify({ packages }))
    return root
  }
  const license = { LICENSE: 'As you like.' }

  test.each([
    ['may not be passed on', { license: 'GPL-3.0-only' }, license, 'sha512-AA==', 'GPL-3.0-only'],
    ['has no licence', {}, license, 'sha512-AA==', 'none'],
    ['has no text of its licence', { license: 'MIT' }, {}, 'sha512-AA==', 'no text'],
    ['is not in the lockfile', { license: 'MIT' }, license, undefined, 'integrity'],
  ])('that %s ends the build', (_, manifest, files, integrity, message) => {
    const root = withPackage(manifest, files, integrity)
    expect(() => bundledPackages(root, ['node_modules/some/index.js'])).toThrow(message)
  })

  test('is found wherever it is installed, once', () => {
    const root = withPackage({ license: 'MIT' }, license, 'sha512-AA==')
    const paths = ['node_modules/some/a.js', 'node_modules/some/lib/b.js', 'src/gateway.ts']
    expect(bundledPackages(root, paths)).toMatchObject([
      { name: 'some', version: '1.2.3', licenseText: 'As you like.' },
    ])
  })
})
