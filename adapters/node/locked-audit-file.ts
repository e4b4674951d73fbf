import { statSync } from 'node:fs'
import { type FileHandle, rename } from 'node:fs/promises'
import type { AuditSink } from '../../src/ports/audit-sink.ts'
import type { Measurements, Telemetry } from '../../src/ports/telemetry.ts'
import { readTail, rotatedPath, rotatedSiblings } from './audit-tail.ts'
import { withDeadline } from './deadline.ts'
import { openDurable, statOf, syncFolder, writeAll } from './durable-file.ts'
import { reasonOf } from './error-code.ts'
import { type FileLock, LockTaken, takeLock } from './file-lock.ts'

export interface AuditFileOptions {
  /** The file that is appended to. Its folder is made (0700) when it is missing. */
  readonly path: string
  /** A file that would grow beyond this is moved to a sibling. Default 64 MiB. */
  readonly maxBytes?: number
  /** So is one whose first record is older, with the next that is written. Default: none is too old. */
  readonly maxAgeMs?: number | undefined
  /** UTF-16 units that may wait for the disk; more, and appends fail. Default 8 Mi. */
  readonly maxPending?: number
  /** A disk that takes longer has failed. Default 10 s. */
  readonly timeoutMs?: number
  readonly telemetry?: Telemetry & Partial<Measurements>
}

export interface AuditFile extends AuditSink {
  /** Where the torn last line that was found at start now lies, if there was one. */
  readonly tornPath: string | undefined
}

interface Waiting {
  readonly line: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const MIB = 1024 * 1024
/** Written and taken back to see whether a disk that was full has room for a group again. */
const PROBE = Buffer.alloc(64 * 1024, ' ')

/** Groups that take longer are reported, no more often than `SLOW_REPORT_MS`. */
const SLOW_COMMIT_MS = 1000
const SLOW_REPORT_MS = 10_000

/** How long lines are gathered under load. */
const MAX_GATHER_MS = 2

/** What `stat` tells of the file that is open; its size counts only when it was opened. */
interface Identity {
  readonly ino: number
  readonly dev: number
  readonly size: number
}

/** The file is no longer this process's to write. Only a new start, by a person or their supervisor, can tell why. */
class LogLost extends Error {}

const endOfTurn = () => new Promise<void>(resolve => void setImmediate(resolve))

/** The audit log in a file that is open, intact at its end, and locked for this process. */
export class LockedAuditFile implements AuditFile {
  readonly tornPath: string | undefined
  readonly #path: string
  readonly #maxBytes: number
  readonly #maxAgeMs: number
  readonly #maxPending: number
  readonly #timeoutMs: number
  readonly #telemetry: (Telemetry & Partial<Measurements>) | undefined
  #lock: FileLock
  #handle: FileHandle
  #identity: Identity
  /** The length of what is durable: after a failure the file is cut back to it. */
  #size: number
  #rotateAt: number
  /** When the file's first record was made, in ms since the epoch. */
  #began: number
  #slowReportedAt = Number.NEGATIVE_INFINITY
  #lastLine: string | undefined
  #queue: Waiting[] = []
  /** Lines in the queue that somebody waits for. */
  #urgent = 0
  /** Writes those that nobody waits for, unless a group that is written before takes them along. */
  #later: NodeJS.Timeout | undefined
  /** Of the lines in the queue and of the group that is being written. */
  #pending = 0
  #writing: Promise<void> | undefined
  /** Why appends are refused until `ready` has repaired it. */
  #failure: Error | undefined
  /** The file is no longer this process's to write: nothing is repaired any more. */
  #lost = false
  /** What is being done to the file, perhaps past its deadline. Never rejects. */
  #operation: Promise<void> | undefined
  #repairing: Promise<boolean> | undefined
  #closed = false

  constructor(
    options: AuditFileOptions,
    lock: FileLock,
    handle: FileHandle,
    identity: Identity,
    found: { readonly lastLine: string | undefined; readonly began: number; readonly tornPath: string | undefined },
  ) {
    this.#path = options.path
    this.#maxBytes = options.maxBytes ?? 64 * MIB
    this.#maxAgeMs = options.maxAgeMs ?? Number.POSITIVE_INFINITY
    this.#maxPending = options.maxPending ?? 8 * MIB
    this.#timeoutMs = options.timeoutMs ?? 10_000
    this.#telemetry = options.telemetry
    this.#lock = lock
    this.#handle = handle
    this.#identity = identity
    this.#size = identity.size
    this.#rotateAt = this.#maxBytes
    this.#began = found.began
    this.#lastLine = found.lastLine
    this.tornPath = found.tornPath
  }

