import { Cluster, Redis } from 'ioredis'
import { StoreUnavailableError } from '../../src/ports/state-store.ts'
import type { Measurements, Telemetry } from '../../src/ports/telemetry.ts'
import { Deadlines, type Waiting } from './deadlines.ts'
import { parseRedisUrl } from './location.ts'
import { ScriptCall, type ScriptInput } from './script-call.ts'
import type { Script } from './scripts.ts'
import { Turn } from './turn.ts'

/** A decision on a request waits this long for the store. A healthy one answers in well under a millisecond. */
const DEFAULT_TIMEOUT_MS = 100
/** A connection on which nothing answers for this long is taken to be dead, and made anew. */
const DEAD_CONNECTION_MS = 2_000
const CONNECT_TIMEOUT_MS = 1_000
/** Attempts to connect again are at most this far apart, so that a store that is back is noticed within a second. */
const MAX_RECONNECT_DELAY_MS = 500

export interface RedisClientOptions {
  /** Any form that `parseRedisUrl` knows. */
  readonly url: string
  /** Every command decides within this time. */
  readonly timeoutMs?: number
  readonly telemetry?: Telemetry & Partial<Measurements>
}

/** One connection (or one to each node of a cluster), shared by everything that keeps state in Redis. */
export interface RedisClient {
  readonly redis: Redis | Cluster
  /**
   * Runs a command. Rejects with `StoreUnavailableError` when the store fails or does not answer within the time-out:
   * then it is unknown whether the command ran, and `onLate` is called, while the connection still stands.
   */
  run<T>(command: (redis: Redis | Cluster) => Promise<T>, onLate?: () => void): Promise<T>
  /** As `run`, for a script: one round trip, except where the server has not seen it yet, or has forgotten it. */
  evaluate(script: Script, input: ScriptInput, onLate?: () => void): Promise<unknown>
  /** Calls back, once, when what this turn of the event loop has sent is about to leave: what is sent then goes with it. */
  atEndOfTurn(callback: () => void): void
  close(): Promise<void>
}

/**
 * Connects in the background and again whenever the connection is lost, for ever. Commands are never queued for a later
 * connection and never sent twice: a caller who was told "unavailable" must not be charged afterwards. Only the very
 * first connection is waited for, within the time-out. Log lines name hosts, never users or passwords.
 */
export function createRedisClient(options: RedisClientOptions): RedisClient {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, telemetry } = options
  const { redis, name } = connect(options.url, timeoutMs)
  let starting = true
  const started = Promise.withResolvers<void>()
  const startedOrFailed = () => {
    starting = false
    started.resolve()
  }
  let up = false
  redis.on('ready', () => {
    up = true
    startedOrFailed()
    telemetry?.log('info', 'redis_connected', { redis: name })
  })
  redis.on('close', () => {
    startedOrFailed()
    if (up) telemetry?.log('warn', 'redis_disconnected', { redis: name })
    up = false
  })
  redis.on('error', error => telemetry?.log('warn', 'redis_error', { redis: name, reason: reasonOf(error) }))

  const measure = (ms: number) => telemetry?.observe?.('sallyport_redis_round_trip_seconds', undefined, ms / 1000)
  const turn = new Turn(redis, new Deadlines(timeoutMs))
  function decide<T>(begin: (decision: Decision<T>) => void, onLate?: () => void): Promise<T> {
    const decision = new Decision<T>(redis, timeoutMs, measure, onLate)
    turn.add(decision)
    if (starting) void started.promise.then(() => decision.late || begin(decision))
    else begin(decision)
    return decision.made
  }

  return {
    redis,
    run: (command, onLate) => decide(decision => decision.follow(command(redis)), onLate),
    evaluate(script, input, onLate) {
      const send = (whole: boolean): Promise<unknown> => {
        const call = new ScriptCall(script, input, whole)
        redis.sendCommand(call)
        return call.promise
      }
      return decide(decision => {
        decision.follow(send(false), error => {
          const isUnknown = error instanceof Error && error.message.startsWith('NOSCRIPT')
          if (isUnknown && !decision.late) decision.follow(send(true))
          else decision.fail(error)
        })
      }, onLate)
    },
    atEndOfTurn: callback => turn.atEnd(callback),
    close: async () => redis.disconnect(),
  }
}

/** What comes of one command: its answer, its failure, or nothing in time. */
class Decision<T> implements Waiting {
  decided = false
  late = false
  readonly made: Promise<T>
  readonly #redis: Redis | Cluster
  readonly #timeoutMs: number
  readonly #measure: (ms: number) => void
  readonly #onLate: (() => void) | undefined
  readonly #madeAt = performance.now()
  #resolve: (value: T) => void = () => {}
  #reject: (error: StoreUnavailableError) => void = () => {}

  constructor(
    redis: Redis | Cluster,
    timeoutMs: number,
    measure: (ms: number) => void,
    onLate: (() => void) | undefined,
  ) {
    this.#measure = measure
    this.#redis = redis
    this.#timeoutMs = timeoutMs
    this.#onLate = onLate
    this.made = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Decides as the answer does. */
  follow(answer: Promise<T>, failed = this.fail): void {
    answer.then(this.#succeed, failed)
  }

  readonly #succeed = (value: T): void => {
    this.decided = true
    this.#measure(performance.now() - this.#madeAt)
    this.#resolve(value)
  }

  readonly fail = (error: unknown): void => {
    this.decided = true
    this.#reject(new StoreUnavailableError(failed(error)))
  }

  giveUp(): void {
    this.decided = true
    this.late = true
    this.#reject(new StoreUnavailableError(`Redis did not answer within ${this.#timeoutMs} ms`))
    if (this.#redis.status === 'ready') this.#onLate?.()
  }
}

function connect(url: string, timeoutMs: number): { redis: Redis | Cluster; name: string } {
  const location = parseRedisUrl(url)
  const { name } = location
  const delay = (attempt: number) => Math.min(25 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS)
  const perNode = {
    // Of commands that others send on the connection: those of `run` are given up sooner.
    commandTimeout: 2 * timeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: Math.max(DEAD_CONNECTION_MS, 2 * timeoutMs),
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  }
  const common = { enableOfflineQueue: false }
  if (location.kind === 'cluster') {
    const redis = new Cluster(location.nodes, {
      ...common,
      redisOptions: { ...perNode, ...location.options },
      clusterRetryStrategy: delay,
      slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
      // Sent again well within the time-out: later, what was given up and forgotten in the store would be charged.
      retryDelayOnFailover: 10,
      retryDelayOnClusterDown: 10,
    })
    return { name, redis }
  }
  const reconnection = { retryStrategy: delay, sentinelRetryStrategy: delay }
  return { name, redis: new Redis({ ...common, ...perNode, ...reconnection, ...location.options }) }
}

/** The message of a command that failed. */
export function failed(error: unknown): string {
  return `Redis failed: ${reasonOf(error)}`
}

/**
 * What went wrong in a few words: the code of a network error, or the first word of Redis's own answer (`LOADING`,
 * `READONLY`, `WRONGPASS`). Nothing more, because the rest may quote what was sent.
 */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as NodeJS.ErrnoException
  return code ?? /^[A-Z]{2,}\b/.exec(error.message)?.[0] ?? 'no connection'
}
