import type { LimitLevel, Meter, MeterUsage, ReserveResult, StateStore } from '../../src/ports/state-store.ts'
import { assertMeters, assertReservation, assertSettlement } from '../../src/quota/charges.ts'
import { createRedisClient, type RedisClient, type RedisClientOptions } from './client.ts'
import { GatheredRuns } from './gathered-runs.ts'
import { numberWords, utf8Word, word } from './protocol.ts'
import { QUOTA_SCHEMA_VERSION, RENEW, RESERVE, SETTLE, USAGE } from './scripts.ts'

/** How long a settled reservation is remembered, so that repeating its calls changes nothing. Covers any retry. */
const SETTLED_RECORD_MS = 30_000
/** The life of a settled record that makes `SETTLE` forget the reservation. */
const FORGET = 0

export interface RedisStoreOptions extends RedisClientOptions {
  /** Starts every key; keeps gateways that share a Redis apart. */
  readonly prefix?: string
}

/** What `RESERVE` gets for a list of meters, as it goes over the wire: all but the record's key and the amounts. */
interface WrittenMeters {
  readonly tenant: string
  readonly keys: string
  /** The beginning of the terms. */
  readonly terms: string
}

/** Quotas in Redis, shared by all instances that name the same one. Throws a TypeError where the URL is none. */
export function createRedisStore(options: RedisStoreOptions): StateStore {
  return createRedisStoreOn(createRedisClient(options), options.prefix)
}

/** As `createRedisStore`, on a connection that others use too; `close` closes it. */
export function createRedisStoreOn(client: RedisClient, prefix = 'sallyport'): StateStore {
  if (!/^[\w.:-]{1,64}$/.test(prefix)) throw new TypeError('a Redis key prefix has 1 to 64 characters of [\\w.:-]')

  // The braces make Redis Cluster keep all keys of a tenant in one slot, so that one script may change them together.
  const keyOf = (tenant: string, rest: string) => `${prefix}:${QUOTA_SCHEMA_VERSION}:{${tenant}}:${rest}`
  const recordOf = (tenant: string, id: string) => keyOf(tenant, `reservation:${id}`)
  const written = new WeakMap<readonly Meter[], WrittenMeters>()
  const reservations = new GatheredRuns(client, RESERVE, send => client.atEndOfTurn(send))
  // Nobody waits for these: they leave behind what was begun in the same turn, such as the record of the answer.
  const settlements = new GatheredRuns(client, SETTLE, setImmediate)

  const counterOf = (tenant: string, { key, windowMs, lease }: Meter) =>
    keyOf(tenant, lease ? `lease:${key}` : `window:${windowMs}:${key}`)

  function writtenFor(tenant: string, meters: readonly Meter[]): WrittenMeters {
    const known = written.get(meters)
    if (known?.tenant === tenant) return known
    assertMeters(tenant, meters)
    const keys = meters.map(meter => word(counterOf(tenant, meter)))
    const life = Math.max(SETTLED_RECORD_MS, ...meters.map(({ windowMs }) => Math.ceil((windowMs * 61) / 60)))
    const limits = meters.map(meter => `,${meter.limit},${timeOf(meter)}`)
    const result = { tenant, keys: keys.join(''), terms: `[${life}${limits.join('')}` }
    written.set(meters, result)
    return result
  }

  return {
    async reserve(id, tenant, meters, amounts) {
      const { keys, terms } = writtenFor(tenant, meters)
      assertReservation(id, meters, amounts)
      const key = recordOf(tenant, id)
      // The caller is told that nothing was reserved. If the command runs after all, this one follows it; its text
      // goes along, because nobody will be there to hear that the server does not know it.
      const forget = () => {
        const nothing = amounts.map(() => 0)
        client.redis.eval(SETTLE.lua, 1, key, JSON.stringify([FORGET, ...nothing])).catch(() => undefined)
      }
      const run = {
        keys: utf8Word(key) + keys,
        keyCount: 1 + meters.length,
        value: word(meters.length > 0 ? `${terms},${amounts.join()}]` : `${terms}]`),
      }
      return readReply(await reservations.run(tenant, key, run, forget))
    },

    async settle(id, tenant, amounts) {
      assertSettlement(id, tenant, amounts)
      const key = recordOf(tenant, id)
      const value = word(JSON.stringify([SETTLED_RECORD_MS, ...amounts]))
      await settlements.run(tenant, key, { keys: utf8Word(key), keyCount: 1, value })
    },

    async renew(id, tenant, meters) {
      const leases = meters.filter(({ lease }) => lease)
      if (leases.length === 0) return
      const key = recordOf(tenant, id)
      const keys = leases.map(meter => word(counterOf(tenant, meter))).join('')
      const times = numberWords(leases.map(({ windowMs }) => windowMs))
      const text = word(leases.length + 1) + utf8Word(key) + keys + word(SETTLED_RECORD_MS) + times
      await client.evaluate(RENEW, { key, words: 3 + 2 * leases.length, text })
    },

    async usage(tenant, meters) {
      assertMeters(tenant, meters)
      if (meters.length === 0) return []
      const keys = meters.map(meter => counterOf(tenant, meter))
      const text = word(keys.length) + keys.map(word).join('') + numberWords(meters.map(timeOf))
      // The first key alone says where in a cluster it goes: all of a tenant are kept together.
      return readUsage(await client.evaluate(USAGE, { key: keys[0] as string, words: 1 + 2 * keys.length, text }))
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

/** The scripts tell leases from windows by the sign. */
function timeOf({ windowMs, lease }: Meter): number {
  return lease ? -windowMs : windowMs
}

function readUsage(reply: unknown): MeterUsage[] {
  if (!Array.isArray(reply)) throw new TypeError('the usage script answered something else than a list')
  const usage: MeterUsage[] = []
  for (let at = 0; at < reply.length; at += 2) usage.push({ used: Number(reply[at]), resetMs: Number(reply[at + 1]) })
  return usage
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
