// The units as systemd itself reads them. Its own judgement needs no running systemd: `--offline` reads the file alone.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runProcess, sallyport, sallyportOutput, tempDir } from '../support/index.ts'

const DEPLOY = resolve(import.meta.dirname, '../../deploy')

/** Of 10, where 10 is a service with all rights. */
const WORST_EXPOSURE = 2

async function exposure(unit: string): Promise<number> {
  const { stdout, stderr } = await runProcess('systemd-analyze', ['security', '--offline=true', '--no-pager', unit])
  // A key that this systemd does not know, or a value that it cannot read, is only a warning to it.
  expect(stderr).toBe('')
  return Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
}

/** The arguments behind `sallyport.mjs` of this line of the unit. */
function argumentsOf(unit: string, key: string): string[] {
  const text = readFileSync(join(DEPLOY, unit), 'utf8')
  const line = new RegExp(`^${key}=/usr/bin/node /opt/sallyport/sallyport.mjs (.*)$`, 'm').exec(text)?.[1]
  if (line === undefined) throw new Error(`${unit}: no ${key} of the bundle`)
  return line.split(' ')
}

describe.each(['sallyport.service', 'model-server.service'])('%s', unit => {
  test(`is exposed to no more than ${WORST_EXPOSURE} of 10, in systemd’s judgement`, async () => {
    expect(await exposure(join(DEPLOY, unit))).toBeLessThanOrEqual(WORST_EXPOSURE)
  })

  test('would be worse than that without its filter of system calls and its user', async () => {
    const bare = join(tempDir(), unit)
    const text = readFileSync(join(DEPLOY, unit), 'utf8')
    writeFileSync(bare, text.replaceAll(/^(SystemCallFilter|CapabilityBoundingSet|DynamicUser|User)=.*$/gm, ''))
    expect(await exposure(bare)).toBeGreaterThan(WORST_EXPOSURE)
  })
})

test('the model server starts on weights as they were sealed, on others it does not', async () => {
  const dir = tempDir()
  const model = join(dir, 'model')
  mkdirSync(model)
  writeFileSync(join(model, 'config.json'), '{}', { mode: 0o644 })
  await sallyportOutput(['keys', 'init'], { cwd: dir })
  await sallyportOutput(['weights', 'seal', 'model'], { cwd: dir })
  const { d: _private, ...key } = JSON.parse(readFileSync(join(dir, 'keys/audit-signing.jwk.json'), 'utf8'))
  writeFileSync(join(dir, 'weights-public.jwk.json'), JSON.stringify(key))
  const start = argumentsOf('model-server.service', 'ExecStartPre').map(argument =>
    argument
      .replace('/models/llama-3.1-8b', model)
      .replace('/etc/sallyport/weights-public.jwk.json', join(dir, 'weights-public.jwk.json')),
  )
  expect(await sallyport(start, { cwd: '/' })).toMatchObject({ code: 0 })
  appendFileSync(join(model, 'config.json'), ' ')
  expect((await sallyport(start, { cwd: '/' })).code).not.toBe(0)
})
