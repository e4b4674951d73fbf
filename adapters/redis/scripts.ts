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

/**
 * Takes all charges or none, by the server's time. A window is a ring: the units of sub-window `j` are in field `j mod
 * 61`, next to their sum and the newest sub-window charged. Whoever finds the newest to be older than now takes the
 * fields between out of the sum. A refusal writes nothing at all.
 *
 * KEYS: the reservation's record, then a hash for each limit.
 * ARGV: the least life of the record in ms, then limit and window in ms for each hash, then the amount for each.
 * Reply: ms to wait (0 = granted), index of the limit to wait for, then units remaining and ms until reset of each.
 *
 * A clock that steps back is treated as `src/quota/window.ts` does it.
 */
export const RESERVE = script(`
local record = redis.call('GET', KEYS[1])
if record then return cmsgpack.unpack(record)[1] end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function expiry(j, window) return math.ceil((j + 61) * window / 60) end

local wait, waiting, life = 0, 0, tonumber(ARGV[1])
local meters = {}
local count = #KEYS - 1
for i = 1, count do
  local limit, window, amount = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * count + 1 + i])
  local key, current = KEYS[i + 1], math.floor(now * 60 / window)
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
redis.call('SET', KEYS[1], cmsgpack.pack({ reply, charges }), 'PX', life)
return reply
`)

/**
 * Replaces reserved amounts by true ones in the sub-windows that they were reserved in, once for each reservation. The
 * hashes are named by the record, not by KEYS, so that whoever settles needs to know the reservation's id alone; they share
 * its hash tag, hence its slot, which is what Redis Cluster asks for. One that fails does not keep the others.
 *
 * KEYS: the records of reservations of one tenant. ARGV: the life of the settled records in ms (0: forget the
 * reservations, so that their ids may be used again), then for each how many amounts it has, and the true amounts.
 */
export const SETTLE = script(`
local function settle(name, at)
  local record = redis.call('GET', name)
  if not record then return end
  local reply, charges = unpack(cmsgpack.unpack(record))
  if not charges then return end

  for i = 1, #charges / 3 do
    local key, j, reserved = charges[3 * i - 2], charges[3 * i - 1], charges[3 * i]
    local given = i <= tonumber(ARGV[at]) and tonumber(ARGV[at + i])
    local change = (given or reserved) - reserved
    local stored = redis.call('HMGET', key, 'total', 'newest', j % 61)
    local newest, used = tonumber(stored[2]), tonumber(stored[3]) or 0
    change = math.max(change, -used)
    if change ~= 0 and newest and j <= newest and j > newest - 61 then
      redis.call('HSET', key, 'total', tonumber(stored[1]) + change, j % 61, used + change)
    end
  end

  if ARGV[1] == '0' then
    redis.call('DEL', name)
  else
    redis.call('SET', name, cmsgpack.pack({ reply }), 'PX', ARGV[1])
  end
end

local at, failure = 2, nil
for _, name in ipairs(KEYS) do
  local done, fault = pcall(settle, name, at)
  if not done then failure = fault end
  at = at + 1 + tonumber(ARGV[at])
end
if failure then error(failure) end
return #KEYS
`)

function script(lua: string): Script {
  const sha = createHash('sha1').update(lua).digest('hex')
  return { lua, eval: `${word('EVAL')}${word(lua)}`, evalsha: `${word('EVALSHA')}${word(sha)}` }
}
