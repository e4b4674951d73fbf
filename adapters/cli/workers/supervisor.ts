import { SHUTDOWN_DRAIN_MS } from '../../../src/config/limits.ts'
import type { NodeTelemetry } from '../../node/telemetry.ts'
import { CommandFailure } from '../failure.ts'
import { addSeries } from './add-series.ts'
import type { FromWorker, Series } from './messages.ts'
import { Supervised } from './supervised.ts'

/** A worker that ends on its own is started again after this long, each time in a row twice as long. */
const FIRST_RESTART_MS = 250
const LAST_RESTART_MS = 30_000
/** One that has lived so long has not failed at the start. */
const HEALTHY_AFTER_MS = 60_000
/** Beyond the time that answers have to finish: then it is killed, before whoever started all this kills them. */
const STOP_MARGIN_MS = 10_000
/** For a worker's counters; then the last that are known count. */
const COUNT_TIMEOUT_MS = 1000

/** Starts workers, starts again those that end, and passes on what it is told. Serves nothing itself. */
export class Supervisor {
  readonly #count: number
  readonly #telemetry: NodeTelemetry
  readonly #workers = new Set<Supervised>()
  /** What workers that are gone have counted. */
  readonly #gone = new Map<string, number>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  readonly #answers = new Map<number, (series: Series) => void>()
  #asked = 0
  #failures = 0
  #stopping = false
  #rolling: Promise<void> = Promise.resolve()

  constructor(count: number, telemetry: NodeTelemetry) {
    this.#count = count
    this.#telemetry = telemetry
  }

  /**
   * Starts the first worker, and when it listens the others.
   * @throws CommandFailure where it does not, having said why itself
   */
  async start(): Promise<{ readonly url: string; readonly adminUrl: string | undefined; readonly sha256: string }> {
    const ready = await this.#begin().ready
    if (!ready) {
      await this.stop()
      throw new CommandFailure('the first worker did not start')
    }
    const others = Array.from({ length: this.#count - 1 }, () => this.#begin().ready)
    await Promise.all(others)
    return { url: ready.url, adminUrl: ready.adminUrl, sha256: ready.sha256 }
  }

  /** Has every worker read the configuration again. */
  reload(): void {
    for (const worker of this.#workers) worker.send({ kind: 'reload' })
  }

  /**
   * Puts a new worker, of the program and the configuration as they are on disk now, in the place of each: one at a time, and
   * the old one is told to stop when the new one listens. A new one that does not start ends it.
   */
  roll(): Promise<void> {
    this.#rolling = this.#rolling.then(() => this.#roll())
    return this.#rolling
  }

  /** Lets all workers finish. Resolves when they are gone. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const timer of this.#restarts) clearTimeout(timer)
    const all = [...this.#workers]
    for (const worker of all) worker.stop()
    const timer = setTimeout(() => this.kill(), SHUTDOWN_DRAIN_MS + STOP_MARGIN_MS)
    await Promise.all(all.map(({ exited }) => exited))
    clearTimeout(timer)
  }

  kill(): void {
    for (const worker of this.#workers) worker.kill()
  }

  async #roll(): Promise<void> {
    const old = [...this.#workers].filter(({ stopping }) => !stopping)
    this.#telemetry.log('info', 'workers_rolling', { workers: old.length })
    for (const worker of old) {
      if (this.#stopping) return
      const next = this.#begin()
      if (!(await next.ready)) {
        this.#telemetry.log('error', 'workers_not_rolled', { reason: 'a new worker did not start' })
        return
      }
      worker.stop()
    }
    await Promise.all(old.map(({ exited }) => exited))
    this.#telemetry.log('info', 'workers_rolled')
  }

  #begin(): Supervised {
    const taken = new Set([...this.#workers].map(({ slot }) => slot))
    let slot = 1
    while (taken.has(slot)) slot++
    const worker = new Supervised({ slot, workers: this.#count }, message => this.#receive(worker, message))
    this.#workers.add(worker)
    this.#telemetry.count('sallyport_worker_starts_total')
    void worker.exited.then(exit => this.#ended(worker, exit))
    return worker
  }

  #ended(worker: Supervised, exit: { readonly code: number | null; readonly signal: string | null }): void {
    this.#workers.delete(worker)
    addSeries(this.#gone, worker.series)
    const about = {
      worker: worker.slot,
      pid: worker.pid,
      code: exit.code ?? undefined,
      signal: exit.signal ?? undefined,
    }
    if (worker.stopping || this.#stopping) return this.#telemetry.log('info', 'worker_stopped', about)
    this.#telemetry.count('sallyport_worker_crashes_total')
    const isMissing = [...this.#workers].filter(({ stopping }) => !stopping).length < this.#count
    if (!isMissing) return this.#telemetry.log('error', 'worker_ended', about)
    this.#failures = performance.now() - worker.startedAt > HEALTHY_AFTER_MS ? 0 : this.#failures + 1
    const restartMs = Math.min(LAST_RESTART_MS, FIRST_RESTART_MS * 2 ** Math.max(0, this.#failures - 1))
    this.#telemetry.log('error', 'worker_ended', { ...about, restartMs })
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      this.#begin()
    }, restartMs)
    this.#restarts.add(timer)
  }

  #receive(worker: Supervised, message: FromWorker): void {
    if (message.kind === 'collect') {
      const { id } = message
      void this.#collect().then(series => worker.send({ kind: 'collected', id, series }))
    } else if (message.kind === 'counters' && message.id !== undefined) {
      this.#answers.get(message.id)?.(message.series)
    }
  }

  /** The counters of all workers, of those that are gone and of this process. */
  async #collect(): Promise<Series> {
    const workers = [...this.#workers]
    await Promise.all(workers.map(worker => this.#ask(worker)))
    const sum = new Map(this.#gone)
    addSeries(sum, [...this.#telemetry.snapshot(), ['sallyport_workers', workers.length]])
    for (const { series } of workers) addSeries(sum, series)
    return [...sum]
  }

  /** Brings what is known of a worker's counters up to date. Resolves at the deadline at the latest. */
  #ask(worker: Supervised): Promise<void> {
    const id = ++this.#asked
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = () => {
      clearTimeout(timer)
      this.#answers.delete(id)
      resolve()
    }
    const timer = setTimeout(end, COUNT_TIMEOUT_MS)
    this.#answers.set(id, end)
    worker.send({ kind: 'count', id })
    return promise
  }
}
