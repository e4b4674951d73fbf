import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openAuditFile } from '../../adapters/node/audit-file.ts'
import { systemClock } from '../../adapters/node/clock.ts'
import { nodeHashing } from '../../adapters/node/hashing.ts'
import { canonicalJson, type JsonValue } from '../../src/audit/canonical-json.ts'
import { AuditLog } from '../../src/audit/log.ts'
import { buildRecord, GENESIS } from '../../src/audit/record.ts'
import { createSnippet } from '../../src/audit/snippet.ts'
import { type BadRecord, createVerifier } from '../../src/audit/verify.ts'
import { createMemorySink } from '../unit/audit/memory-sink.ts'
import { sampleChain, sampleEntry } from '../unit/audit/sample.ts'

const telemetry = { log: () => undefined, count: () => undefined }
const LINE_END = 0x0a

function verify(bytes: Uint8Array): BadRecord | undefined {
  const verifier = createVerifier(nodeHashing)
  let from = 0
  for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, from)) {
    verifier.line(bytes.subarray(from, end))
    from = end + 1
  }
  return verifier.endFile(bytes.subarray(from))
}

describe('a chain', () => {
  const file = Buffer.from(sampleChain(4).join('\n').concat('\n'))

  it('shows every change of a single byte', () => {
    expect(verify(file)).toBeUndefined()
    const unseen: [number, number][] = []
    for (let at = 0; at < file.length; at += 1) {
      const original = file[at] ?? 0
      for (const value of [original ^ 1, original ^ 0x20, original ^ 0x80, 0x22, LINE_END, 0x20, 0xff]) {
        if (value === original) continue
        file[at] = value
        if (verify(file) === undefined) unseen.push([at, value])
      }
      file[at] = original
    }
    expect(unseen).toEqual([])
  })

  it('shows every byte that is removed or added', () => {
    const unseen: number[] = []
    for (let at = 0; at < file.length; at += 1) {
      if (verify(Buffer.concat([file.subarray(0, at), file.subarray(at + 1)])) === undefined) unseen.push(at)
      if (verify(Buffer.concat([file.subarray(0, at), Buffer.of(0x20), file.subarray(at)])) === undefined)
        unseen.push(at)
    }
    expect(unseen).toEqual([])
  })

  it('shows any records left out, repeated or moved, but for the last', () => {
    const lines = sampleChain(8)
    const places = fc.array(fc.nat(7), { maxLength: 12 })
    fc.assert(
      fc.property(places, order => {
        const run = order.every((place, index) => index === 0 || place === (order[index - 1] ?? 0) + 1)
        const text = order.map(place => `${lines[place]}\n`).join('')
        expect(verify(Buffer.from(text)) === undefined).toBe(run)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a record', () => {
  it('is canonical and verifies, whatever the texts in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('\ud800', '\udc00', '\\', '"', 'ud', ',"hash":"', '\n') }),
    )
    fc.assert(
      fc.property(
        text,
        text,
        fc.double({ min: 0, noNaN: true, max: 1e9 }),
        fc.nat(),
        (model, outputSnippet, ms, seq) => {
          const entry = sampleEntry({ model, outputSnippet, latencyMs: ms, team: undefined })
          const { line } = buildRecord(nodeHashing, entry, {
            seq: seq + 1,
            instance: 'test',
            prev: GENESIS.replace('0', '1'),
          })
          expect(canonicalJson(JSON.parse(line) as JsonValue)).toBe(line)
          expect(verify(Buffer.from(`${line}\n`))?.reason).toBe(
            seq === 0 ? 'prev does not match: the first record must have none before it' : undefined,
          )
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('the snippet', () => {
  it('is the same however the answer was cut into pieces', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.array(fc.nat(60)),
        fc.nat(40),
        (text, cuts, limit) => {
          const whole = createSnippet(limit)
          whole.add(text)
          const pieces = createSnippet(limit)
          let from = 0
          for (const cut of [...cuts, text.length].sort((a, b) => a - b)) {
            pieces.add(text.slice(from, cut))
            from = Math.max(from, Math.min(cut, text.length))
          }
          expect(pieces.text()).toBe(whole.text())
          expect(text.startsWith(whole.text())).toBe(true)
          expect(whole.text().length).toBeLessThanOrEqual(limit)
          expect(whole.text().length).toBeGreaterThanOrEqual(Math.min(text.length, limit) - 1)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('the log over a disk that fails at times', () => {
  it('acknowledges exactly what is in the chain, without a gap', async () => {
    const step = fc.record({
      append: fc.integer({ min: 1, max: 6 }),
      room: fc.oneof(fc.nat(5), fc.constant(99)),
      wait: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const sink = createMemorySink()
        let now = 0
        const clock = { now: () => 0, monotonic: () => now }
        const log = await AuditLog.open({ sink, hashing: nodeHashing, clock, telemetry })
        const acknowledged: string[] = []
        const waiting: Promise<unknown>[] = []
        let id = 0
        for (const { append, room, wait } of steps) {
          sink.room = room
          now += 1000
          for (let index = 0; index < append; index += 1) {
            const requestId = `r${id++}`
            waiting.push(
              log.append(sampleEntry({ requestId })).then(
                () => acknowledged.push(requestId),
                () => undefined,
              ),
            )
          }
          if (wait) await Promise.all(waiting)
        }
        await Promise.all(waiting)
        expect(sink.lines.map(line => (JSON.parse(line) as { requestId: string }).requestId)).toEqual(acknowledged)
        expect(verify(Buffer.from(sink.lines.map(line => `${line}\n`).join('')))).toBeUndefined()
        expect(log.head.seq).toBe(acknowledged.length)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a file torn at any byte', () => {
  it('keeps its whole records, moves the rest aside and goes on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-torn-'))
    const path = join(folder, 'audit.jsonl')
    const bytes = Buffer.from(sampleChain(2).join('\n').concat('\n'))
    try {
      // All of the second record, and the end of the first, whose tear leaves no whole record at all.
      for (let length = bytes.indexOf(LINE_END) - 3; length <= bytes.length; length += 1) {
        await writeFile(path, bytes.subarray(0, length))
        const sink = await openAuditFile({ path })
        const log = await AuditLog.open({ sink, hashing: nodeHashing, clock: systemClock, telemetry })
        await log.append(sampleEntry())
        await log.close()
        const now = await readFile(path)
        const whole = bytes.subarray(0, length).lastIndexOf(LINE_END) + 1
        expect(now.subarray(0, whole).equals(bytes.subarray(0, whole))).toBe(true)
        expect(verify(now)).toBeUndefined()
        const torn = sink.tornPath === undefined ? Buffer.alloc(0) : await readFile(sink.tornPath)
        expect(torn.equals(bytes.subarray(whole, length))).toBe(true)
        for (const name of await readdir(folder)) await rm(join(folder, name))
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  }, 120_000)
})
