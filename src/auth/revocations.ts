import { REVOCATION_POLL_MS } from '../config/limits.ts'
import type { Clock } from '../ports/clock.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { TokenRegistry } from '../ports/token-registry.ts'
import { RevocationList, type TokenOwner } from './revocation-list.ts'

export interface RevocationPolicy {
  /** For how long what was last read counts while nothing else can be read. */
  readonly maxAgeMs: number
  /** What `standing` says after that, and before the first read. */
  readonly onFailure: 'deny' | 'serve'
}

export interface RevocationsOptions extends RevocationPolicy {
  readonly registry: TokenRegistry
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** Called after revocations have come into force. */
  readonly changed?: () => void
}

/** `unknown`: it cannot be found out, and policy says not to serve then. */
export type Standing = 'good' | 'revoked' | 'unknown'

const SWEEP_MS = 600_000

/**
 * What one instance knows of revocations, in memory: asking costs nothing that waits. Kept up by a look into the registry
 * twice a second, and at once where the registry says that something has changed.
 *
 * What it knows, it never forgets while it counts. If the registry has been emptied, it writes back what is missing there.
 */
export class Revocations {
  #options: RevocationsOptions
  readonly #list = new RevocationList()
  #cursor: string | undefined
  /** When the last read that succeeded was begun. */
  #readAtMs = Number.NEGATIVE_INFINITY
  #sweptAtMs: number
  #fresh = false
  #failing = false
  #reading: Promise<void> | undefined
  #again = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #endWatch: (() => void) | undefined
  #closed = false

  constructor(options: RevocationsOptions) {
    this.#options = options
    this.#sweptAtMs = options.clock.monotonic()
  }

  /** Reads for the first time and keeps reading from then on; resolves after the first attempt. Never rejects. */
  async start(): Promise<void> {
    this.#endWatch = this.#options.registry.watch(() => void this.refresh())
    await this.refresh()
    this.#schedule()
  }

  /** Takes another policy, from the next question on. */
  configure(policy: RevocationPolicy): void {
    this.#options = { ...this.#options, ...policy }
  }

  /** Whether what is known is recent enough to go by. */
  get fresh(): boolean {
    return this.#fresh
  }

  /** What is to be thought of a token. One that is known to be revoked stays so, however old that knowledge is. */
  standing(owner: TokenOwner): Standing {
    if (this.#list.isRevoked(owner)) return 'revoked'
    return this.#fresh || this.#options.onFailure === 'serve' ? 'good' : 'unknown'
  }

  isRevoked(owner: TokenOwner): boolean {
    return this.#list.isRevoked(owner)
  }

  /** Reads now, or once more if it is reading already. Never rejects. */
  refresh(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    if (this.#reading) {
      this.#again = true
      return this.#reading
    }
    this.#reading = this.#readUntilCurrent().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#endWatch?.()
  }

  #schedule(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.refresh().then(() => this.#schedule()), REVOCATION_POLL_MS)
  }

  async #readUntilCurrent(): Promise<void> {
    do {
      this.#again = false
      await this.#read()
    } while (this.#again && !this.#failing && !this.#closed)
  }

  async #read(): Promise<void> {
    const { registry, clock, telemetry, maxAgeMs, changed } = this.#options
    const startedAtMs = clock.monotonic()
    try {
      const { revocations, cursor, complete } = await registry.revocations(this.#cursor)
      const lost = complete ? this.#list.without(new Set(revocations.map(({ id }) => id))) : []
      const added = this.#list.add(revocations, clock.now())
      this.#readAtMs = startedAtMs
      this.#fresh = true
      if (added > 0) changed?.()
      await this.#writeBack(lost)
      if (this.#failing) telemetry.log('info', 'revocations_read_again')
      this.#failing = false
      // Only now: where writing back failed, all is read, and compared, again.
      this.#cursor = cursor
      if (startedAtMs - this.#sweptAtMs >= SWEEP_MS) {
        this.#sweptAtMs = startedAtMs
        this.#list.sweep(clock.now())
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown'
      telemetry.count('sallyport_store_failures_total', { operation: 'revocations' })
      if (!this.#failing) telemetry.log('warn', 'revocations_unread', { reason })
      this.#failing = true
      if (!this.#fresh || clock.monotonic() - this.#readAtMs < maxAgeMs) return
      this.#fresh = false
      telemetry.log('error', 'revocations_too_old', { maxAgeMs })
    }
  }

  /** The registry knows less than was read from it before: its data were lost. */
  async #writeBack(lost: ReturnType<RevocationList['without']>): Promise<void> {
    const nowMs = this.#options.clock.now()
    const wanted = lost.filter(({ untilMs }) => untilMs > nowMs)
    if (wanted.length === 0) return
    this.#options.telemetry.log('warn', 'revocations_written_back', { count: wanted.length })
    for (const revocation of wanted) await this.#options.registry.revoke(revocation)
  }
}
