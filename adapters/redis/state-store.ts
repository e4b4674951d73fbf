import type { LimitLevel, ReserveResult, StateStore } from '../../src/ports/state-store.ts'
import { assertReservation, assertSettlement } from '../../src/quota/charges.ts'
import { createRedisClient, type RedisClient, type RedisClientOptions } from './client.ts'
import { utf8Word, word } from './protocol.ts'
import { RESERVE, SCHEMA_VERSION, SETTLE } from './scripts.ts'

/** How long a settled reservation is remembered, so that repeating its calls changes nothing. Covers any retry. */
const SETTLED_RECORD_MS = 30_000
const SETTLED_RECORD_WORD = word(SETTLED_RECORD_MS)
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
      const start = `${keyOf(tenant, 'window')}:`
      let keys = ''
      let numbers = SETTLED_RECORD_WORD
      for (const { key, limit, windowMs, amount } of charges) {
        keys += word(`${start}${windowMs}:${key}`)
        numbers += word(limit) + word(windowMs) + word(amount)
      }
      const text = word(charges.length + 1) + utf8Word(record) + keys + numbers
      const input = { key: record, words: 3 + 4 * charges.length, text }
      // The caller is told that nothing was reserved. If the command runs after all, this one follows it; its text
      // goes along, because nobody will be there to hear that the server does not know it.
      const forget = () => {
        const nothing = charges.map(() => 0)
        client.redis.eval(SETTLE.lua, 1, record, FORGET, ...nothing).catch(() => undefined)
      }
      return readReply(await client.evaluate(RESERVE, input, forget))
    },

    async settle(id, tenant, amounts) {
      assertSettlement(id, tenant, amounts)
      const record = recordOf(tenant, id)
      let text = word(1) + utf8Word(record) + SETTLED_RECORD_WORD
      for (const amount of amounts) text += word(amount)
      await client.evaluate(SETTLE, { key: record, words: 3 + amounts.length, text })
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

function readReply(reply: unknown): ReserveResult {
  if (!Array.isArray(reply)) throw new TypeError('the quota script answered something else than a list')
  const numberAt = (at: number) => Number(reply[at] ?? 0)
  const retryAfterMs = numberAt(0)
  const levels: LimitLevel[] = []
  for (let at = 2; at < reply.length; at += 2) levels.push({ remaining: numberAt(at), resetMs: numberAt(at + 1) })
  return retryAfterMs > 0
    ? { outcome: 'refused', limitedBy: numberAt(1), retryAfterMs, levels }
    : { outcome: 'granted', levels }
}
