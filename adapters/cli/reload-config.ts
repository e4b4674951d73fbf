import type { Intent } from '../../src/audit/log.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { CommandFailure } from './failure.ts'
import type { RunningGateway } from './run-gateway.ts'
import type { ServableConfig } from './servable-config.ts'

const RELOADS = 'sallyport_config_reloads_total'
const LOADED_AT = 'sallyport_config_loaded_timestamp_seconds'
/** What stands for the status in records: as if somebody had asked for it over HTTP. */
const STATUS = { begun: 102, served: 200, refused: 400, failed: 500 } as const

type Gateway = Pick<RunningGateway, 'audit' | 'config' | 'reload'>

export interface ReloadOptions {
  /** Reads the configuration; rejects with a CommandFailure where it may not be served. */
  readonly read: () => Promise<ServableConfig>
  /** Where it is from, for people. */
  readonly file: string | undefined
  readonly gateway: Gateway
  readonly telemetry: Telemetry
}

/**
 * The configuration of a running gateway: reads its file anew when it is asked to, and puts it in force if all of it is
 * valid. Log, counters and audit log say what came of it.
 */
export class ConfigReload {
  readonly #read: () => Promise<ServableConfig>
  readonly #file: string | undefined
  readonly #gateway: Gateway
  readonly #telemetry: Telemetry
  #loadedAtS = 0
  #running: Promise<void> = Promise.resolve()
  /** Asked for again while it runs: once more is enough, however often. */
  #isQueued = false

  constructor({ read, file, gateway, telemetry }: ReloadOptions) {
    this.#read = read
    this.#file = file
    this.#gateway = gateway
    this.#telemetry = telemetry
    this.#loaded()
  }

  /** Reads it now, or once more behind the reading under way. Resolves after that; never rejects. */
  request(): Promise<void> {
    if (this.#isQueued) return this.#running
    this.#isQueued = true
    this.#running = this.#running.then(() => {
      this.#isQueued = false
      return this.#reload()
    })
    return this.#running
  }

  async #reload(): Promise<void> {
    const startedAt = performance.now()
    const audit = new ReloadRecords(this.#gateway)
    let read: ServableConfig | undefined
    try {
      read = await this.#read()
      await audit.begin(read.sha256)
      const { changed } = await this.#gateway.reload(read.config)
      this.#loaded()
      this.#telemetry.count(RELOADS, { result: 'loaded' })
      for (const { path, reason } of read.warnings) this.#telemetry.log('warn', 'config_warning', { path, reason })
      this.#telemetry.log('info', 'config_reloaded', {
        ...this.#about(read),
        changed: changed.join(', '),
        ms: Math.round(performance.now() - startedAt),
      })
      await audit.end('served')
    } catch (error) {
      const isRefusal = error instanceof CommandFailure
      const reason = error instanceof Error ? error.message : 'unknown'
      this.#telemetry.count(RELOADS, { result: isRefusal ? 'refused' : 'failed' })
      this.#telemetry.log('error', 'config_not_reloaded', { ...this.#about(read), reason })
      await audit.end(isRefusal ? 'refused' : 'failed', reason)
    }
  }

  #about(read: ServableConfig | undefined) {
    return { file: this.#file, ...(read && { sha256: read.sha256 }) }
  }

  #loaded(): void {
    const nowS = Math.floor(Date.now() / 1000)
    // Gauges are added to.
    this.#telemetry.count(LOADED_AT, undefined, nowS - this.#loadedAtS)
    this.#loadedAtS = nowS
  }
}

/** The records of one reload: that it begins, before it takes effect, and how it ended. */
class ReloadRecords {
  readonly #gateway: Gateway
  readonly #requestId = `reload_${crypto.randomUUID()}`
  readonly #startedAt = performance.now()
  readonly #intent: Intent = { seq: undefined }
  #target: string | undefined

  constructor(gateway: Gateway) {
    this.#gateway = gateway
  }

  /** @throws CommandFailure where nothing may happen that is not recorded */
  async begin(sha256: string): Promise<void> {
    this.#target = `sha256:${sha256}`
    if (await this.#append('begun')) return
    throw new CommandFailure('the audit log cannot be written, and audit.onFailure is deny')
  }

  async end(outcome: 'served' | 'refused' | 'failed', reason?: string): Promise<void> {
    await this.#append(outcome, reason)
  }

  /** Whether it is in the log, or need not be. */
  async #append(outcome: keyof typeof STATUS, reason?: string): Promise<boolean> {
    const { audit, config } = this.#gateway
    const entry = {
      time: Date.now(),
      requestId: this.#requestId,
      method: 'SIGHUP',
      route: 'config',
      action: 'config.reload',
      target: this.#target,
      status: STATUS[outcome],
      outcome,
      reason: reason?.slice(0, MAX_REASON),
      latencyMs: performance.now() - this.#startedAt,
      stream: false,
      guard: [],
    }
    try {
      await audit.append(entry, this.#intent)
      return true
    } catch {
      return config.audit.onFailure === 'serve'
    }
  }
}

/** Characters of a reason that a record holds; the log line has more. */
const MAX_REASON = 500
