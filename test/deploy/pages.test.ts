// What the pages of docs/deploy tell people to type, as far as it needs no container engine and no other machine.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess, sallyport, tempDir } from '../support/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const BUNDLE = join(ROOT, 'dist/sallyport.mjs')

/** The commands of a page, block by block. */
const blocksOf = (page: string) =>
  [...readFileSync(join(ROOT, 'docs/deploy', page), 'utf8').matchAll(/^( *)```sh\n([\s\S]*?)^\1```/gm)].map(
    ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )

const withNode = { PATH: `${join(process.execPath, '..')}:${process.env.PATH}` }
const shell = (cwd: string, text: string) =>
  runProcess('bash', ['-euc', text], { cwd, env: withNode, deadlineMs: 60_000 })

test('Compose: after the commands of the page the gateway has all that its configuration names', {
  timeout: 90_000,
}, async () => {
  const dir = tempDir()
  cpSync(join(ROOT, 'deploy/compose'), dir, { recursive: true })
  mkdirSync(join(dir, 'elsewhere/llama-3.1-8b'), { recursive: true })
  writeFileSync(join(dir, 'elsewhere/llama-3.1-8b/model.gguf'), 'GGUF', { mode: 0o644 })
  const [setUp = ''] = blocksOf('compose.md')
  const here = setUp.replaceAll(/^(docker|sudo) .*$/gm, '').replace('/somewhere', join(dir, 'elsewhere'))
  expect(here).not.toBe(setUp)
  const done = await shell(dir, `sallyport() { node ${BUNDLE} "$@"; }\n${here}\ncat .env`)
  expect(done).toMatchObject({ code: 0 })
  const env = Object.fromEntries(
    [...done.stdout.matchAll(/^(PROMPT_HMAC_SECRET|REDIS_PASSWORD)=(.+)$/gm)].map(([, name, value]) => [name, value]),
  )
  const checked = await sallyport(['config', 'check', 'sallyport.yaml'], { cwd: dir, env })
  expect(checked).toMatchObject({ code: 0, stderr: '' })
  expect(checked.stdout).not.toContain('warning')
  const verify = ['weights', 'verify', 'models/llama-3.1-8b', '--key', 'keys/weights-public.jwk.json']
  expect(await sallyport(verify, { cwd: dir })).toMatchObject({ code: 0 })
})

test('without a network: the checksums are those of the files, and a byte that changed is found', async () => {
  const dir = tempDir()
  cpSync(join(ROOT, 'dist'), join(dir, 'dist'), { recursive: true })
  const verify = blocksOf('air-gapped.md').find(block => block.includes('sha256sum -c')) ?? ''
  expect(await shell(dir, verify)).toMatchObject({ code: 0, stdout: expect.stringContaining('sallyport.mjs: OK') })
  writeFileSync(join(dir, 'dist/sallyport.mjs'), 'another')
  expect((await shell(dir, verify)).code).not.toBe(0)
})
