import { createHash } from 'node:crypto'
import { LEASE_RETRY_MS } from '../../src/quota/leases.ts'
import { word } from './protocol.ts'

/** A Lua script, and how a command that runs it begins on the wire: with its text, or with its digest. */
export interface Script {
  readonly lua: string
  readonly eval: string
  readonly evalsha: string
}

/**
 * Version of what the scripts keep in Redis. It is part of every key, so that instances of two versions can run side
 * by side: each counts on its own until the older is gone. `docs/storage-schema.md` describes what is kept.
 */
export const SCHEMA_VERSION = 1

/** What an error says, from its code on. Redis 7 and later throw tables; Redis 6 puts the place in the script in front. */
const DESCRIBE = `
local function describe(fault)
  local text = type(fault) == 'table' and fault.err or tostring(fault)
  return string.match(text, '%u%u+.*') or 'ERR ' .. text
end
`

/**
 * Takes all charges or none, by the server's time. A lease is a sorted set: who holds one, by the end of it; the holder
 * is called by the key of the reservation's record. A window is a ring: the units of sub-window `j` are in field `j mod
 * 61`, next to their sum and the newest sub-window charged. Whoever finds the newest to be older than now takes the
 * fields between out of the sum. A refusal writes nothing at all. Of several reservations of one tenant, one after the other
 * is decided; one that fails does not keep the others.
 *
 * KEYS, for each: the reservation's record, then a hash or a sorted set for each limit.
 * ARGV, for each: how many limits, the least life of the record in ms, then limit and window in ms for each of them, then
 * the amount for each. The time of a lease stands as a negative window.
 * Reply, for each: ms to wait (0 = granted), index of the limit to wait for, then units remaining and ms until reset of each
 * limit; what is wrong, as a text, where it failed.
 *
 * A clock that steps back is treated as `src/quota/window.ts` does it.
 */
export const RESERVE = script(`${DESCRIBE}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function expiry(j, window) return math.ceil((j + 61) * window / 60) end

local function lookAtLease(m)
  m.total = redis.call('ZCOUNT', m.key, '(' .. now, '+inf')
  return m.total + m.amount > m.limit and ${LEASE_RETRY_MS} or 0
end

local function lookAtWindow(m)
  local key, current = m.key, math.floor(now * 60 / m.window)
  local stored = redis.call('HMGET', key, 'total', 'newest', current % 61)
  local total, newest, used = tonumber(stored[1]) or 0, tonumber(stored[2]), 0
  local stale = {}
  if newest and math.abs(current - newest) > 60 then
    total, newest = 0, nil
  elseif newest == current then
    used = tonumber(stored[3]) or 0
  elseif newest and newest > current then
    current = newest
    used = tonumber(redis.call('HGET', key, current % 61)) or 0
  elseif newest then
    for j = newest + 1, current do stale[#stale + 1] = j % 61 end
    for _, units in ipairs(redis.call('HMGET', key, unpack(stale))) do total = total - (tonumber(units) or 0) end
  end
  m.total, m.used, m.newest, m.current, m.stale, m.exists = total, used, newest, current, stale, stored[2]

  local excess = total + m.amount - m.limit
  if excess <= 0 then return 0 end
  local live, oldest = {}, current - 60
  for j = oldest, newest do live[#live + 1] = j % 61 end
  for n, units in ipairs(redis.call('HMGET', key, unpack(live))) do
    excess = excess - (tonumber(units) or 0)
    if excess <= 0 then return expiry(oldest + n - 1, m.window) - now end
  end
  return 0
end

local function takeLease(m, holder)
  redis.call('ZREMRANGEBYSCORE', m.key, '-inf', now)
  if m.amount > 0 then
    redis.call('ZADD', m.key, now - m.window, holder)
    redis.call('PEXPIRE', m.key, -m.window)
  end
  return -1
end

local function takeWindow(m)
  if m.exists and not m.newest then
    redis.call('DEL', m.key)
  elseif #m.stale > 0 then
    redis.call('HDEL', m.key, unpack(m.stale))
  end
  redis.call('HSET', m.key, 'total', m.total + m.amount, 'newest', m.current, m.current % 61, m.used + m.amount)
  if m.newest ~= m.current then redis.call('PEXPIRE', m.key, 2 * m.window) end
  m.newest = m.current
  return m.current
end

local function reserve(k, v, count)
  local name = KEYS[k]
  local record = redis.call('GET', name)
  if record then return cmsgpack.unpack(record)[1] end

  local wait, waiting, life = 0, 0, tonumber(ARGV[v + 1])
  local meters = {}
  for i = 1, count do
    local m = { key = KEYS[k + i], limit = tonumber(ARGV[v + 2 * i]), window = tonumber(ARGV[v + 2 * i + 1]),
      amount = tonumber(ARGV[v + 2 * count + 1 + i]) }
    local needed
    if m.window < 0 then needed = lookAtLease(m) else needed = lookAtWindow(m) end
    if needed > wait then wait, waiting = needed, i - 1 end
    life = math.max(life, math.ceil(m.window * 61 / 60))
    meters[i] = m
  end

  local reply, charges = { wait, waiting }, {}
  for i, m in ipairs(meters) do
    if wait == 0 then
      local place
      if m.window < 0 then place = takeLease(m, name) else place = takeWindow(m) end
      m.total = m.total + m.amount
      charges[3 * i - 2], charges[3 * i - 1], charges[3 * i] = m.key, place, m.amount
    end
    reply[2 * i + 1] = math.max(0, m.limit - m.total)
    reply[2 * i + 2] = m.window > 0 and m.total > 0 and expiry(m.newest, m.window) - now or 0
  end
  if wait == 0 then redis.call('SET', name, cmsgpack.pack({ reply, charges }), 'PX', life) end
  return reply
end

local replies, k, v = {}, 1, 1
while k <= #KEYS do
  local count = tonumber(ARGV[v])
  local done, reply = pcall(reserve, k, v, count)
  replies[#replies + 1] = done and reply or describe(reply)
  k, v = k + 1 + count, v + 2 + 3 * count
end
return replies
`)

