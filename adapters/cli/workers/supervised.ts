import { type ChildProcess, fork } from 'node:child_process'
import cluster from 'node:cluster'
import { lasting } from './add-series.ts'
import type { FromWorker, Series, ToWorker } from './messages.ts'
import { WORKER_VARIABLE } from './worker.ts'
import type { WorkerPlace } from './worker-config.ts'

/** For a new worker, until it listens. */
const READY_TIMEOUT_MS = 60_000

export type Ready = Extract<FromWorker, { kind: 'ready' }>
export interface WorkerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A worker, as its supervisor knows it. */
export class Supervised {
  readonly slot: number
  readonly startedAt = performance.now()
  /** Undefined where it ended, or did not listen in time. */
  readonly ready: Promise<Ready | undefined>
  readonly exited: Promise<WorkerExit>
  /** It was told to stop. */
  stopping = false
  /** The last of its counters that are known. */
  series: Series = []
  readonly #child: ChildProcess

  /** @param received what it says besides that it is ready, and its counters that nobody has asked for */
  constructor(place: WorkerPlace, received: (message: FromWorker) => void) {
    this.slot = place.slot
    this.#child = start({ ...process.env, [WORKER_VARIABLE]: `${place.slot}/${place.workers}` })
    const ready = Promise.withResolvers<Ready | undefined>()
    const exited = Promise.withResolvers<WorkerExit>()
    this.ready = ready.promise
    this.exited = exited.promise
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), READY_TIMEOUT_MS)
    this.#child.on('message', message => {
      const said = message as FromWorker
      if (said.kind === 'counters') this.series = said.series
      if (said.kind !== 'ready') return received(said)
      clearTimeout(timer)
      ready.resolve(said)
    })
    this.#child.on('error', () => this.#child.kill('SIGKILL'))
    this.#child.on('exit', (code, signal) => {
      clearTimeout(timer)
      this.series = lasting(this.series)
      ready.resolve(undefined)
      exited.resolve({ code, signal })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  stop(): void {
    this.stopping = true
    this.send({ kind: 'stop' })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/**
 * The same command again, in another process. On Node, node:cluster has this one open the listening sockets and deal out
 * connections, so that none is lost when a worker goes; on Bun, workers open sockets of their own on the same port.
 */
function start(env: NodeJS.ProcessEnv): ChildProcess {
  if (process.versions.bun === undefined) return cluster.fork(env).process
  return fork(process.argv[1] as string, process.argv.slice(2), { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}
