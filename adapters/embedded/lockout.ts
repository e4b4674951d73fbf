import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { LOCKOUT, type LockoutPolicy, lockoutKey } from '../../src/auth/lockout-policy.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Lockout } from '../../src/ports/lockout.ts'

/** Counts a failure under a key, or rejects with a `RateLimiterRes` that says for how long the key is locked. */
interface FailureCounter {
  consume(key: string): Promise<unknown>
}

/** Lock-out of a single instance, in memory. */
export function createEmbeddedLockout(clock: Clock, policy: LockoutPolicy = LOCKOUT): Lockout {
  return createLockoutOn(createMemoryCounter(policy), clock, policy)
}

/** A lock-out that counts with `counter` and remembers here who is locked, so that asking never waits. */
export function createLockoutOn(counter: FailureCounter, clock: Clock, policy: LockoutPolicy): Lockout {
  const lockedUntil = new Map<string, number>()

  const lockedForMs = (name: string) => {
    const key = lockoutKey(name)
    const left = Math.ceil((lockedUntil.get(key) ?? 0) - clock.monotonic())
    if (left <= 0) lockedUntil.delete(key)
    return Math.max(0, left)
  }

  return {
    lockedForMs,
    async failed(name) {
      if (lockedForMs(name) > 0) return
      const key = lockoutKey(name)
      try {
        await counter.consume(key)
      } catch (refusal) {
        // The limiter refuses with a value that is no Error; whatever else it rejects with leaves nothing to count.
        if (!(refusal instanceof RateLimiterRes)) return
        lockedUntil.set(key, clock.monotonic() + refusal.msBeforeNext)
        if (lockedUntil.size > policy.maxAddresses) forgetOldest(lockedUntil)
      }
    },
  }
}

/** What a counter of rate-limiter-flexible needs, so that the failure of the policy is the one that is refused. */
export function counterOptions(policy: LockoutPolicy): { points: number; duration: number; blockDuration: number } {
  return { points: policy.failures - 1, duration: policy.windowMs / 1000, blockDuration: policy.lockMs / 1000 }
}

export function createMemoryCounter(policy: LockoutPolicy): RateLimiterMemory {
  return new BoundedCounter(policy)
}

/** RateLimiterMemory keeps every key until its time is over; this one forgets the least recent beyond a number. */
class BoundedCounter extends RateLimiterMemory {
  readonly #recent = new Map<string, true>()
  readonly #maxKeys: number

  constructor(policy: LockoutPolicy) {
    super(counterOptions(policy))
    this.#maxKeys = policy.maxAddresses
  }

  override async consume(key: string, points?: number): Promise<RateLimiterRes> {
    this.#recent.delete(key)
    this.#recent.set(key, true)
    if (this.#recent.size > this.#maxKeys) await this.delete(forgetOldest(this.#recent))
    return super.consume(key, points)
  }
}

function forgetOldest(entries: Map<string, unknown>): string {
  const [oldest = ''] = entries.keys()
  entries.delete(oldest)
  return oldest
}
