import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { freePort, runProcess, startProcess, tempDir, waitFor } from '../support/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const MINUTE = 60_000

async function succeed(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await runProcess(command, args, { cwd, deadlineMs: MINUTE })
  expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' })
  return stdout
}

/** Starts it as a developer would, and has it answer. */
async function works(program: string): Promise<void> {
  const dir = tempDir()
  expect(await succeed(program, ['--version'], dir)).toMatch(/^\d+\.\d+\.\d+\n$/)
  const port = await freePort()
  await using _ = await startProcess(program, ['dev', '--port', String(port)], { cwd: dir })
  const answer = await waitFor(
    'an answer',
    () => fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined),
    MINUTE,
  )
  expect(answer.status).toBe(200)
}

describe('installed', () => {
  test('the package brings everything with it', { timeout: 3 * MINUTE }, async () => {
    const [packed, prefix] = [tempDir(), tempDir()]
    await succeed('npm', ['pack', '--ignore-scripts', '--pack-destination', packed], ROOT)
    const [archive = ''] = readdirSync(packed)
    // Without optional packages: those are Node itself, for machines that have an older one.
    const options = ['--offline', '--omit=optional', '--no-audit', '--no-fund', '--prefix', prefix]
    await succeed('npm', ['install', '--global', ...options, join(packed, archive)], packed)
    expect(readdirSync(join(prefix, 'lib/node_modules'))).toEqual(['sallyport'])
    await works(join(prefix, 'bin/sallyport'))
  })
})

describe('the executable', () => {
  let program: string
  beforeAll(async () => {
    program = join(tempDir(), 'sallyport')
    const bun = join(ROOT, 'node_modules/.bin/bun')
    await succeed(bun, ['build', '--compile', join(ROOT, 'dist/sallyport.mjs'), '--outfile', program], ROOT)
  }, MINUTE)

  test('needs no runtime', { timeout: 2 * MINUTE }, async () => {
    await works(program)
  })
})
