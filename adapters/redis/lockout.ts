import { RateLimiterRedis } from 'rate-limiter-flexible'
import { LOCKOUT, type LockoutPolicy } from '../../src/auth/lockout-policy.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Lockout } from '../../src/ports/lockout.ts'
import { counterOptions, createLockoutOn, createMemoryCounter } from '../embedded/lockout.ts'
import type { RedisClient } from './client.ts'
import { SCHEMA_VERSION } from './scripts.ts'

/**
 * Lock-out whose failures all instances count together; each learns that an address is locked from the first failure
 * that it reports itself. While Redis is down, every instance counts on its own.
 *
 * The library's own memory of blocked keys (`inMemoryBlockOnConsumed`) is left off: without a duration of its own it
 * skips `blockDuration`, with one it starts the lock anew on every instance. `createLockoutOn` keeps the time that is
 * really left, and spares Redis just the same. Nor does it get a script of its own, which would replace that of every
 * other limiter on the connection.
 */
export function createRedisLockout(
  client: RedisClient,
  clock: Clock,
  policy: LockoutPolicy = LOCKOUT,
  prefix = 'sallyport',
  /** Keeps the keys of two lock-outs apart. */
  kind: 'lockout' | 'token-lockout' = 'lockout',
): Lockout {
  const counter = new RateLimiterRedis({
    ...counterOptions(policy),
    storeClient: client.redis,
    rejectIfRedisNotReady: true,
    keyPrefix: `${prefix}:${SCHEMA_VERSION}:${kind}`,
    insuranceLimiter: createMemoryCounter(policy),
  })
  return createLockoutOn(counter, clock, policy)
}
