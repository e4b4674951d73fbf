import type { LimitLevel, Meter, ReserveResult, StateStore } from '../../src/ports/state-store.ts'
import { assertMeters, assertReservation, assertSettlement } from '../../src/quota/charges.ts'
import { createRedisClient, type RedisClient, type RedisClientOptions } from './client.ts'
import { numberWords, utf8Word, word } from './protocol.ts'
import { RESERVE, SCHEMA_VERSION, SETTLE } from './scripts.ts'
import { SETTLED_RECORD_WORD, Settlements } from './settlements.ts'

/** The life of a settled record that makes `SETTLE` forget the reservation. */
const FORGET = 0

export interface RedisStoreOptions extends RedisClientOptions {
  /** Starts every key; keeps gateways that share a Redis apart. */
  readonly prefix?: string
}

/** What `RESERVE` gets for a list of meters, as it goes over the wire: all but the record's key and the amounts. */
interface WrittenMeters {
  readonly tenant: string
  /** How many keys there are. */
  readonly count: string
  readonly text: string
  readonly words: number
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
  const written = new WeakMap<readonly Meter[], WrittenMeters>()
  const settlements = new Settlements(client)

  function writtenFor(tenant: string, meters: readonly Meter[]): WrittenMeters {
    const known = written.get(meters)
    if (known?.tenant === tenant) return known
    assertMeters(tenant, meters)
    const keys = meters.map(({ key, windowMs }) => word(keyOf(tenant, `window:${windowMs}:${key}`)))
    const limits = meters.map(({ limit, windowMs }) => word(limit) + word(windowMs))
    const text = keys.join('') + SETTLED_RECORD_WORD + limits.join('')
    const result = { tenant, count: word(meters.length + 1), text, words: 3 + 4 * meters.length }
    written.set(meters, result)
    return result
  }

  return {
    async reserve(id, tenant, meters, amounts) {
      const { count, words, text } = writtenFor(tenant, meters)
      assertReservation(id, meters, amounts)
      const key = recordOf(tenant, id)
      // The caller is told that nothing was reserved. If the command runs after all, this one follows it; its text
      // goes along, because nobody will be there to hear that the server does not know it.
      const forget = () => {
        const nothing = amounts.map(() => 0)
        client.redis.eval(SETTLE.lua, 1, key, FORGET, nothing.length, ...nothing).catch(() => undefined)
      }
      const input = { key, words, text: count + utf8Word(key) + text + numberWords(amounts) }
      return readReply(await client.evaluate(RESERVE, input, forget))
    },

    async settle(id, tenant, amounts) {
      assertSettlement(id, tenant, amounts)
      await settlements.add(tenant, recordOf(tenant, id), amounts)
    },

    ready: () =>
      client
        .run(redis => redis.ping())
        .then(
          () => true,
          () => false,
        ),

    close() {
      settlements.send()
      return client.close()
    },
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
