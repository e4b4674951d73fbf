import { createHash } from 'node:crypto'
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
 * Takes all charges or none, by the server's time. A window is a ring: the units of sub-window `j` are in field `j mod
 * 61`, next to their sum and the newest sub-window charged. Whoever finds the newest to be older than now takes the
 * fields between out of the sum. A refusal writes nothing at all. Of several reservations of one tenant, one after the other
 * is decided; one that fails does not keep the others.
 *
 * KEYS, for each: the reservation's record, then a hash for each limit.
 * ARGV, for each: how many limits, the least life of the record in ms, then limit and window in ms for each hash, then the
 * amount for each.
 * Reply, for each: ms to wait (0 = granted), index of the limit to wait for, then units remaining and ms until reset of each
 * limit; what is wrong, as a text, where it failed.
 *
 * A clock that steps back is treated as `src/quota/window.ts` does it.
 */
export const RESERVE = script(`${DESCRIBE}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function expiry(j, window) return math.ceil((j + 61) * window / 60) end

local function reserve(k, v, count)
  local record = redis.call('GET', KEYS[k])
  if record then return cmsgpack.unpack(record)[1] end

  local wait, waiting, life = 0, 0, tonumber(ARGV[v + 1])
  local meters = {}
  for i = 1, count do
    local limit, window = tonumber(ARGV[v + 2 * i]), tonumber(ARGV[v + 2 * i + 1])
    local amount = tonumber(ARGV[v + 2 * count + 1 + i])
    local key, current = KEYS[k + i], math.floor(now * 60 / window)
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

    local excess = total + amount - limit
    if excess > 0 then
      local live, oldest = {}, current - 60
      for j = oldest, newest do live[#live + 1] = j % 61 end
      for n, units in ipairs(redis.call('HMGET', key, unpack(live))) do
        excess = excess - (tonumber(units) or 0)
        if excess <= 0 then
          local needed = expiry(oldest + n - 1, window) - now
          if needed > wait then wait, waiting = needed, i - 1 end
          break
        end
      end
    end

    life = math.max(life, math.ceil(window * 61 / 60))
    meters[i] = { key = key, limit = limit, window = window, amount = amount, total = total, used = used,
      newest = newest, current = current, stale = stale, exists = stored[2] }
  end

  local reply = { wait, waiting }
  local function report(limit, total, newest, window)
    reply[#reply + 1] = math.max(0, limit - total)
    reply[#reply + 1] = total > 0 and expiry(newest, window) - now or 0
  end

  if wait > 0 then
    for _, m in ipairs(meters) do report(m.limit, m.total, m.newest, m.window) end
    return reply
  end

  local charges = {}
  for _, m in ipairs(meters) do
    if m.exists and not m.newest then
      redis.call('DEL', m.key)
    elseif #m.stale > 0 then
      redis.call('HDEL', m.key, unpack(m.stale))
    end
    local total = m.total + m.amount
    redis.call('HSET', m.key, 'total', total, 'newest', m.current, m.current % 61, m.used + m.amount)
    if m.newest ~= m.current then redis.call('PEXPIRE', m.key, 2 * m.window) end
    report(m.limit, total, m.current, m.window)
    for _, field in ipairs({ m.key, m.current, m.amount }) do charges[#charges + 1] = field end
  end
  redis.call('SET', KEYS[k], cmsgpack.pack({ reply, charges }), 'PX', life)
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
 * Replaces reserved amounts by true ones in the sub-windows that they were reserved in, once for each reservation. The
 * hashes are named by the record, not by KEYS, so that whoever settles needs to know the reservation's id alone; they share
 * its hash tag, hence its slot, which is what Redis Cluster asks for. One that fails does not keep the others.
 *
 * KEYS: the records of reservations of one tenant. ARGV, for each: how many amounts it has, the life of the settled record
 * in ms (0: forget the reservation, so that its id may be used again), then the true amounts.
 * Reply, for each: 1; what is wrong, as a text, where it failed.
 */
export const SETTLE = script(`${DESCRIBE}
local function settle(name, v, count)
  local record = redis.call('GET', name)
  if not record then return 1 end
  local reply, charges = unpack(cmsgpack.unpack(record))
  if not charges then return 1 end

  for i = 1, #charges / 3 do
    local key, j, reserved = charges[3 * i - 2], charges[3 * i - 1], charges[3 * i]
    local given = i <= count and tonumber(ARGV[v + 1 + i])
    local change = (given or reserved) - reserved
    local stored = redis.call('HMGET', key, 'total', 'newest', j % 61)
    local newest, used = tonumber(stored[2]), tonumber(stored[3]) or 0
    change = math.max(change, -used)
    if change ~= 0 and newest and j <= newest and j > newest - 61 then
      redis.call('HSET', key, 'total', tonumber(stored[1]) + change, j % 61, used + change)
    end
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
 * Tells what counts now in each window, as `RESERVE` would see it. Writes nothing.
 *
 * KEYS: a hash for each meter. ARGV: the window in ms of each. Reply: units used and ms until reset of each.
 */
export const USAGE = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {}
for i = 1, #KEYS do
  local window = tonumber(ARGV[i])
  local current = math.floor(now * 60 / window)
  local stored = redis.call('HMGET', KEYS[i], 'total', 'newest')
  local total, newest = tonumber(stored[1]) or 0, tonumber(stored[2])
  if newest and math.abs(current - newest) > 60 then
    total = 0
  elseif newest and newest < current then
    local stale = {}
    for j = newest + 1, current do stale[#stale + 1] = j % 61 end
    for _, units in ipairs(redis.call('HMGET', KEYS[i], unpack(stale))) do total = total - (tonumber(units) or 0) end
  end
  reply[#reply + 1] = total
  reply[#reply + 1] = total > 0 and math.ceil((newest + 61) * window / 60) - now or 0
end
return reply
`)

/** A script, written once as it goes over the wire. */
export function script(lua: string): Script {
  const sha = createHash('sha1').update(lua).digest('hex')
  return { lua, eval: `${word('EVAL')}${word(lua)}`, evalsha: `${word('EVALSHA')}${word(sha)}` }
}
