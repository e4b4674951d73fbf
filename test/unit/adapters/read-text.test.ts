import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readText } from '../../../adapters/node/read-text.ts'
import { readTlsFiles } from '../../../adapters/node/tls/tls-files.ts'
import { tempDir } from '../../support/index.ts'

const within = { timeout: 3000 }

describe('a file that the configuration names', () => {
  const folder = tempDir()
  const path = (name: string) => join(folder, name)
  const pipe = path('pipe')
  execFileSync('mkfifo', [pipe])
  symlinkSync(pipe, path('link-to-pipe'))
  mkdirSync(path('folder'))
  writeFileSync(path('file'), 'Falcon\n')
  symlinkSync(path('file'), path('link'))

  test.each([
    ['pipe', 'it is no regular file'],
    ['link-to-pipe', 'it is no regular file'],
    ['folder', 'it is a folder'],
    ['none', 'there is no such file'],
  ])('is refused at once if it is none: %s', within, async (name, reason) => {
    expect(await readText(path(name), 100)).toEqual({ ok: false, reason })
    await expect(readTlsFiles({ cert: path(name), key: path('file') })).rejects.toThrow(`${path(name)}: ${reason}`)
  })

  test('a device is no file', within, async () => {
    expect(await readText('/dev/zero', 100)).toEqual({ ok: false, reason: 'it is no regular file' })
  })

  test('is read, also through a link', async () => {
    expect(await readText(path('file'), 100)).toEqual({ ok: true, text: 'Falcon\n' })
    expect(await readText(path('link'), 100)).toEqual({ ok: true, text: 'Falcon\n' })
    expect(await readText(path('link'), 3)).toEqual({ ok: false, reason: 'it has more than 3 bytes' })
  })
})
