import type { Clock } from '../ports/clock.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import { importKeySet, type KeySet } from './key-set.ts'

/** A JWK Set as it was found; `unchanged` where it is the one that was found last. */
export type LoadedKeys =
  | { readonly ok: true; readonly jwks: unknown }
  | { readonly ok: true; readonly unchanged: true }
  | { readonly ok: false; readonly reason: string }

/**
 * Looks for a JWK Set; only where what was found last is in force may it answer `unchanged`. Settles within a deadline of its
 * own; never rejects.
 */
export type LoadKeys = (inForce: boolean) => Promise<LoadedKeys>

export interface KeySchedule {
  /** Between a good look and the next. */
  readonly everyMs: number
  /** Between a look that failed and the next. */
  readonly retryMs: number
  /** From the start of any look, good or not, until a token with an unknown key may ask for another. */
  readonly cooldownMs: number
  /** For how long after the last good look its keys go on; then there are none. */
  readonly maxStaleMs: number
}

export interface KeySourceOptions {
  readonly issuer: string
  readonly load: LoadKeys
  readonly schedule: KeySchedule
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/**
 * The keys of one issuer, looked for again and again. A look that fails changes nothing until the last good one is too
 * old; a key that is no longer there is gone with the next good look. A key that stays is the same object before and after.
 */
export class KeySource {
  #keys: KeySet | undefined
  #failure: string | undefined
  #looking: Promise<void> | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #goodAtMs = Number.NEGATIVE_INFINITY
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #options: KeySourceOptions

  constructor(options: KeySourceOptions) {
    this.#options = options
  }

  /** Those in force; undefined while none were ever found, and when the last found are too old. */
  get keys(): KeySet | undefined {
    return this.#keys
  }

  /** What is wrong, if the last look failed. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Looks now. Resolves after that, whatever came of it. */
  look(): Promise<void> {
    this.#lookedAtMs = this.#options.clock.monotonic()
    this.#looking ??= this.#load().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Goes on looking, on schedule, until `close`. Once is enough. */
  watch(): void {
    if (this.#closed || this.#timer !== undefined) return
    const { everyMs, retryMs } = this.#options.schedule
    const again = () =>
      void this.look().then(() => {
        this.#timer = undefined
        this.watch()
      })
    this.#timer = setTimeout(again, this.#failure === undefined ? everyMs : retryMs)
  }

  /** Looks for a key that a token names and the set lacks: joins the look under way. Undefined while it is too soon. */
  reload(): Promise<void> | undefined {
    if (this.#looking !== undefined) return this.#looking
    const { clock, schedule } = this.#options
    return clock.monotonic() - this.#lookedAtMs < schedule.cooldownMs ? undefined : this.look()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #load(): Promise<void> {
    const loaded = await this.#options.load(this.#keys !== undefined && this.#failure === undefined)
    if (!loaded.ok) return this.#failed(loaded.reason)
    if ('jwks' in loaded) {
      const imported = await importKeySet(loaded.jwks, this.#keys)
      if (!imported.ok) return this.#failed(imported.reason)
      this.#replace(imported.keySet)
    }
    this.#failure = undefined
    this.#goodAtMs = this.#options.clock.monotonic()
  }

  #replace(keys: KeySet): void {
    const before = this.#keys
    this.#keys = keys
    const added = [...keys].filter(([kid, key]) => before?.get(kid) !== key).length
    const removed = [...(before ?? [])].filter(([kid, key]) => keys.get(kid) !== key).length
    if (added + removed === 0) return
    const { telemetry, issuer } = this.#options
    telemetry.log('info', 'token_keys_loaded', { issuer, keys: keys.size, added, removed })
  }

  #failed(reason: string): void {
    const { clock, telemetry, issuer, schedule } = this.#options
    telemetry.count('sallyport_key_load_failures_total', { issuer })
    if (reason !== this.#failure) telemetry.log('warn', 'token_keys_not_loaded', { issuer, reason })
    this.#failure = reason
    if (this.#keys === undefined || clock.monotonic() - this.#goodAtMs < schedule.maxStaleMs) return
    this.#keys = undefined
    telemetry.log('error', 'token_keys_too_old', { issuer, reason })
  }
}