  async lastLine(): Promise<string | undefined> {
    return this.#lastLine
  }

  append(line: string, maxWaitMs = 0): Promise<void> {
    if (this.#closed) return Promise.reject(new Error(`${this.#path} is closed`))
    if (this.#pending + line.length > this.#maxPending) this.#fail('too many records wait for the disk')
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#pending += line.length
    return new Promise((resolve, reject) => {
      this.#queue.push({ line, resolve, reject })
      if (maxWaitMs > 0) {
        this.#later ??= setTimeout(() => this.#writeSoon(), maxWaitMs)
      } else {
        this.#urgent += 1
        this.#writing ??= this.#writeQueue()
      }
    })
  }

  async ready(): Promise<boolean> {
    if (this.#closed || this.#lost) return false
    try {
      if (this.#failure === undefined) {
        if (await withDeadline(this.#isInPlace(), this.#timeoutMs, 'timed out')) return true
        // In the middle of a rotation. A group that is being written finds out for itself.
        if (this.#writing !== undefined) return true
        this.#fail('the file is not in its place')
      }
      this.#repairing ??= this.#repair().finally(() => {
        this.#repairing = undefined
      })
      return await this.#repairing
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#queue.length > 0) this.#writeSoon()
    await this.#writing
    await this.#repairing
    const release = async () => {
      await this.#lock.release()
      await this.#handle.close()
    }
    // A disk that hangs may still write later: the lock stays as long.
    if (this.#operation === undefined) await release()
    else this.#operation.then(release).catch(() => undefined)
  }

  /** Writes group after group: all that waited while the one before was written. */
  async #writeQueue(): Promise<void> {
    for (await this.#gather(); this.#urgent > 0; await this.#gather()) {
      const group = this.#takeQueue()
      const lines = group.map(({ line }) => line)
      const bytes = Buffer.from(`${lines.join('\n')}\n`)
      const started = performance.now()
      try {
        this.#size = await this.#exclusively(() => this.#commit(bytes))
        this.#lastLine = lines.at(-1)
        for (const { resolve } of group) resolve()
        this.#measure(performance.now() - started)
      } catch (error) {
        const failure = this.#fail(reasonOf(error))
        for (const { reject } of group) reject(failure)
      }
      for (const { length } of lines) this.#pending -= length
    }
    this.#writing = undefined
  }

  #writeSoon(): void {
    this.#urgent += 1
    this.#writing ??= this.#writeQueue()
  }

  #takeQueue(): Waiting[] {
    const queue = this.#queue
    this.#queue = []
    this.#urgent = 0
    clearTimeout(this.#later)
    this.#later = undefined
    return queue
  }

  /**
   * What is appended in the same turn of the event loop goes together, and so does what the next turns bring, as long as each
   * brings something: a group costs far more than a line. A lone line waits for one turn.
   */
  async #gather(): Promise<void> {
    const until = performance.now() + MAX_GATHER_MS
    let known = 0
    do {
      known = this.#urgent
      await endOfTurn()
    } while (this.#urgent > known && performance.now() < until)
  }

  /** One write. Done only when the bytes are in the file that has the path's name, and nobody else's. The new length. */
  async #commit(bytes: Buffer): Promise<number> {
    if (this.#size > 0 && (this.#size + bytes.length > this.#rotateAt || this.#isOld())) await this.#rotate()
    const size = this.#size + bytes.length
    await writeAll(this.#handle, bytes)
    // The disk has just answered, so these two cost 3 µs each; through the thread pool they would cost 50.
    if (!this.#isMine(statSync(this.#path, { throwIfNoEntry: false }), size)) {
      throw new Error('the file was moved, removed or changed')
    }
    if (!this.#lock.held()) throw new Error('the lock file is gone')
    return size
  }

  /** What the disk took for a group: how long everybody in it waited for it. */
  #measure(ms: number): void {
    this.#telemetry?.observe?.('sallyport_audit_commit_seconds', undefined, ms / 1000)
    if (ms < SLOW_COMMIT_MS || performance.now() - this.#slowReportedAt < SLOW_REPORT_MS) return
    this.#slowReportedAt = performance.now()
    this.#telemetry?.log('warn', 'audit_slow', { file: this.#path, ms: Math.round(ms), waiting: this.#queue.length })
  }

  #isOld(): boolean {
    return Date.now() - this.#began > this.#maxAgeMs
  }

  /** Whether the path still leads to the file that is open. */
  async #isInPlace(): Promise<boolean> {
    return this.#isMine(await statOf(this.#path))
  }

  #isMine(there: Identity | undefined, size = there?.size): boolean {
    return there?.ino === this.#identity.ino && there.dev === this.#identity.dev && there.size === size
  }

  /** Moves the full file aside and starts the next. A log that cannot be moved goes on growing. */
  async #rotate(): Promise<void> {
    let rotated: string
    try {
      rotated = rotatedPath(this.#path, await rotatedSiblings(this.#path), Date.now())
      await rename(this.#path, rotated)
    } catch (error) {
      this.#rotateAt = this.#size + this.#maxBytes / 4
      this.#began += this.#maxAgeMs / 4
      this.#telemetry?.log('error', 'audit_rotation_failed', { file: this.#path, reason: reasonOf(error) })
      return
    }
    const next = await openDurable(this.#path, { isNew: true })
    await syncFolder(this.#path)
    await this.#adopt(next, await next.stat())
    this.#telemetry?.log('info', 'audit_rotated', { file: rotated })
  }

  async #adopt(handle: FileHandle, identity: Identity): Promise<void> {
    const old = this.#handle
    this.#handle = handle
    this.#identity = identity
    this.#size = identity.size
    this.#rotateAt = this.#maxBytes
    this.#began = Date.now()
    await old.close().catch(() => undefined)
  }

  /** Refuses everything that waits and that comes, until repaired. The group that is being written ends by itself. */
  #fail(reason: string): Error {
    if (this.#failure === undefined) {
      this.#failure = new Error(`${this.#path}: ${reason}`)
      this.#telemetry?.log('error', 'audit_file_failed', { file: this.#path, reason })
    }
    for (const { line, reject } of this.#takeQueue()) {
      this.#pending -= line.length
      reject(this.#failure)
    }
    return this.#failure
  }

  async #repair(): Promise<boolean> {
    await this.#writing
    if (this.#operation !== undefined || this.#closed) return false
    try {
      await this.#exclusively(() => this.#restore())
    } catch (error) {
      this.#lost ||= error instanceof LogLost || error instanceof LockTaken
      if (this.#lost) this.#telemetry?.log('error', 'audit_file_lost', { file: this.#path, reason: reasonOf(error) })
      return false
    }
    this.#failure = undefined
    return true
  }

  /** Cuts off what was written of rejected lines, finds or makes the file at the path, and sees whether it has room. */
  async #restore(): Promise<void> {
    const inPlace = await this.#isInPlace()
    const held = this.#lock.held()
    if (inPlace) {
      if (!held) throw new LogLost('the lock file was removed while the log was in use')
      const { size } = await this.#handle.stat()
      if (size < this.#size) throw new LogLost('the file was cut by someone else')
      await this.#handle.truncate(this.#size)
    } else {
      await this.#handle.truncate(this.#size)
      if (!held) await this.#lockAgain()
      await this.#reopen()
    }
    await this.#expectOwnEnd()
    try {
      await writeAll(this.#handle, PROBE)
    } finally {
      await this.#handle.truncate(this.#size)
      await this.#handle.datasync()
    }
  }

  /** The folder was removed with the lock in it, and is back. */
  async #lockAgain(): Promise<void> {
    const lock = await takeLock(`${this.#path}.lock`)
    await this.#lock.release()
    this.#lock = lock
  }

  /** The file was moved or removed: the chain goes on in a new one, or in a copy of the old that was put back. */
  async #reopen(): Promise<void> {
    const handle = await openDurable(this.#path)
    try {
      await syncFolder(this.#path)
      await this.#adopt(handle, await handle.stat())
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** The chain can only go on after its own last record, or in an empty file. */
  async #expectOwnEnd(): Promise<void> {
    const { lastLine, end } = await readTail(this.#handle)
    if (end !== this.#size || (end > 0 && lastLine !== this.#lastLine)) {
      throw new LogLost('the file does not end with the last record that was written')
    }
  }

  /** One operation on the file at a time. One that outlives its deadline has failed, but keeps the file busy. */
  async #exclusively<T>(operate: () => Promise<T>): Promise<T> {
    const operation = operate()
    const ended = () => {
      this.#operation = undefined
    }
    // Its outcome counts only if it comes in time.
    this.#operation = operation.then(ended, ended)
    return await withDeadline(operation, this.#timeoutMs, `no answer from the disk within ${this.#timeoutMs} ms`)
  }
}
