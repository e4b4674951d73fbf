import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { registerAudit } from '../../../adapters/cli/commands/audit.ts'
import { MAX_LINE } from '../../../src/audit/record.ts'
import { sampleChain } from '../audit/sample.ts'

const CHAIN = sampleChain(9)
let folder: string
let first: string
let second: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-cli-'))
  first = join(folder, 'z-first.jsonl')
  second = join(folder, 'a-second.jsonl')
  await writeFile(first, lines(CHAIN.slice(0, 5)))
  await writeFile(second, lines(CHAIN.slice(5)))
})
afterEach(async () => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  await rm(folder, { recursive: true })
})

const lines = (records: readonly string[]) => records.map(line => `${line}\n`).join('')

async function run(...args: string[]): Promise<{ out: string; err: string; code: typeof process.exitCode }> {
  let out = ''
  let err = ''
  vi.spyOn(console, 'log').mockImplementation((text: string) => void (out += `${text}\n`))
  vi.spyOn(console, 'error').mockImplementation((text: string) => void (err += `${text}\n`))
  const program = new Command('sallyport')
  registerAudit(program)
  await program.parseAsync(['audit', 'verify', ...args], { from: 'user' })
  return { out, err, code: process.exitCode }
}

describe('sallyport audit verify', () => {
  it('proves the files of one log in the order of the chain, whatever the order of their names', async () => {
    const { out, err, code } = await run(second, first)
    expect({ err, code }).toEqual({ err: '', code: undefined })
    expect(out).toMatch(/^ok: 9 records in 2 files\nseq {3}1 to 9\ntime {2}2026-/)
    expect(out).toContain(`head  ${(JSON.parse(CHAIN[8] ?? '') as { hash: string }).hash}`)
    expect(out).toMatch(/speed \d+ records\/s/)
  })

  it('says when the beginning is not at hand', async () => {
    expect((await run(second)).out).toContain('seq   6 to 9, starts at 6: older records are not in these files')
  })

  it('names the first bad record and why', async () => {
    await writeFile(second, lines(CHAIN.slice(5).with(1, (CHAIN[6] ?? '').replace('payments', 'research'))))
    expect(await run(first, second)).toEqual({
      out: '',
      err: `error: ${second} line 2 (seq 7): hash differs; 6 records before it are intact\n`,
      code: 1,
    })
  })

  it('prints JSON, whole or bad', async () => {
    const whole = await run(first, second, '--json')
    expect(JSON.parse(whole.out)).toMatchObject({
      ok: true,
      records: 9,
      firstSeq: 1,
      lastSeq: 9,
      files: [first, second],
    })
    await appendFile(second, '{"torn')
    const bad = await run(first, second, '--json')
    expect(JSON.parse(bad.out)).toMatchObject({
      ok: false,
      records: 9,
      bad: { file: second, line: 5, reason: 'torn last line' },
    })
    expect(bad.code).toBe(1)
  })

  it('finds a file left out, an unreadable first line, and a line without end', async () => {
    const third = join(folder, 'third.jsonl')
    await writeFile(second, lines(CHAIN.slice(5, 7)))
    await writeFile(third, lines(CHAIN.slice(7)))
    expect((await run(first, third)).err).toContain(`${third} line 1 (seq 8): seq jumps from 5 to 8`)
    await writeFile(second, `oops\n${lines(CHAIN.slice(6, 7))}`)
    expect((await run(first, second, third)).err).toContain(`${second} line 1: not JSON`)
    await writeFile(second, 'x'.repeat(4 * MAX_LINE))
    expect((await run(first, second)).err).toContain(`${second} line 1: line is longer than ${3 * MAX_LINE} bytes`)
  })

  it('finds bytes that are no text, at their line', async () => {
    const bytes = Buffer.from(lines(CHAIN))
    bytes[bytes.lastIndexOf('–')] = 0xff
    await writeFile(first, bytes)
    expect((await run(first)).err).toContain(`${first} line 9: not UTF-8`)
  })

  it('takes an empty file, as there is after a rotation', async () => {
    const empty = join(folder, 'empty.jsonl')
    await writeFile(empty, '')
    expect((await run(first, second, empty)).out).toContain('ok: 9 records in 3 files')
    expect((await run(empty)).out).toBe('ok: no records\n')
  })

  it('names a file that is not there, or is a folder', async () => {
    const missing = join(folder, 'missing.jsonl')
    expect(await run(first, missing)).toEqual({ out: '', err: `error: ${missing}: no such file\n`, code: 1 })
    expect((await run(folder)).err).toBe(`error: ${folder}: is a folder; name the files in it\n`)
  })
})