/**
 * Replaces reserved amounts by true ones in the sub-windows that they were reserved in, and lets go of leases, once for
 * each reservation. What is corrected is named by the record, not by KEYS, so that whoever settles needs to know the
 * reservation's id alone; all of it shares its hash tag, hence its slot, which is what Redis Cluster asks for. One that
 * fails does not keep the others.
 *
 * KEYS: the records of reservations of one tenant. ARGV, for each: how many amounts it has, the life of the settled record
 * in ms (0: forget the reservation, so that its id may be used again), then the true amounts.
 * Reply, for each: 1; what is wrong, as a text, where it failed.
 */
export const SETTLE = script(`${DESCRIBE}
local function correct(key, j, reserved, amount)
  local stored = redis.call('HMGET', key, 'total', 'newest', j % 61)
  local newest, used = tonumber(stored[2]), tonumber(stored[3]) or 0
  local change = math.max(amount - reserved, -used)
  if change ~= 0 and newest and j <= newest and j > newest - 61 then
    redis.call('HSET', key, 'total', tonumber(stored[1]) + change, j % 61, used + change)
  end
end

local function settle(name, v, count)
  local record = redis.call('GET', name)
  if not record then return 1 end
  local reply, charges = unpack(cmsgpack.unpack(record))
  if not charges then return 1 end

  for i = 1, #charges / 3 do
    local key, j, reserved = charges[3 * i - 2], charges[3 * i - 1], charges[3 * i]
    local given = i <= count and tonumber(ARGV[v + 1 + i])
    if j < 0 then redis.call('ZREM', key, name) else correct(key, j, reserved, given or reserved) end
  end

  if ARGV[v + 1] == '0' then
    redis.call('DEL', name)
  else
    redis.call('SET', name, cmsgpack.pack({ reply }), 'PX', ARGV[v + 1])
  end
  return 1
end

local replies, v = {}, 1
for k, name in ipairs(KEYS) do
  local count = tonumber(ARGV[v])
  local done, reply = pcall(settle, name, v, count)
  replies[k] = done and reply or describe(reply)
  v = v + 2 + count
end
return replies
`)

/**
 * Goes on holding leases, and remembering their reservation.
 *
 * KEYS: the reservation's record, then the sorted set of each lease. ARGV: the least life of the record in ms, then the
 * time of each lease in ms.
 */
export const RENEW = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #KEYS do
  redis.call('ZADD', KEYS[i], now + ARGV[i], KEYS[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[i])
end
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
`)

/**
 * Tells what counts now in each window, and how many hold a lease, as `RESERVE` would see it. Writes nothing.
 *
 * KEYS: a hash or a sorted set for each meter. ARGV: the window in ms of each, negative for a lease. Reply: units used and
 * ms until reset of each.
 */
export const USAGE = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function usedOfWindow(key, window)
  local current = math.floor(now * 60 / window)
  local stored = redis.call('HMGET', key, 'total', 'newest')
  local total, newest = tonumber(stored[1]) or 0, tonumber(stored[2])
  if newest and math.abs(current - newest) > 60 then
    total = 0
  elseif newest and newest < current then
    local stale = {}
    for j = newest + 1, current do stale[#stale + 1] = j % 61 end
    for _, units in ipairs(redis.call('HMGET', key, unpack(stale))) do total = total - (tonumber(units) or 0) end
  end
  return total, total > 0 and math.ceil((newest + 61) * window / 60) - now or 0
end

local reply = {}
for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[i])
  local used, reset = 0, 0
  if window < 0 then used = redis.call('ZCOUNT', key, '(' .. now, '+inf') else used, reset = usedOfWindow(key, window) end
  reply[2 * i - 1], reply[2 * i] = used, reset
end
return reply
`)

/** A script, written once as it goes over the wire. */
export function script(lua: string): Script {
  const sha = createHash('sha1').update(lua).digest('hex')
  return { lua, eval: `${word('EVAL')}${word(lua)}`, evalsha: `${word('EVALSHA')}${word(sha)}` }
}
