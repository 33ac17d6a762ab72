import { defineScript } from "../store/index.ts";

/** Scripts without the key-locking flag touch keys they find in an index; they are the rare ones. */

/**
 * KEYS: record, index, tombstone, version. ARGV: record text, ttl ms, id, absolute end ms, cap, now, prefix of records,
 * created at ms. Returns 0 when it was revoked before it could be written, else 1.
 */
export const createScript = defineScript(`
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
if tonumber(redis.call('GET', KEYS[4]) or '0') >= tonumber(ARGV[8]) then return 0 end
if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 1 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[5])
if over > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, over - 1)) do
    redis.call('DEL', ARGV[7] .. id)
    redis.call('ZREM', KEYS[2], id)
  end
end
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', last[2])) end
return 1
`);

/** KEYS: record. ARGV: text it must still have, new text, ttl ms. Never writes what is not there any more. */
export const touchScript = defineScript(`
#!lua flags=allow-key-locking
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`);

/** KEYS: record, index, tombstone. ARGV: id, tombstone's lifetime ms. Returns how many records went. */
export const revokeScript = defineScript(`
#!lua flags=allow-key-locking
local gone = redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
return gone
`);

/**
 * KEYS: old record, new record, index, old tombstone, version. ARGV: old id, new id, new text, ttl ms, absolute end ms,
 * tombstone's lifetime ms, created at ms. Returns 0 when the old one is gone: of two rotations one wins.
 */
export const rotateScript = defineScript(`
#!lua flags=allow-key-locking
if tonumber(redis.call('GET', KEYS[5]) or '0') >= tonumber(ARGV[7]) then return 0 end
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[2])
redis.call('SET', KEYS[4], '1', 'PX', ARGV[6])
return 1
`);

/** KEYS: index. ARGV: now, prefix of records. Returns the records' texts; ids without one leave the index. */
export const listScript = defineScript(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local records = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local text = redis.call('GET', ARGV[2] .. id)
  if text then records[#records + 1] = text else redis.call('ZREM', KEYS[1], id) end
end
return records
`);

/**
 * KEYS: index. ARGV: prefix of records, prefix of tombstones, tombstone's lifetime ms, id to spare. Returns the number of
 * sessions that ended.
 */
export const revokeUserScript = defineScript(`
local ended = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if id ~= ARGV[4] then
    ended = ended + redis.call('DEL', ARGV[1] .. id)
    redis.call('SET', ARGV[2] .. id, '1', 'PX', ARGV[3])
    redis.call('ZREM', KEYS[1], id)
  end
end
return ended
`);
