import type { FromWorker, Series, ToWorker } from './messages.ts'
import type { WorkerPlace } from './worker-config.ts'

/** `slot/workers`: set by the supervisor, for the processes it starts. */
export const WORKER_VARIABLE = 'SALLYPORT_WORKER'
/** For the counters of all workers. */
const COLLECT_TIMEOUT_MS = 3000

/** Which worker this process is; undefined where it is none. */
export function workerPlace(): WorkerPlace | undefined {
  const [, slot, workers] = /^(\d+)\/(\d+)$/.exec(process.env[WORKER_VARIABLE] ?? '') ?? []
  return slot === undefined || process.send === undefined ? undefined : { slot: Number(slot), workers: Number(workers) }
}

/** A worker that has failed ends, though the line to its supervisor is open. */
export function letGo(): void {
  process.channel?.unref()
}

/** A worker's end of the line to its supervisor. */
export class SupervisorLink {
  readonly #counters: () => ReadonlyMap<string, number>
  readonly #stopped = Promise.withResolvers<string>()
  readonly #waiting = new Map<number, (series: Series) => void>()
  #collected = 0

  /** @param counters of this process, now */
  constructor(counters: () => ReadonlyMap<string, number>) {
    this.#counters = counters
    process.on('message', message => this.#receive(message as ToWorker))
    // Without a supervisor nobody else would end it.
    process.on('disconnect', () => this.#stopped.resolve('disconnect'))
    process.on('SIGTERM', () => this.#stopped.resolve('SIGTERM'))
    // A terminal sends it to the supervisor too, which says what to do.
    process.on('SIGINT', () => {})
  }

  /** Resolves with what asked this worker to stop. Asking again changes nothing: whoever wants it gone at once kills it. */
  get stopped(): Promise<string> {
    return this.#stopped.promise
  }

  ready(about: Omit<Extract<FromWorker, { kind: 'ready' }>, 'kind'>): void {
    send({ kind: 'ready', ...about })
  }

  /** The counters of all workers together. Rejects when the supervisor does not answer in time. */
  collect(): Promise<ReadonlyMap<string, number>> {
    const id = ++this.#collected
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, number>>()
    const timer = setTimeout(() => {
      this.#waiting.delete(id)
      reject(new Error('the supervisor does not answer'))
    }, COLLECT_TIMEOUT_MS)
    this.#waiting.set(id, series => {
      clearTimeout(timer)
      resolve(new Map(series))
    })
    send({ kind: 'collect', id })
    return promise
  }

  /** Leaves the last counters behind, and lets the process end. */
  async close(): Promise<void> {
    if (!process.connected) return
    await new Promise<void>(resolve => {
      send({ kind: 'counters', series: [...this.#counters()] }, resolve)
    })
    process.disconnect()
  }

  #receive(message: ToWorker): void {
    switch (message.kind) {
      case 'stop':
        return this.#stopped.resolve('supervisor')
      case 'reload':
        // As if it had come here: certificates listen to it, too.
        return void process.emit('SIGHUP', 'SIGHUP')
      case 'count':
        return send({ kind: 'counters', id: message.id, series: [...this.#counters()] })
      case 'collected':
        this.#waiting.get(message.id)?.(message.series)
        this.#waiting.delete(message.id)
    }
  }
}

function send(message: FromWorker, done: () => void = () => {}): void {
  // A supervisor that is gone has ended this process's work already.
  if (!process.connected) return done()
  process.send?.(message, undefined, undefined, () => done())
}
