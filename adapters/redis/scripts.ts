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
 * Versions of what is kept in Redis: of lock-outs and the registry of tokens, and of quotas. They are part of every key,
 * so that instances of two versions can run side by side: each counts on its own until the older is gone.
 * `docs/storage-schema.md` describes what is kept.
 */
export const SCHEMA_VERSION = 1
export const QUOTA_SCHEMA_VERSION = 2

/** What an error says, from its code on. Redis 7 and later throw tables; Redis 6 puts the place in the script in front. */
const DESCRIBE = `
local function describe(fault)
  local text = type(fault) == 'table' and fault.err or tostring(fault)
  return string.match(text, '%u%u+.*') or 'ERR ' .. text
end
`

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/**
 * A window is a string of doubles: pairs of a sub-window and its units, oldest first, and behind them the sum of all units.
 * `live` takes out what is over and gives the pairs that are left, their sum, and the newest of them. A clock that steps
 * back is treated as `src/quota/window.ts` does it.
 */
const WINDOWS = `
local pack, unpackAt, floor, ceil = struct.pack, struct.unpack, math.floor, math.ceil
local function expiry(j, window) return ceil((j + 61) * window / 60) end

local function live(stored, current)
  if not stored then return '', 0 end
  local newest, used, total = unpackAt('<ddd', stored, #stored - 23)
  if math.abs(current - newest) > 60 then return '', 0 end
  local first = 1
  if newest < current then
    local j, units = unpackAt('<dd', stored, first)
    while j < current - 60 do
      first, total = first + 16, total - units
      j, units = unpackAt('<dd', stored, first)
    end
  end
  return stored:sub(first, -9), total, newest, used
end
`

/**
 * Takes all charges or none, by the server's time. A lease is a sorted set: who holds one, by the end of it; the holder
 * is called by the key of the reservation's record. A refusal writes nothing at all. Of several reservations of one tenant,
 * one after the other is decided; one that fails does not keep the others.
 *
 * What counts here is the number of commands, words and tables: each costs more than all arithmetic on a window.
 *
 * KEYS, for each: the reservation's record, then the string or the sorted set of each limit.
 * ARGV, for each: numbers as a JSON array, the least life of the record in ms, then limit and window in ms for each limit,
 * then the amount for each. The time of a lease stands as a negative window.
 * Reply, for each: ms to wait (0 = granted), index of the limit to wait for, then units remaining and ms until reset of each
 * limit; what is wrong, as a text, where it failed.
 */
export const RESERVE = script(`${DESCRIBE}${NOW}${WINDOWS}
local call = redis.call

-- Milliseconds to wait, the units that count, the newest sub-window with units, the one to charge, the window once charged.
local function lookAtWindow(stored, limit, window, amount)
  local current = floor(now * 60 / window)
  local older, total, newest, used = live(stored, current)
  if newest and newest >= current then
    current, older = newest, older:sub(1, -17)
  else
    used = 0
  end
  local wait, excess, at = 0, total + amount - limit, 1
  if excess > 0 then
    local all = older .. pack('<dd', current, used)
    repeat
      local j, units = unpackAt('<dd', all, at)
      wait, excess, at = expiry(j, window) - now, excess - units, at + 16
    until excess <= 0
  end
  return wait, total, newest, current, older .. pack('<ddd', current, used + amount, total + amount)
end

local function lookAtLease(key, limit, amount)
  local held = call('ZCOUNT', key, '(' .. now, '+inf')
  return held + amount > limit and ${LEASE_RETRY_MS} or 0, held
end

local function takeLease(key, window, amount, holder)
  call('ZREMRANGEBYSCORE', key, '-inf', now)
  if amount > 0 then
    call('ZADD', key, now - window, holder)
    call('PEXPIRE', key, -window)
  end
end

local function reserve(k, count, terms, given)
  -- Of a sorted set this reads nothing.
  local stored = call('MGET', unpack(KEYS, k, k + count))
  if stored[1] then return cmsgpack.unpack(stored[1])[1] end

  local reply, newest, places, values = { 0, 0 }, {}, {}, {}
  for i = 1, count do
    local limit, window, amount = terms[2 * i], terms[2 * i + 1], terms[2 * count + 1 + i]
    local wait
    if window < 0 then
      wait, reply[2 * i + 1] = lookAtLease(KEYS[k + i], limit, amount)
      places[i] = -1
    else
      wait, reply[2 * i + 1], newest[i], places[i], values[i] = lookAtWindow(stored[i + 1], limit, window, amount)
    end
    reply[2 * i + 2] = 0
    if wait > reply[1] then reply[1], reply[2] = wait, i - 1 end
  end

  local granted = reply[1] == 0
  for i = 1, count do
    local key, limit, window, total = KEYS[k + i], terms[2 * i], terms[2 * i + 1], reply[2 * i + 1]
    if granted then
      local amount = terms[2 * count + 1 + i]
      total = total + amount
      if window < 0 then
        takeLease(key, window, amount, KEYS[k])
      elseif newest[i] == places[i] then
        call('SET', key, values[i], 'KEEPTTL')
      else
        call('SET', key, values[i], 'PX', 2 * window)
        newest[i] = places[i]
      end
    end
    reply[2 * i + 1] = total < limit and limit - total or 0
    if window > 0 and total > 0 then reply[2 * i + 2] = expiry(newest[i], window) - now end
  end
  if granted then
    local record = cmsgpack.pack({ reply, places, given, unpack(KEYS, k + 1, k + count) })
    call('SET', KEYS[k], record, 'PX', terms[1])
  end
  return reply
end

local replies, k = {}, 1
for n, given in ipairs(ARGV) do
  local terms = cjson.decode(given)
  local count = (#terms - 1) / 3
  local done, reply = pcall(reserve, k, count, terms, given)
  replies[n] = done and reply or describe(reply)
  k = k + 1 + count
end
return replies
`)

