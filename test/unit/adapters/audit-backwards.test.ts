import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuditReader, newestLines } from '../../../adapters/node/audit-backwards.ts'
import { systemClock } from '../../../adapters/node/clock.ts'
import { AuditSearch } from '../../../src/audit/search.ts'
import type { AuditRange } from '../../../src/ports/audit-reader.ts'

const BLOCK = 1 << 16

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-backwards-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

const rotated = (stamp: string) => join(folder, `audit.${stamp}.jsonl`)
const line = (seq: number, filler = 0) =>
  JSON.stringify({
    note: 'ä'.repeat(filler),
    outcome: 'served',
    seq,
    team: seq % 50 === 0 ? 'rare' : 'red',
    time: '2026-11-24T10:00:00.000Z',
  })

/** Lines of which some fill blocks, some are longer, and most are short. */
function lines(from: number, to: number, fillers: readonly number[] = [300]): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => line(from + index, fillers[index % fillers.length]))
}

function write(file: string, all: readonly string[], torn = ''): void {
  writeFileSync(file, all.map(each => `${each}\n`).join('') + torn)
}

async function read(range?: AuditRange): Promise<string[]> {
  const found: string[] = []
  for await (const batch of newestLines(path, range)) found.push(...batch)
  return found
}

const seqOf = (text: string) => (JSON.parse(text) as { seq: number }).seq

describe('a log, read from its end', () => {
  it('is every whole line once, newest first, whatever their lengths', async () => {
    const all = lines(1, 200, [0, 10, 300, BLOCK / 2 - 60, 4000, 3 * BLOCK, 1])
    write(rotated('20261124T100000000Z'), all.slice(0, 80))
    write(rotated('20261124T110000000Z'), all.slice(80, 81))
    write(path, all.slice(81), '{"seq":201,"to')
    expect((await read()).map(seqOf)).toEqual(all.map(seqOf).reverse())
    expect(await read()).toEqual(all.toReversed())
  })

  it('of nothing, of an empty file and of one without a line end is empty', async () => {
    expect(await read()).toEqual([])
    write(path, [])
    expect(await read()).toEqual([])
    write(path, [], 'x'.repeat(3 * BLOCK))
    expect(await read()).toEqual([])
  })

  it('begins a block behind the record that is asked for, at most', async () => {
    const all = lines(1, 3000)
    write(rotated('20261124T100000000Z'), all.slice(0, 1000))
    write(path, all.slice(1000))
    for (const before of [1, 2, 500, 1000, 1001, 1002, 2345, 3000, 3001, 9999]) {
      const found = (await read({ before })).map(seqOf)
      expect(found.filter(seq => seq < before)).toEqual(
        Array.from({ length: Math.min(before, 3001) - 1 }, (_, at) => Math.min(before, 3001) - 1 - at),
      )
      expect(found.filter(seq => seq >= before).length).toBeLessThan((2 * 2 * BLOCK) / 600)
    }
  })

  it('with lines longer than a block, and statements without a number, misses none before', async () => {
    const all = lines(1, 60, [3 * BLOCK, 5]).flatMap((each, index) =>
      index % 7 === 0 ? ['{"deletedFrom":1}', each] : [each],
    )
    write(path, all)
    for (const before of [5, 30, 59]) {
      const found = (await read({ before })).filter(each => each.includes('"seq"')).map(seqOf)
      expect(found.filter(seq => seq < before)).toEqual(Array.from({ length: before - 1 }, (_, at) => before - 1 - at))
    }
  })

  it('leaves out files that are too old, and those that began too late', async () => {
    write(rotated('20261120T000000000Z'), lines(1, 5))
    write(rotated('20261121T000000000Z'), lines(6, 10))
    write(rotated('20261124T000000000Z'), lines(11, 15))
    write(path, lines(16, 20))
    const at = Date.parse('2026-11-20T12:00:00Z')
    expect((await read({ since: at })).map(seqOf).at(-1)).toBe(6)
    // Requests may take a day, and their records stand where they ended.
    expect((await read({ until: at })).map(seqOf)[0]).toBe(15)
    expect((await read({ since: at, until: at + 1 })).map(seqOf)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6])
  })

  it('has a file once that is rotated while it is opened', async () => {
    write(path, lines(1, 5))
    linkSync(path, rotated('20261124T100000000Z'))
    expect((await read()).map(seqOf)).toEqual([5, 4, 3, 2, 1])
  })
})

describe('a search', () => {
  const query = { members: { team: ['rare'] } }

  it('gives pages without a gap or a repetition, and lets others have their turn', async () => {
    const all = lines(1, 6000)
    write(rotated('20261124T100000000Z'), all.slice(0, 2500))
    write(path, all.slice(2500))
    const search = new AuditSearch(createAuditReader(path), systemClock)
    let turns = 0
    let over = false
    const count = () => {
      turns += 1
      if (!over) setImmediate(count)
    }
    setImmediate(count)
    const found: unknown[] = []
    let next: number | undefined
    do {
      const page = await search.find(query, 7, next)
      found.push(...(page?.records ?? []).map(record => record['seq']))
      next = page?.next
    } while (next !== undefined)
    over = true
    expect(found).toEqual(Array.from({ length: 120 }, (_, at) => 6000 - 50 * at))
    expect(turns).toBeGreaterThan(all.join('\n').length / BLOCK)
  })

  it('that takes too long says where to go on', async () => {
    write(path, lines(1, 2000))
    let now = 0
    const clock = { ...systemClock, monotonic: () => (now += 700) }
    const search = new AuditSearch(createAuditReader(path), clock)
    const found: unknown[] = []
    let pages = 0
    for (let next: number | undefined, more = true; more; more = next !== undefined) {
      const page = await search.find(query, 1000, next)
      found.push(...(page?.records ?? []).map(record => record['seq']))
      next = page?.next
      pages += 1
    }
    expect(found).toEqual(Array.from({ length: 40 }, (_, at) => 2000 - 50 * at))
    expect(pages).toBeGreaterThan(3)
  })

  it('gets on with each page, however long it takes to where it begins', async () => {
    let now = 0
    const clock = { ...systemClock, monotonic: () => (now += 5000) }
    const reader = {
      async *newestFirst() {
        yield [line(300)]
        yield ['{"deletedFrom":1}']
        yield [line(99), line(98)]
        yield [line(50)]
      },
    }
    const search = new AuditSearch(reader, clock)
    expect(await search.find(query, 10, 200)).toEqual({ records: [], next: 98 })
  })

  it('holds no more than a few megabytes, and no more than four run', async () => {
    write(path, lines(1, 8, [900_000]))
    const search = new AuditSearch(createAuditReader(path), systemClock)
    const page = await search.find({ members: {} }, 1000)
    expect(page?.records.length).toBe(5)
    expect(page?.next).toBe(4)
    const pages = await Promise.all([1, 2, 3, 4, 5].map(() => search.find({ members: {} }, 1)))
    expect(pages.map(one => one === undefined)).toEqual([false, false, false, false, true])
    expect(await search.find({ members: {} }, 1)).toMatchObject({ records: [{ seq: 8 }], next: 8 })
  })
})
