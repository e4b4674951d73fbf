import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditSink } from '../../src/ports/audit-sink.ts'

/** One place where lines are kept, and ways to break and mend it. */
export interface SinkUnderTest {
  open(): Promise<AuditSink>
  /** All lines that are durable, in order. */
  lines(): Promise<string[]>
  /** Makes every write fail from now on. */
  breakIt(): Promise<void>
  mend(): Promise<void>
  cleanUp(): Promise<void>
}

/** What every audit sink must keep, whatever it writes to. */
export function auditSinkContract(name: string, create: () => Promise<SinkUnderTest>): void {
  describe(`${name} keeps the contract of an audit sink`, () => {
    let place: SinkUnderTest
    let open: AuditSink[] = []

    beforeEach(async () => {
      place = await create()
    })
    afterEach(async () => {
      await Promise.all(open.map(sink => sink.close()))
      open = []
      await place.cleanUp()
    })

    async function openSink(): Promise<AuditSink> {
      const sink = await place.open()
      open.push(sink)
      return sink
    }

    it('is empty and ready when new', async () => {
      const sink = await openSink()
      expect(await sink.lastLine()).toBeUndefined()
      expect(await sink.ready()).toBe(true)
    })

    it('has a line when it has acknowledged it', async () => {
      const sink = await openSink()
      await sink.append('{"a":"ü🚪"}')
      expect(await place.lines()).toEqual(['{"a":"ü🚪"}'])
    })

    it('keeps the order of many that wait together', async () => {
      const sink = await openSink()
      const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`)
      const acknowledged: string[] = []
      await Promise.all(lines.map(line => sink.append(line).then(() => acknowledged.push(line))))
      expect(acknowledged).toEqual(lines)
      expect(await place.lines()).toEqual(lines)
    })

    it('gives the last line to the next that opens it', async () => {
      const first = await openSink()
      await Promise.all([first.append('one'), first.append('two')])
      await first.close()
      const second = await openSink()
      expect(await second.lastLine()).toBe('two')
      await second.append('three')
      expect(await place.lines()).toEqual(['one', 'two', 'three'])
    })

    it('commits what waits when it is closed, and takes nothing after', async () => {
      const sink = await openSink()
      const waiting = Promise.all([sink.append('one'), sink.append('two')])
      await sink.close()
      await waiting
      expect(await place.lines()).toEqual(['one', 'two'])
      await expect(sink.append('three')).rejects.toThrow()
      expect(await sink.ready()).toBe(false)
      await sink.close()
    })

    it('rejects every line after one that it rejected, until it has said that it is ready', async () => {
      const sink = await openSink()
      await sink.append('one')
      await place.breakIt()
      const results = await Promise.allSettled(['two', 'three', 'four'].map(line => sink.append(line)))
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
      expect(await sink.ready()).toBe(false)
      await place.mend()
      await expect(sink.append('five')).rejects.toThrow()
      expect(await sink.ready()).toBe(true)
      await Promise.all([sink.append('six'), sink.append('seven')])
      const lines = await place.lines()
      expect(lines.slice(-2)).toEqual(['six', 'seven'])
      expect(lines.filter(line => !['one', 'six', 'seven'].includes(line))).toEqual([])
    })

    it('settles what waits when it fails under load', async () => {
      const sink = await openSink()
      const appendAll = () => Promise.allSettled(Array.from({ length: 200 }, () => sink.append('line')))
      const early = appendAll()
      await place.breakIt()
      const results = [await early, await appendAll()].flat()
      const firstFailure = results.findIndex(({ status }) => status === 'rejected')
      expect(firstFailure).toBeGreaterThanOrEqual(0)
      expect(results.slice(firstFailure).every(({ status }) => status === 'rejected')).toBe(true)
    })
  })
}
