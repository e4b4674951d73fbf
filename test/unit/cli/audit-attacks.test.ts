import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { registerAudit } from '../../../adapters/cli/commands/audit.ts'
import { makeKey } from '../../../adapters/cli/key-files.ts'
import { signCheckpoint } from '../../../src/audit/checkpoint.ts'
import { createNoteSigner } from '../../../src/audit/signed-note.ts'
import { sampleChain } from '../audit/sample.ts'

const CHAIN = sampleChain(30)
const OTHER = sampleChain(40, () => ({ team: 'research' }))
const CHECKPOINTS = [5, 15, 25, 30]
const lines = (records: readonly string[]) => records.map(line => `${line}\n`).join('')

let folder: string
/** Of ten records each; the last one is the one that is written. */
let files: [string, string, string]
let notes: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-attacks-'))
  const names = ['audit.20261124T100000000Z.jsonl', 'audit.20261124T110000000Z.jsonl', 'audit.jsonl']
  files = names.map(name => join(folder, name)) as typeof files
  for (const [index, file] of files.entries()) await writeFile(file, lines(CHAIN.slice(10 * index, 10 * index + 10)))
  const key = await makeKey('EdDSA', 0)
  await writeFile(join(folder, 'key.json'), JSON.stringify(key.privateKey))
  await writeFile(join(folder, 'public.json'), JSON.stringify(key.publicKey))
  await writeFile(join(folder, 'stranger.json'), JSON.stringify((await makeKey('EdDSA', 0)).publicKey))
  const signer = await createNoteSigner(key.privateKey, 'test/audit')
  if (!signer.ok) throw new Error(signer.reason)
  notes = await Promise.all(
    CHECKPOINTS.map(seq =>
      signCheckpoint(signer.key, {
        origin: 'test/audit',
        seq,
        hash: hashOf(seq),
        time: `2026-11-24T10:00:${10 + seq}.000Z`,
      }),
    ),
  )
  await writeCheckpoints(notes)
})
afterEach(async () => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  await rm(folder, { recursive: true })
})

function hashOf(seq: number): string {
  return (JSON.parse(CHAIN[seq - 1] ?? '') as { hash: string }).hash
}

const writeCheckpoints = (all: readonly string[]) => writeFile(join(folder, 'checkpoints'), all.join('\n'))

async function verify(args: readonly string[] = [], key = 'public.json'): Promise<{ out: string; err: string }> {
  let out = ''
  let err = ''
  vi.spyOn(console, 'log').mockImplementation((text: string) => void (out += `${text}\n`))
  vi.spyOn(console, 'error').mockImplementation((text: string) => void (err += `${text}\n`))
  const program = new Command('sallyport')
  registerAudit(program)
  const checkpoints = ['--checkpoints', join(folder, 'checkpoints'), '--key', join(folder, key)]
  const given = args.length > 0 ? args : files
  await program.parseAsync(['audit', 'verify', ...given, ...checkpoints], { from: 'user' })
  expect(process.exitCode).toBe(err === '' ? undefined : 1)
  return { out, err }
}

const edit = async (file: string, change: (records: string[]) => readonly string[]) =>
  writeFile(file, lines(change((await readFile(file, 'utf8')).trimEnd().split('\n'))))

