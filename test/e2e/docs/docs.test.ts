import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Llama, runProcess, startGateway, startLlama, tempDir } from '../../support/index.ts'
import { LET_OUT, SAID } from '../clients/rig.ts'
import { type Block, blocksOf, PAGES, ROOT } from './blocks.ts'

/**
 * The commands and programs of the pages, run as they stand there, page by page in a folder like that of whoever follows
 * them: what one block makes, the next one finds. Only the ports are others.
 */

const SECRET = 'a secret for tests alone, 32 bytes or more'
const LETTER = 'Badge EMP-123456, mail jane.doe@example.com'
const HARMLESS = Array.from({ length: 300 }, (_, at) => JSON.stringify({ text: `How do I repot plant number ${at}?` }))

let gateway: Gateway
let models: Llama[]
let token: string

beforeAll(async () => {
  models = await Promise.all([
    startLlama({ say: SAID }),
    startLlama({ say: JSON.stringify({ email: 'bob@example.com' }) }),
    startLlama({ args: ['--embeddings', '--pooling', 'mean'] }),
  ])
  const ids = ['llama-3.1-8b', 'extractor', 'embedder']
  gateway = await startGateway({
    config: {
      models: models.map(({ url }, at) => ({
        id: ids[at],
        upstreams: [{ url: `${url}/v1`, kind: 'llama.cpp' }],
        maxOutputTokens: 256,
      })),
      audit: {
        file: 'audit/audit.jsonl',
        hmacSecret: '${env:PROMPT_HMAC_SECRET}',
        retention: '180d',
        checkpoint: { every: '1h', key: 'keys/audit-signing.jwk.json', to: [{ kind: 'file', path: 'checkpoints' }] },
      },
      guard: {
        input: { pii: 'flag' },
        output: { pii: 'redact' },
        rules: [{ name: 'EMPLOYEE_ID', pattern: 'EMP-[0-9]{6}', on: ['input', 'output'], action: 'redact' }],
      },
    },
  })
  token = await gateway.mint()
  // A log with something in it, for the pages that read it.
  const headers = { authorization: `Bearer ${token}` }
  expect((await fetch(`${gateway.url}/v1/models`, { headers })).status).toBe(200)
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  await Promise.all((models ?? []).map(model => model.stop()))
})

/** The folder that a page is followed in, beside a gateway that runs. */
function workplace(page: string): string {
  const dir = tempDir()
  // The README begins with nothing, and makes its keys itself.
  const given = page === 'README.md' ? ['audit'] : ['audit', 'keys', 'state', 'sallyport.yaml']
  for (const name of given) cpSync(join(gateway.dir, name), join(dir, name), { recursive: true })
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'sallyport'), `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/dist/sallyport.mjs" "$@"\n`)
  chmodSync(join(bin, 'sallyport'), 0o755)
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  // An answer of 4xx or 5xx is a failure of the command.
  const files = {
    '.curlrc': 'fail-with-body',
    'token.txt': token,
    'letter.txt': LETTER,
    'harmless.jsonl': HARMLESS.join('\n'),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), `${text}\n`)
  return dir
}

const here = (text: string) =>
  text.replaceAll('http://127.0.0.1:8787', gateway.url).replaceAll('http://127.0.0.1:9787', gateway.adminUrl)

function environment(dir: string) {
  return {
    PATH: `${join(dir, 'bin')}:${process.env['PATH']}`,
    PROMPT_HMAC_SECRET: SECRET,
    SALLYPORT_TOKEN: token,
    CURL_HOME: dir,
    TOKEN_ID: '7d0fbb7e-2f0c-4a57-b42a-5f5c8a3ef1d2',
    SALLYPORT_CONFIG: undefined,
    NODE_OPTIONS: undefined,
  }
}

/** Variables that one block of a page sets are there in the next. */
const SESSION = 'set -a; touch .session; . ./.session; trap "export -p > .session" EXIT\n'

/** Runs shell commands to their end; resolves with their standard output. */
async function shell(dir: string, script: string, exit = 0): Promise<string> {
  const flags = exit === 0 ? ['-eu', '-o', 'pipefail'] : ['-u']
  const options = { cwd: dir, env: environment(dir), deadlineMs: 60_000 }
  const { code, stdout, stderr } = await runProcess('bash', [...flags, '-c', SESSION + here(script)], options)
  expect({ code, stderr: code === exit ? '' : stderr }).toEqual({ code: exit, stderr: '' })
  return stdout
}

/** Numbers, times and digests differ from run to run; the words do not. */
const masked = (text: string) => text.replaceAll(/\b[0-9a-f]{64}\b|\b\d[\dTZ:.-]*/g, '#').trimEnd()

/** A transcript: each `$ command` with what it prints. */
async function console(dir: string, { text }: Block): Promise<void> {
  for (const [, command = '', output = ''] of text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm))
    expect(masked(await shell(dir, command))).toBe(masked(output))
}

/** Of the other pages' configuration only parts are shown: a unit test reads them. */
const runnable = ({ page, notRun, language }: Block) =>
  notRun === undefined && (/^(sh|console|ts)$/.test(language) || (language === 'yaml' && page === 'README.md'))

const pages = PAGES.map(page => ({ page, blocks: blocksOf(page).filter(runnable) })).filter(
  one => one.blocks.length > 0,
)

describe.each(pages)('$page', ({ page, blocks }) => {
  let dir: string
  beforeAll(() => {
    dir = workplace(page)
  })

  for (const block of blocks.filter(({ language }) => language !== 'ts'))
    test(`${block.language}, line ${block.line}`, { timeout: 60_000 }, async () => {
      if (block.language === 'sh') {
        const output = await shell(dir, block.text, block.exit)
        if (page === 'docs/clients.md') expect(output).toContain('[EMAIL_REDACTED]')
      }
      if (block.language === 'console') await console(dir, block)
      // The README's own configuration is what its next commands check.
      if (block.language === 'yaml') writeFileSync(join(dir, 'sallyport.yaml'), block.text)
    })

  // The blocks of a section are one program.
  const programs = Map.groupBy(
    blocks.filter(({ language }) => language === 'ts'),
    ({ section }) => section,
  )
  for (const [section, parts] of programs)
    test(`the program under "${section}"`, { timeout: 60_000 }, async () => {
      const file = join(dir, 'program.ts')
      writeFileSync(file, here(parts.map(({ text }) => text).join('\n')))
      const options = { cwd: dir, env: environment(dir), deadlineMs: 60_000 }
      const { code, stdout, stderr } = await runProcess(process.execPath, [file], options)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain(LET_OUT)
      if (section === 'OpenAI SDK') {
        expect(stdout).toContain("{ email: '[EMAIL_REDACTED]' }")
        expect(stdout).toMatch(/404 model_not_found req_/)
      }
    })
})
