import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

/**
 * Counts calls by key, `perMinute` of them from the first on; answers with the milliseconds to wait, 0 for a call that may
 * be. Of one process, in memory: a key is forgotten when its minute is over.
 */
export function createCallLimit(perMinute: number): (key: string) => Promise<number> {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 })
  return async key => {
    try {
      await limiter.consume(key)
      return 0
    } catch (refusal) {
      // The limiter refuses with a value that is no Error.
      if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext)
      throw refusal
    }
  }
}