describe('audit verify with checkpoints', () => {
  it('confirms the log as it was signed, with the private key too', async () => {
    expect((await verify()).out).toMatch(/^ok: 30 records in 3 files\n[^]*checkpoints 4 agree/)
    expect((await verify([], 'key.json')).out).toContain('checkpoints 4 agree')
  })

  it('confirms a log that has grown since, and one whose oldest file is gone', async () => {
    await edit(files[2], records => [...records, ...sampleChain(33).slice(30)])
    expect((await verify()).out).toContain('ok: 33 records')
    expect((await verify([files[1], files[2]])).out).toContain('checkpoints 3 agree')
  })

  const attacks: [string, () => Promise<unknown>, RegExp][] = [
    [
      'a byte edited',
      () => edit(files[1], r => r.with(3, (r[3] ?? '').replace('payments', 'paymentz'))),
      /110000000Z\.jsonl line 4 \(seq 14\): hash differs/,
    ],
    ['a record deleted', () => edit(files[1], r => r.toSpliced(3, 1)), /line 4 \(seq 15\): seq jumps from 13 to 15/],
    [
      'two records reordered',
      () => edit(files[1], r => r.with(3, r[4] ?? '').with(4, r[3] ?? '')),
      /line 4 \(seq 15\): seq jumps/,
    ],
    [
      'a record duplicated',
      () => edit(files[1], r => r.toSpliced(3, 0, r[2] ?? '')),
      /line 4 \(seq 13\): seq 13 comes twice/,
    ],
    [
      'the last records cut off',
      () => edit(files[2], r => r.slice(0, 7)),
      /truncated: the checkpoint of \S+ saw seq 30, and the log ends at 27/,
    ],
    [
      'everything cut off',
      () => Promise.all(files.map(file => writeFile(file, ''))),
      /truncated: .* saw seq 30, and the log ends at 0/,
    ],
    [
      'a file emptied in the middle',
      () => writeFile(files[1], ''),
      /audit\.jsonl line 1 \(seq 21\): seq jumps from 10 to 21/,
    ],
    [
      'two whole files swapped',
      async () => {
        await cp(files[0], join(folder, 'x'))
        await cp(files[1], files[0])
        await cp(join(folder, 'x'), files[1])
      },
      /100000000Z\.jsonl line 1 \(seq 11\): swapped or renamed/,
    ],
    [
      'a file of another log put in',
      () => writeFile(files[1], lines(OTHER.slice(10, 20))),
      /line 1 \(seq 11\): prev does not match/,
    ],
    ['an older copy of a file put back', () => edit(files[2], r => r.slice(0, 5)), /truncated: .*seq 30.* ends at 25/],
    ['a file replayed under a new name', () => cp(files[0], files[2]), /truncated|comes twice|goes back/],
    [
      'the whole log replaced by another',
      () => Promise.all(files.map((file, i) => writeFile(file, lines(OTHER.slice(10 * i, 10 * i + 10))))),
      /line 5 \(seq 5\): rewritten: the checkpoint of \S+ has another hash/,
    ],
    [
      'the log begun anew and grown longer',
      async () => {
        await writeFile(files[0], lines(OTHER))
        await Promise.all([files[1], files[2]].map(file => writeFile(file, '')))
      },
      /seq 5\): rewritten/,
    ],
    [
      'the end rewritten with right hashes',
      async () => {
        const forged = sampleChain(30, seq => (seq > 22 ? { team: 'research' } : {}))
        await writeFile(files[2], lines(forged.slice(20)))
      },
      /line 5 \(seq 25\): rewritten/,
    ],
  ]
  it.each(attacks)('names %s', async (_name, attack, expected) => {
    await attack()
    const { out, err } = await verify()
    expect(out).toBe('')
    expect(err).toMatch(expected)
  })

  it('does not go by checkpoints that it cannot trust', async () => {
    await expect(verify([], 'stranger.json')).rejects.toThrow(/checkpoint 1: not signed by this key/)
    await writeCheckpoints(notes.with(1, (notes[1] ?? '').replace('\n15\n', '\n16\n')))
    await expect(verify()).rejects.toThrow(/checkpoint 2: the signature is wrong/)
    await writeCheckpoints([notes[2] ?? '', notes[0] ?? ''])
    await expect(verify()).rejects.toThrow(/the log went back: .* saw seq 25, .* only 5/)
    await writeCheckpoints([])
    await expect(verify()).rejects.toThrow(/there are no checkpoints in it/)
    await writeFile(join(folder, 'public.json'), '{}')
    await expect(verify()).rejects.toThrow(/public\.json: it is no Ed25519 key/)
  })

  it('prints the same as JSON', async () => {
    expect(JSON.parse((await verify([...files, '--json'])).out)).toMatchObject({
      ok: true,
      checkpoints: { confirmed: 4 },
    })
    await edit(files[2], r => r.slice(0, 7))
    vi.spyOn(console, 'error')
    const program = new Command('sallyport')
    registerAudit(program)
    let out = ''
    vi.spyOn(console, 'log').mockImplementation((text: string) => void (out += text))
    await program.parseAsync(
      [
        'audit',
        'verify',
        ...files,
        '--json',
        '--checkpoints',
        join(folder, 'checkpoints'),
        '--key',
        join(folder, 'key.json'),
      ],
      { from: 'user' },
    )
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      records: 27,
      checkpoints: { fault: expect.stringContaining('truncated') },
    })
  })
})
