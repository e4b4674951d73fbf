import type { Clock } from '../../src/ports/clock.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { expiryOf, SlidingWindow, type WindowSnapshot } from '../../src/quota/window.ts'
import type { Database } from './database.ts'

/** What a process that is killed forgets of its charges, at most, while the disk keeps up. */
const WRITE_EVERY_MS = 1_000
/** Shorter windows are over soon after a restart, and would be written as often as longer ones. */
const SHORTEST_KEPT_MS = 10_000
/** Windows in one transaction: nothing else is served for these few milliseconds. */
const MOST_AT_ONCE = 500
/** Between two transactions while more than that have changed. */
const SOON_MS = 20

const FORGET = 'DELETE FROM quota_window WHERE until <= :now'
const READ = 'SELECT name, window_ms, used FROM quota_window'
const KEEP = `
  INSERT INTO quota_window VALUES (:name, :windowMs, :until, :used)
  ON CONFLICT (name) DO UPDATE SET until = :until, used = :used`

/**
 * The windows of a single instance in its SQLite file, so that they outlive it. What has changed is written at most once a
 * second, behind the requests: none waits for the disk, and none fails with it. While it fails, the windows count in
 * memory as ever, and what has changed is written once it works again.
 */
export class KeptWindows {
  readonly #database: Database
  readonly #now: () => number
  readonly #telemetry: Telemetry | undefined
  readonly #changed = new Map<string, SlidingWindow>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #failing = false

  constructor(database: Database, clock: Clock, telemetry?: Telemetry) {
    this.#database = database
    // As the store counts, or what it charges would look older or newer than it is.
    const epoch = clock.now() - clock.monotonic()
    this.#now = () => Math.floor(epoch + clock.monotonic())
    this.#telemetry = telemetry
  }

  /** What earlier processes have left, by name. @throws StoreUnavailableError where the file cannot be read */
  restore(): Map<string, SlidingWindow> {
    const windows = new Map<string, SlidingWindow>()
    this.#database.run(FORGET, { now: this.#now() })
    for (const { name, window_ms: windowMs, used } of this.#database.all(READ)) {
      windows.set(String(name), new SlidingWindow(Number(windowMs), JSON.parse(String(used)) as WindowSnapshot))
    }
    return windows
  }

  /** To be called after every change of a window. */
  changed(name: string, window: SlidingWindow): void {
    if (window.windowMs < SHORTEST_KEPT_MS) return
    this.#changed.set(name, window)
    this.#schedule(WRITE_EVERY_MS)
  }

  /** Writes what is left to write. The database stays open. */
  close(): void {
    clearTimeout(this.#timer)
    while (this.#changed.size > 0 && this.#write());
  }

  #schedule(ms: number): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const written = this.#write()
      if (this.#changed.size > 0) this.#schedule(written ? SOON_MS : WRITE_EVERY_MS)
    }, ms)
    this.#timer.unref()
  }

  /** Writes some of the changed windows, or none of them where the disk fails: then it returns false. */
  #write(): boolean {
    const some = [...this.#changed].slice(0, MOST_AT_ONCE)
    const now = this.#now()
    try {
      this.#database.quickTransaction(() => {
        this.#database.run(FORGET, { now })
        for (const [name, window] of some) this.#keep(name, window, now)
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown'
      if (!this.#failing) this.#telemetry?.log('warn', 'quota_windows_not_kept', { reason })
      this.#telemetry?.count('sallyport_store_failures_total', { operation: 'keep' })
      this.#failing = true
      // A disk that fails for long must not hold what nobody needs any more.
      for (const [name, window] of this.#changed) if (window.isOver(now)) this.#changed.delete(name)
      return false
    }
    if (this.#failing) this.#telemetry?.log('info', 'quota_windows_kept_again')
    this.#failing = false
    for (const [name] of some) this.#changed.delete(name)
    return true
  }

  #keep(name: string, window: SlidingWindow, now: number): void {
    const used = window.snapshot(now)
    const [newest] = used.at(-1) ?? []
    if (newest === undefined) return
    const { windowMs } = window
    this.#database.run(KEEP, { name, windowMs, until: expiryOf(newest, windowMs), used: JSON.stringify(used) })
  }
}