/**
 * Replaces reserved amounts by true ones in the sub-windows that they were reserved in, and lets go of leases, once for
 * each reservation. What is corrected is named by the record, not by KEYS, so that whoever settles needs to know the
 * reservation's id alone; all of it shares its hash tag, hence its slot, which is what Redis Cluster asks for. One that
 * fails does not keep the others.
 *
 * KEYS: the records of reservations of one tenant. ARGV, for each: numbers as a JSON array, the life of the settled record
 * in ms (0: forget the reservation, so that its id may be used again), then the true amounts.
 * Reply, for each: 1; what is wrong, as a text, where it failed.
 */
export const SETTLE = script(`${DESCRIBE}
local pack, unpackAt = struct.pack, struct.unpack

local function correct(key, place, reserved, amount)
  local stored = redis.call('GET', key)
  if not stored then return end
  -- The newest come first: answers take seconds, and days have sub-windows of minutes.
  local at = #stored - 23
  local j, used = unpackAt('<dd', stored, at)
  while j > place and at > 1 do
    at = at - 16
    j, used = unpackAt('<dd', stored, at)
  end
  local change = math.max(amount - reserved, -used)
  if j ~= place or change == 0 then return end
  local older, newer, total = stored:sub(1, at - 1), stored:sub(at + 16, -9), unpackAt('<d', stored, #stored - 7)
  local value = older .. pack('<dd', j, used + change) .. newer .. pack('<d', total + change)
  redis.call('SET', key, value, 'KEEPTTL')
end

local function settle(name, amounts)
  local stored = redis.call('GET', name)
  if not stored then return 1 end
  local record = cmsgpack.unpack(stored)
  local reply, places = record[1], record[2]
  if not places then return 1 end

  local terms = cjson.decode(record[3])
  for i, place in ipairs(places) do
    local key, reserved = record[3 + i], terms[2 * #places + 1 + i]
    if place < 0 then redis.call('ZREM', key, name) else correct(key, place, reserved, amounts[i + 1] or reserved) end
  end

  if amounts[1] == 0 then
    redis.call('DEL', name)
  else
    redis.call('SET', name, cmsgpack.pack({ reply }), 'PX', amounts[1])
  end
  return 1
end

local replies = {}
for k, name in ipairs(KEYS) do
  local done, reply = pcall(settle, name, cjson.decode(ARGV[k]))
  replies[k] = done and reply or describe(reply)
end
return replies
`)

/**
 * Goes on holding leases, and remembering their reservation.
 *
 * KEYS: the reservation's record, then the sorted set of each lease. ARGV: the least life of the record in ms, then the
 * time of each lease in ms.
 */
export const RENEW = script(`${NOW}
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
 * KEYS: a string or a sorted set for each meter. ARGV: the window in ms of each, negative for a lease. Reply: units used and
 * ms until reset of each.
 */
export const USAGE = script(`${NOW}${WINDOWS}
local reply = {}
for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[i])
  local used, reset = 0, 0
  if window < 0 then
    used = redis.call('ZCOUNT', key, '(' .. now, '+inf')
  else
    local _, total, newest = live(redis.call('GET', key), floor(now * 60 / window))
    used, reset = total, total > 0 and expiry(newest, window) - now or 0
  end
  reply[2 * i - 1], reply[2 * i] = used, reset
end
return reply
`)

/** A script, written once as it goes over the wire. */
export function script(lua: string): Script {
  const sha = createHash('sha1').update(lua).digest('hex')
  return { lua, eval: `${word('EVAL')}${word(lua)}`, evalsha: `${word('EVALSHA')}${word(sha)}` }
}
