import { script } from './scripts.ts'

/**
 * Scripts on the registry of tokens. `ends` sorts ids by the moment at which they are of no more use, in milliseconds since
 * the epoch, and `documents` holds what is known of each as JSON. What is over goes a bounded number at a time, before
 * something new comes. Times are the server's.
 */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** Takes what is over out of the documents and out of sorted sets. */
const forgetFrom = (sortedSets: string) => `
local over = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 1000)
if #over > 0 then
  redis.call('HDEL', documents, unpack(over))
  for _, set in ipairs(${sortedSets}) do redis.call('ZREM', set, unpack(over)) end
end
`

/**
 * Records an issued token, in place of what was known of it.
 *
 * KEYS: ends, documents. ARGV: id, JSON, expiry.
 */
export const RECORD = script(`
local ends, documents = KEYS[1], KEYS[2]
${NOW}${forgetFrom('{ ends }')}
redis.call('HSET', documents, ARGV[1], ARGV[2])
redis.call('ZADD', ends, ARGV[3], ARGV[1])
return 1
`)

/**
 * One page of the issued tokens by expiry, as JSON.
 *
 * KEYS: ends, documents. ARGV: expiry to stop before (or +inf), how many to pass over, how many to give.
 * Reply: JSON of each; nil for one that is gone.
 */
export const LIST = script(`
local ends, documents = KEYS[1], KEYS[2]
${NOW}
local ids = redis.call('ZRANGEBYSCORE', ends, '(' .. now, ARGV[1], 'LIMIT', ARGV[2], ARGV[3])
if #ids == 0 then return {} end
return redis.call('HMGET', documents, unpack(ids))
`)

/**
 * One issued token, unless it has expired. KEYS: ends, documents. ARGV: id. Reply: JSON or nil.
 */
export const FIND = script(`
local ends, documents = KEYS[1], KEYS[2]
${NOW}
local expiry = redis.call('ZSCORE', ends, ARGV[1])
if not expiry or tonumber(expiry) <= now then return false end
return redis.call('HGET', documents, ARGV[1])
`)

/**
 * Keeps a revocation under the next number, once, and tells everybody. `head` has the last number and an epoch: chosen at
 * random with the first revocation, so that a store that was emptied since is told from one that has nothing new.
 *
 * KEYS: ends, documents, log (ids by number), head.
 * ARGV: id, JSON, end, how many there may be (0: any number), an epoch, the channel.
 * Reply: 1, or 0 when there are too many.
 */
export const REVOKE = script(`
local ends, documents, log, head = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
${NOW}${forgetFrom('{ ends, log }')}
if redis.call('HEXISTS', documents, ARGV[1]) == 1 then return 1 end
local most = tonumber(ARGV[4])
if most > 0 and redis.call('HLEN', documents) >= most then return 0 end
redis.call('HSETNX', head, 'epoch', ARGV[5])
local seq = redis.call('HINCRBY', head, 'seq', 1)
redis.call('HSET', documents, ARGV[1], ARGV[2])
redis.call('ZADD', log, seq, ARGV[1])
redis.call('ZADD', ends, ARGV[3], ARGV[1])
-- A user who may not publish may revoke all the same: everybody looks twice a second.
redis.pcall('PUBLISH', ARGV[6], seq)
return 1
`)

/**
 * One page of the revocations, in the order of their numbers. A number that was not given out yet is of a store that an older
 * copy has taken the place of, so it starts over, as for another epoch.
 *
 * KEYS: documents, log, head. ARGV: epoch and number known, how many to give.
 * Reply: epoch ('' where nothing was ever revoked), number of the last one given, 1 if there are more, 1 if it starts over,
 * JSON of each.
 */
export const READ = script(`
local documents, log, head = KEYS[1], KEYS[2], KEYS[3]
local epoch, newest = unpack(redis.call('HMGET', head, 'epoch', 'seq'))
epoch, newest = epoch or '', tonumber(newest) or 0
local known, count = tonumber(ARGV[2]), tonumber(ARGV[3])
local anew = 0
if ARGV[1] ~= epoch or known > newest then known, anew = 0, 1 end
if known >= newest then return { epoch, newest, 0, anew, {} } end
local page = redis.call('ZRANGEBYSCORE', log, '(' .. known, '+inf', 'WITHSCORES', 'LIMIT', 0, count)
local ids, last = {}, newest
for at = 1, #page, 2 do ids[#ids + 1] = page[at] end
local more = #ids == count and 1 or 0
if more == 1 then last = tonumber(page[#page]) end
return { epoch, last, more, anew, #ids > 0 and redis.call('HMGET', documents, unpack(ids)) or {} }
`)
