import type { Cluster, Redis } from 'ioredis'
import type { LimitLevel, ReserveResult, StateStore } from '../../src/ports/state-store.ts'
import { assertReservation, assertSettlement } from '../../src/quota/charges.ts'
import { createRedisClient, type RedisClient, type RedisClientOptions } from './client.ts'
import { RESERVE, SCHEMA_VERSION, type Script, SETTLE } from './scripts.ts'

/** How long a settled reservation is remembered, so that repeating its calls changes nothing. Covers any retry. */
const SETTLED_RECORD_MS = 30_000
/** The life of a settled record that makes `SETTLE` forget the reservation. */
const FORGET = 0

export interface RedisStoreOptions extends RedisClientOptions {
  /** Starts every key; keeps gateways that share a Redis apart. */
  readonly prefix?: string
}

/** Quotas in Redis, shared by all instances that name the same one. Throws a TypeError where the URL is none. */
export function createRedisStore(options: RedisStoreOptions): StateStore {
  return createRedisStoreOn(createRedisClient(options), options.prefix)
}

/** As `createRedisStore`, on a connection that others use too; `close` closes it. */
export function createRedisStoreOn(client: RedisClient, prefix = 'sallyport'): StateStore {
  if (!/^[\w.:-]{1,64}$/.test(prefix)) throw new TypeError('a Redis key prefix has 1 to 64 characters of [\\w.:-]')

  // The braces make Redis Cluster keep all keys of a tenant in one slot, so that one script may change them together.
  const keyOf = (tenant: string, rest: string) => `${prefix}:${SCHEMA_VERSION}:{${tenant}}:${rest}`
  const recordOf = (tenant: string, id: string) => keyOf(tenant, `reservation:${id}`)

  return {
    async reserve(id, tenant, charges) {
      assertReservation(id, tenant, charges)
      const record = recordOf(tenant, id)
      const keys = charges.map(({ key, windowMs }) => keyOf(tenant, `window:${windowMs}:${key}`))
      const numbers = charges.flatMap(({ limit, windowMs, amount }) => [limit, windowMs, amount])
      const nothing = charges.map(() => 0)
      const reply = await client.run(
        (redis, isLate) => evaluate(redis, RESERVE, [record, ...keys], [SETTLED_RECORD_MS, ...numbers], isLate),
        // The caller is told that nothing was reserved. If the command runs after all, this one follows it; its text
        // goes along, because nobody will be there to hear that the server does not know it.
        () => void client.redis.eval(SETTLE.lua, 1, record, FORGET, ...nothing).catch(() => undefined),
      )
      return readReply(reply)
    },

    async settle(id, tenant, amounts) {
      assertSettlement(id, tenant, amounts)
      const numbers = [SETTLED_RECORD_MS, ...amounts]
      await client.run((redis, isLate) => evaluate(redis, SETTLE, [recordOf(tenant, id)], numbers, isLate))
    },

    ready: () =>
      client
        .run(redis => redis.ping())
        .then(
          () => true,
          () => false,
        ),

    close: () => client.close(),
  }
}

/** One round trip, except where the server has not seen the script yet, or has been restarted or flushed. */
async function evaluate(
  redis: Redis | Cluster,
  script: Script,
  keys: readonly string[],
  args: readonly number[],
  isLate: () => boolean,
): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha, keys.length, ...keys, ...args)
  } catch (error) {
    const isUnknown = error instanceof Error && error.message.startsWith('NOSCRIPT')
    if (!isUnknown || isLate()) throw error
    return redis.eval(script.lua, keys.length, ...keys, ...args)
  }
}

function readReply(reply: unknown): ReserveResult {
  if (!Array.isArray(reply)) throw new TypeError('the quota script answered something else than a list')
  const [retryAfterMs = 0, limitedBy = 0, ...rest] = reply.map(Number)
  const levels: LimitLevel[] = []
  for (let at = 0; at < rest.length; at += 2) levels.push({ remaining: rest[at] ?? 0, resetMs: rest[at + 1] ?? 0 })
  return retryAfterMs > 0 ? { outcome: 'refused', limitedBy, retryAfterMs, levels } : { outcome: 'granted', levels }
}
