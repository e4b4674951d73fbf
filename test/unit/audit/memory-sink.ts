import type { AuditSink } from '../../../src/ports/audit-sink.ts'

/** A sink that keeps the contract of the port, with a disk that the test can break. */
export interface MemorySink extends AuditSink {
  readonly lines: string[]
  probes: number
  /** Lines that are still taken before the disk fails; mended by setting it to Infinity. */
  room: number
  /** While set, nothing is acknowledged. */
  hold: Promise<void> | undefined
}

export function createMemorySink(lines: string[] = []): MemorySink {
  let failed = false
  let turn = Promise.resolve()
  return {
    lines,
    probes: 0,
    room: Number.POSITIVE_INFINITY,
    hold: undefined,
    lastLine: () => Promise.resolve(lines.at(-1)),
    append(line) {
      const mine = turn.then(async () => {
        await this.hold
        if (failed || this.room <= 0) {
          failed = true
          throw new Error('ENOSPC')
        }
        this.room -= 1
        lines.push(line)
      })
      turn = mine.catch(() => undefined)
      return mine
    },
    async ready() {
      this.probes += 1
      await turn
      if (this.room > 0) failed = false
      return !failed
    },
    close: () => turn,
  }
}
