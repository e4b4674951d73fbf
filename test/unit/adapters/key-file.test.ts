import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { keyFile } from '../../../adapters/node/key-file.ts'
import type { LoadKeys } from '../../../src/auth/key-source.ts'
import { tempDir } from '../../support/temp-dir.ts'

let path: string
let load: LoadKeys
beforeEach(() => {
  path = join(tempDir(), 'jwks.json')
  writeFileSync(path, '{"keys":[1]}')
  load = keyFile(path)
})

test('it is read when it changes, and said to be unchanged otherwise', async () => {
  expect(await load(false)).toEqual({ ok: true, jwks: { keys: [1] } })
  expect(await load(true)).toEqual({ ok: true, unchanged: true })
  // Of the same size, and soon after.
  writeFileSync(path, '{"keys":[2]}')
  expect(await load(true)).toEqual({ ok: true, jwks: { keys: [2] } })
  writeFileSync(`${path}.new`, '{"keys":[3]}')
  renameSync(`${path}.new`, path)
  expect(await load(true)).toEqual({ ok: true, jwks: { keys: [3] } })
})

test('what was found and is not in force is read again', async () => {
  await load(false)
  expect(await load(false)).toEqual({ ok: true, jwks: { keys: [1] } })
})

test('what cannot be read has a reason with the path', async () => {
  writeFileSync(path, '{"keys":[')
  expect(await load(true)).toEqual({ ok: false, reason: `${path} is not valid JSON` })
  writeFileSync(path, `{"keys":["${'x'.repeat(300_000)}"]}`)
  expect(await load(true)).toEqual({ ok: false, reason: `${path} cannot be read: it has more than 262144 bytes` })
  rmSync(path)
  expect(await load(true)).toEqual({ ok: false, reason: `${path} cannot be read: there is no such file` })
})
