import { Redis } from 'ioredis'
import { createRedisClient } from '../adapters/redis/client.ts'
import { utf8Word, word } from '../adapters/redis/protocol.ts'
import { script } from '../adapters/redis/scripts.ts'
import { createRedisStoreOn } from '../adapters/redis/state-store.ts'
import type { Meter } from '../src/ports/state-store.ts'
import { startRedis } from '../test/support/redis.ts'

/**
 * What admission costs against Redis: `node bench/quota.ts`. The time of reserving with six limits, next to that of a
 * plain script on one key over the same connection, turn by turn; and the memory of many principals with six limits each.
 */

const WARM_UP = 3_000
const TURNS = 10_000
const PRINCIPALS = 10_000
const AT_ONCE = 500

/** The least that a limiter in a script can do: one counter that expires. */
const PLAIN = script(`
local used = redis.call('INCRBY', KEYS[1], ARGV[1])
if used == tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], 60000) end
return used
`)

/** What is left of reserving where nothing is decided: its words are read, and a reply of its length is written. */
const NOTHING = script('return {{0,0,1,60000,1,60000,1,60000,1,60000,1,60000,1,60000}}')

const WINDOWS_MS = [60_000, 86_400_000, 60_000, 3_600_000, 60_000, 86_400_000]
const metersOf = (principal: string): Meter[] =>
  WINDOWS_MS.map((windowMs, at) => ({ key: `limit-${at}:tokens:${principal}`, limit: 1_000_000_000, windowMs }))
const AMOUNTS = WINDOWS_MS.map(() => 700)
const USED = WINDOWS_MS.map(() => 300)

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.floor(sorted.length * part)] ?? 0
}

const server = await startRedis()
const admin = new Redis(server.url)
const client = createRedisClient({ url: server.url, timeoutMs: 5_000 })
const store = createRedisStoreOn(client)

const meters = metersOf('search')
const key = 'sallyport:1:{team:search}:plain'
const plain = () => client.evaluate(PLAIN, { key, words: 3, text: word(1) + utf8Word(key) + word(700) })

const names = [key, ...meters.map(({ key: name, windowMs }) => `sallyport:2:{team:search}:none:${windowMs}:${name}`)]
const terms = JSON.stringify([30_000, ...meters.flatMap(({ limit, windowMs }) => [limit, windowMs]), ...AMOUNTS])
const sameWords = { key, words: 9, text: word(7) + names.map(utf8Word).join('') + word(terms) }
const nothing = () => client.evaluate(NOTHING, sameWords)

const times: Record<'plain' | 'nothing' | 'reserve', number[]> = { plain: [], nothing: [], reserve: [] }
for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
  const id = `turn-${turn}`
  const start = performance.now()
  await plain()
  const second = performance.now()
  await nothing()
  const third = performance.now()
  await store.reserve(id, 'team:search', meters, AMOUNTS)
  const end = performance.now()
  await store.settle(id, 'team:search', USED)
  if (turn < WARM_UP) continue
  times.plain.push(second - start)
  times.nothing.push(third - second)
  times.reserve.push(end - third)
}
const rows = Object.entries(times).map(([name, each]) => {
  const sorted = each.toSorted((one, other) => one - other)
  return [name, { 'p50 (µs)': quantile(sorted, 0.5) * 1000, 'p99 (µs)': quantile(sorted, 0.99) * 1000 }] as const
})
console.table(Object.fromEntries(rows))
const p50 = (name: keyof typeof times) => rows.find(([of]) => of === name)?.[1]['p50 (µs)'] ?? Number.NaN
console.log(`six limits: ${(p50('reserve') / p50('plain')).toFixed(2)} × a plain script of one key`)
console.log(`the same words, and nothing done: ${(p50('nothing') / p50('plain')).toFixed(2)} ×`)
async function memory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
}

await admin.flushall()
const empty = await memory()
for (let first = 0; first < PRINCIPALS; first += AT_ONCE) {
  const some = Array.from({ length: AT_ONCE }, (_, at) => `team:principal-${first + at}`)
  await Promise.all(some.map(tenant => store.reserve('r', tenant, metersOf(tenant), AMOUNTS)))
  await Promise.all(some.map(tenant => store.settle('r', tenant, USED)))
}
const once = await memory()
const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
console.log(`${PRINCIPALS} principals, one request each: ${mb(once - empty)} with the settled reservations`)
const reservations = await admin.keys('*reservation*')
for (let at = 0; at < reservations.length; at += 1000) await admin.del(reservations.slice(at, at + 1000))
const windows = await memory()
console.log(
  `without them: ${mb(windows - empty)}, ${Math.round((windows - empty) / PRINCIPALS / WINDOWS_MS.length)} bytes a window`,
)
// The most that a window can hold: all of its 61 sub-windows charged, as traffic all day does.
await admin.eval(
  `local pairs, total = '', 0
   for j = 0, 60 do
     pairs, total = pairs .. struct.pack('<dd', 29000000 + j, 4700 + j), total + 4700 + j
   end
   for _, key in ipairs(redis.call('KEYS', '*window*')) do
     redis.call('SET', key, pairs .. struct.pack('<d', total), 'KEEPTTL')
   end`,
  0,
)
console.log(`with every sub-window charged: ${mb((await memory()) - empty)}`)

await store.close()
admin.disconnect()
await server.stop()
process.exit(0)
