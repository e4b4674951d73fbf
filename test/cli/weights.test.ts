import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { run } from '../support/cli.ts'
import { sallyport } from '../support/gateway.ts'
import { runProcess } from '../support/process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { safetensors, zipOf } from '../support/zip.ts'

vi.setConfig({ testTimeout: 60_000 })

const PICKLE = Buffer.from('\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94.', 'latin1')

/** A folder with keys, and a model that is sealed. */
let prepared: string
beforeAll(async () => {
  prepared = tempDir()
  mkdirSync(join(prepared, 'model/parts'), { recursive: true })
  const at = (name: string) => join(prepared, 'model', name)
  writeFileSync(at('config.json'), '{}')
  writeFileSync(at('parts/1.safetensors'), safetensors(64, Buffer.alloc(3_000_000, 7)))
  writeFileSync(at('parts/2.gguf'), Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(1_000_000, 9)]))
  writeFileSync(at('.hidden'), 'x')
  for (const name of ['config.json', 'parts/1.safetensors', 'parts/2.gguf', '.hidden']) chmodSync(at(name), 0o644)
  for (const name of ['', 'parts']) chmodSync(at(name), 0o755)
  await run(prepared, ['keys', 'init'])
  expect(await run(prepared, ['weights', 'seal', 'model'])).toMatchObject({ code: 0, stderr: '' })
})

function workplace(): string {
  const dir = tempDir()
  cpSync(prepared, dir, { recursive: true, preserveTimestamps: true })
  return dir
}

test('the manifest has the SHA-256, size, mode and format of every file, hidden ones too', () => {
  const { manifest } = JSON.parse(readFileSync(join(prepared, 'model/sallyport-weights.json'), 'utf8'))
  const of = (path: string) =>
    createHash('sha256')
      .update(readFileSync(join(prepared, 'model', path)))
      .digest('hex')
  expect(manifest.files).toEqual([
    { path: '.hidden', size: 1, mode: '0644', sha256: of('.hidden'), format: 'other' },
    { path: 'config.json', size: 2, mode: '0644', sha256: of('config.json'), format: 'other' },
    {
      path: 'parts/1.safetensors',
      size: 3_000_072,
      mode: '0644',
      sha256: of('parts/1.safetensors'),
      format: 'safetensors',
    },
    { path: 'parts/2.gguf', size: 1_000_004, mode: '0644', sha256: of('parts/2.gguf'), format: 'gguf' },
  ])
})

test.each(['node', 'bun'] as const)('the bundle verifies on %s', async runtime => {
  const done = await sallyport(['weights', 'verify', 'model'], { cwd: prepared, runtime })
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('ok: 4 files, 4.00 MB') })
})

test('the manifest may lie elsewhere, and the public part of the key is enough', async () => {
  const dir = workplace()
  renameSync(join(dir, 'model/sallyport-weights.json'), join(dir, 'sealed.json'))
  const { d, ...key } = JSON.parse(readFileSync(join(dir, 'keys/audit-signing.jwk.json'), 'utf8'))
  expect(d).toBeTypeOf('string')
  writeFileSync(join(dir, 'public.json'), JSON.stringify({ keys: [key] }))
  rmSync(join(dir, 'keys'), { recursive: true })
  const args = ['weights', 'verify', 'model', '--manifest', 'sealed.json', '--key', 'public.json']
  expect(await run(dir, args)).toMatchObject({ code: 0 })
})

