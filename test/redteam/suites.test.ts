import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { run } from '../support/cli.ts'
import { tempDir } from '../support/temp-dir.ts'

vi.setConfig({ testTimeout: 60_000 })

const SUITES = join(import.meta.dirname, 'suites')

test('the guard keeps the floors of the suites', async () => {
  const { code, stdout, stderr } = await run(tempDir(), ['redteam', '--suite', SUITES, '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { categories } = JSON.parse(stdout)
  expect(categories).toHaveLength(5)
  for (const { probes } of categories) expect(probes).toBeGreaterThanOrEqual(40)
})

test('a floor that is missed fails the run, and is named', async () => {
  const dir = tempDir()
  cpSync(SUITES, dir, { recursive: true })
  const floors = JSON.parse(readFileSync(join(dir, 'floors.json'), 'utf8'))
  writeFileSync(join(dir, 'floors.json'), JSON.stringify({ ...floors, obfuscations: { detection: 0.999 } }))
  const { code, stdout, stderr } = await run(dir, ['redteam', '--suite', '.'])
  expect(code).toBe(1)
  expect(stdout).toMatch(/obfuscations .* FAILED/)
  expect(stderr).toMatch(/error: obfuscations: detection .* floor 99.9 %/)
  expect(JSON.parse(readFileSync(join(dir, 'checklist/redteam-last.json'), 'utf8')).passed).toBe(false)
})

test('a configuration that switches the guard off misses them', async () => {
  const dir = tempDir()
  const config = `
models: [{ id: m, upstreams: [{ url: http://127.0.0.1:8080/v1, kind: llama.cpp }] }]
audit: { hmacSecret: 0123456789abcdef0123456789abcdef }
guard: { input: { injection: flag }, output: { pii: off, secrets: off } }
`
  writeFileSync(join(dir, 'sallyport.yaml'), config)
  const { code, stderr } = await run(dir, ['redteam', '--suite', SUITES, '--no-record'])
  expect(code).toBe(1)
  for (const category of ['input-attacks', 'indirect-injection', 'obfuscations', 'output-leaks']) {
    expect(stderr).toContain(`error: ${category}: detection`)
  }
})
