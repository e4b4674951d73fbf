import { describe, expect, it } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { buildRecord } from '../../../src/audit/record.ts'
import { type BadRecord, createVerifier } from '../../../src/audit/verify.ts'
import { sampleChain, sampleEntry } from './sample.ts'

const CHAIN = sampleChain(9)

function verify(lines: readonly (string | undefined)[], tail = ''): BadRecord | undefined {
  const verifier = createVerifier(nodeHashing)
  verifier.startFile('audit.jsonl')
  for (const line of lines) if (line !== undefined) verifier.line(line)
  return verifier.endFile(tail)
}

/** The chain with the record at `seq` put through `change`. */
function changed(seq: number, change: (line: string) => string): string[] {
  return CHAIN.with(seq - 1, change(CHAIN[seq - 1] ?? ''))
}

describe('the verifier', () => {
  it('proves a whole chain and says what it spans', () => {
    const verifier = createVerifier(nodeHashing)
    for (const line of CHAIN) expect(verifier.line(line)).toBeUndefined()
    expect(verifier.endFile('')).toBeUndefined()
    expect(verifier.verified()).toMatchObject({ records: 9, firstSeq: 1, lastSeq: 9, head: hashOf(CHAIN[8] ?? '') })
  })

  it('proves a part whose beginning is not at hand, and says so', () => {
    const verifier = createVerifier(nodeHashing)
    for (const line of CHAIN.slice(4)) expect(verifier.line(line)).toBeUndefined()
    expect(verifier.verified()).toMatchObject({ records: 5, firstSeq: 5 })
  })

  it('follows the chain over files and counts lines in each', () => {
    const verifier = createVerifier(nodeHashing)
    verifier.startFile('a')
    for (const line of CHAIN.slice(0, 5)) verifier.line(line)
    verifier.endFile('')
    verifier.startFile('b')
    verifier.line(CHAIN[5] ?? '')
    expect(verifier.line(CHAIN[7] ?? '')).toEqual({ file: 'b', line: 2, seq: 8, reason: 'seq jumps from 6 to 8' })
    expect(verifier.verified().records).toBe(6)
  })

  const cases: [string, readonly (string | undefined)[], Partial<BadRecord>][] = [
    [
      'an edited field',
      changed(4, l => l.replace('payments', 'research')),
      { line: 4, seq: 4, reason: 'hash differs' },
    ],
    ['an added field', changed(4, l => l.replace('{', '{"a":1,')), { line: 4, reason: 'hash differs' }],
    [
      'a repeated key that a parser would overlook',
      changed(4, l => l.replace('"team":', '"team":"research","team":')),
      { line: 4, reason: 'hash differs' },
    ],
    ['white space', changed(4, l => l.replace(':', ': ')), { line: 4, reason: 'hash differs' }],
    ['another spelling', changed(4, l => l.replace('payments', '\\u0070ayments')), { line: 4, reason: 'hash differs' }],
    ['another hash', changed(4, l => l.replace(/"hash":"./, '"hash":"x')), { line: 4, reason: 'hash is missing' }],
    ['no hash', changed(4, l => l.replace(/,"hash":"\w+"/, '')), { line: 4, reason: 'hash is missing' }],
    ['a number as text', changed(4, l => l.replace('"seq":4', '"seq":"4"')), { line: 4, reason: 'seq is missing' }],
    ['not JSON', changed(4, () => 'oops'), { line: 4, seq: undefined, reason: 'not JSON' }],
    ['JSON that is no object', changed(4, () => 'null'), { line: 4, reason: 'not JSON' }],
    ['an empty line', CHAIN.toSpliced(3, 0, ''), { line: 4, reason: 'not JSON' }],
    ['a deleted record', CHAIN.toSpliced(7, 1), { line: 8, seq: 9, reason: 'seq jumps from 7 to 9' }],
    ['an inserted copy', CHAIN.toSpliced(4, 0, CHAIN[3] ?? ''), { line: 5, seq: 4, reason: 'seq 4 comes twice' }],
    [
      'an older record put in',
      CHAIN.toSpliced(6, 0, CHAIN[1] ?? ''),
      { line: 7, seq: 2, reason: 'seq goes back from 6 to 2' },
    ],
    ['two records swapped', swap(3, 4), { line: 4, seq: 5, reason: 'seq jumps from 3 to 5' }],
    [
      'a record forged with a right hash of its own',
      changed(4, () => forge(4, hashOf(CHAIN[2] ?? ''))),
      { line: 5, seq: 5, reason: 'prev does not match the record before' },
    ],
    [
      'a first record that hangs on another',
      [forge(1, 'f'.repeat(64)), ...CHAIN.slice(1)],
      { line: 1, seq: 1, reason: 'prev does not match: the first record must have none before it' },
    ],
  ]
  it.each(cases)('finds %s', (_name, lines, expected) => {
    expect(verify(lines)).toMatchObject({ file: 'audit.jsonl', ...expected })
  })

  it('finds a torn last line, even one that only lacks its line end', () => {
    expect(verify(CHAIN.slice(0, 8), CHAIN[8])).toMatchObject({ line: 9, reason: 'torn last line' })
    expect(verify(CHAIN.slice(0, 8), '{')).toMatchObject({ line: 9, reason: 'torn last line' })
  })

  it('finds bytes that are not UTF-8, which decode to the same text as other bytes', () => {
    const line = Buffer.from(CHAIN[0] ?? '')
    line[line.indexOf('–')] = 0xff
    expect(createVerifier(nodeHashing).line(line)).toMatchObject({ reason: 'not UTF-8' })
    expect(createVerifier(nodeHashing).line(Buffer.from(CHAIN[0] ?? ''))).toBeUndefined()
  })

  it('takes no byte order mark', () => {
    expect(createVerifier(nodeHashing).line(Buffer.from(`\ufeff${CHAIN[0]}`))).toMatchObject({ reason: 'not JSON' })
  })

  it('stays with the first bad record', () => {
    const verifier = createVerifier(nodeHashing)
    verifier.line('oops')
    expect(verifier.line(CHAIN[0] ?? '')).toMatchObject({ line: 1, reason: 'not JSON' })
  })

  it('cannot see that the last records are missing: that takes a checkpoint', () => {
    expect(verify(CHAIN.slice(0, 5))).toBeUndefined()
  })
})

function hashOf(line: string): string {
  return (JSON.parse(line) as { hash: string }).hash
}

function swap(a: number, b: number): (string | undefined)[] {
  return CHAIN.with(a, CHAIN[b] ?? '').with(b, CHAIN[a] ?? '')
}

function forge(seq: number, prev: string): string {
  return buildRecord(nodeHashing, sampleEntry({ team: 'research' }), { seq, instance: 'test', prev }).line
}