describe('verify fails, and names the file and what is wrong with it:', () => {
  const model = (dir: string, name: string) => join(dir, 'model', name)
  test.each<[string, (dir: string) => void, string]>([
    [
      'one byte of a large file',
      dir => {
        const path = model(dir, 'parts/1.safetensors')
        const bytes = readFileSync(path)
        bytes[2_500_000] = 8
        writeFileSync(path, bytes)
      },
      'changed: parts/1.safetensors has other content',
    ],
    ['a shorter file', dir => truncateSync(model(dir, 'parts/2.gguf'), 10), 'changed: parts/2.gguf has 10 bytes'],
    ['a file that is gone', dir => rmSync(model(dir, 'config.json')), 'missing: config.json'],
    ['a file that is new', dir => writeFileSync(model(dir, 'parts/new.py'), ''), 'added: parts/new.py'],
    [
      'a file under another name',
      dir => renameSync(model(dir, 'config.json'), model(dir, 'Config.json')),
      'added: Config.json',
    ],
    ['a mode', dir => chmodSync(model(dir, 'config.json'), 0o600), 'mode: config.json has mode 0600'],
    ['a file for all', dir => chmodSync(model(dir, 'config.json'), 0o666), 'world-writable: config.json'],
    ['a folder for all', dir => chmodSync(model(dir, 'parts'), 0o777), 'world-writable: parts'],
    ['the folder itself for all', dir => chmodSync(model(dir, ''), 0o777), 'world-writable: .'],
    [
      'a link to the same content',
      dir => {
        copyFileSync(model(dir, 'config.json'), join(dir, 'copy.json'))
        rmSync(model(dir, 'config.json'))
        symlinkSync('../copy.json', model(dir, 'config.json'))
      },
      'unreadable: config.json is a symbolic link',
    ],
    [
      'a folder that is a link',
      dir => {
        renameSync(model(dir, 'parts'), join(dir, 'parts'))
        symlinkSync('../parts', model(dir, 'parts'))
      },
      'unreadable: parts is a symbolic link',
    ],
    ['a pickle', dir => writeFileSync(model(dir, 'more.bin'), PICKLE), 'executable: more.bin is a pickle'],
    [
      'a pickle in a ZIP',
      dir => writeFileSync(model(dir, 'more.pt'), zipOf(['archive/data.pkl', 'archive/data/0'])),
      'executable: more.pt is a ZIP with a pickle',
    ],
    [
      'such a ZIP with something in front, under a harmless name',
      dir => writeFileSync(model(dir, 'more.dat'), zipOf(['x/data.pkl'], Buffer.alloc(200_000, 1))),
      'executable: more.dat is a ZIP with a pickle',
    ],
    [
      'an edited manifest',
      dir => {
        const path = model(dir, 'sallyport-weights.json')
        writeFileSync(path, readFileSync(path, 'utf8').replace('"size":2}', '"size":3}'))
      },
      'sallyport-weights.json has a wrong signature',
    ],
    ['no manifest', dir => rmSync(model(dir, 'sallyport-weights.json')), 'there is no such file'],
    ['a name with a line end', dir => writeFileSync(model(dir, 'a\nb'), ''), 'has a name that is no plain UTF-8 text'],
  ])('%s', async (_, tamper, message) => {
    const dir = workplace()
    tamper(dir)
    const { code, stdout, stderr } = await run(dir, ['weights', 'verify', 'model'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
  })

  test('a pipe, which is not waited for', async () => {
    const dir = workplace()
    await runProcess('mkfifo', [model(dir, 'pipe')])
    const { code, stderr } = await run(dir, ['weights', 'verify', 'model'])
    expect(code).toBe(1)
    expect(stderr).toContain('unreadable: pipe is no regular file')
  })

  test('all at once, as JSON', async () => {
    const dir = workplace()
    appendFileSync(model(dir, 'config.json'), ' ')
    writeFileSync(model(dir, 'x.bin'), PICKLE)
    const { code, stdout } = await run(dir, ['weights', 'verify', 'model', '--json'])
    expect(code).toBe(1)
    const { ok, problems } = JSON.parse(stdout)
    expect(ok).toBe(false)
    expect(problems.map(({ kind, path }: Record<string, string>) => `${kind} ${path}`)).toEqual([
      'changed config.json',
      'added x.bin',
      'executable x.bin',
    ])
  })
})

describe('seal', () => {
  test('takes a pickle only when told to, and the manifest then vouches for it', async () => {
    const dir = workplace()
    writeFileSync(join(dir, 'model/x.bin'), PICKLE)
    const refused = await run(dir, ['weights', 'seal', 'model'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('executable: x.bin is a pickle')
    expect((await run(dir, ['weights', 'seal', 'model', '--allow-pickle'])).code).toBe(0)
    const verified = await run(dir, ['weights', 'verify', 'model'])
    expect(verified.code).toBe(0)
    expect(verified.stderr).toContain('warning: x.bin is a pickle')
  })

  test('seals nothing that others may change, and leaves the old manifest as it is', async () => {
    const dir = workplace()
    const before = readFileSync(join(dir, 'model/sallyport-weights.json'), 'utf8')
    chmodSync(join(dir, 'model/config.json'), 0o646)
    expect(await run(dir, ['weights', 'seal', 'model'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('world-writable: config.json'),
    })
    expect(readFileSync(join(dir, 'model/sallyport-weights.json'), 'utf8')).toBe(before)
  })

  test.each([
    [['seal', 'nowhere'], 1, 'nowhere: there is no such folder'],
    [['seal', 'sallyport.txt'], 1, 'sallyport.txt: is no folder'],
    [['seal', 'empty'], 1, 'there are no files in it'],
    [['seal', 'model', '--key', 'keys/public.jwks.json'], 1, 'is no private Ed25519 key'],
    [['seal', 'model', '--workers', '0'], 2, 'from 1 to 32'],
    [['seal'], 2, "missing required argument 'dir'"],
  ])('%j', async (args, code, message) => {
    const dir = workplace()
    writeFileSync(join(dir, 'sallyport.txt'), '')
    mkdirSync(join(dir, 'empty'), { mode: 0o755 })
    const done = await run(dir, ['weights', ...args])
    expect(done.code).toBe(code)
    expect(done.stderr).toContain(message)
  })
})
