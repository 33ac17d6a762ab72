import { defineScript } from "../store/script.ts";

/**
 * The scripts that change sessions in Redis. Those without the key-locking flag use keys whose names they read from an
 * index; they run rarely.
 *
 * Two values end sessions by creation time: `version` ends every session created up to a moment, `mark` every session of one
 * user (`"<ms> <except id>"`), except one id.
 */
const markedAt = `
local function marked_at(everyone, mark, id)
  local at = tonumber(redis.call('GET', everyone) or '0')
  local text = redis.call('GET', mark)
  if not text then return at end
  local until_ms, except = string.match(text, '^(%d+) (.*)$')
  if except ~= id then at = math.max(at, tonumber(until_ms)) end
  return at
end`;

/**
 * KEYS: record, index, tombstone, version, mark. ARGV: text, ttl ms, id, created at ms, lifetime of index and tombstones ms,
 * maximum per user, now, prefix of records, prefix of tombstones, '1' for a session of an outage. Returns the creation time
 * that counts, or 0 when such a session was revoked before this write.
 */
export const createScript = defineScript(`
${markedAt}
local id, made, lifetime = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local marked = marked_at(KEYS[4], KEYS[5], id)
if ARGV[10] == '1' then
  if marked >= made or redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
else
  made = math.max(made, marked + 1)
end
if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return made end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', tonumber(ARGV[7]) - lifetime)
redis.call('ZADD', KEYS[2], string.format('%.0f', made), id)
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[6]) then
  local live = {}
  for _, each in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if redis.call('EXISTS', ARGV[8] .. each) == 0 then redis.call('ZREM', KEYS[2], each)
    elseif each ~= id then live[#live + 1] = each end
  end
  for i = 1, #live + 1 - tonumber(ARGV[6]) do
    redis.call('DEL', ARGV[8] .. live[i])
    redis.call('SET', ARGV[9] .. live[i], '1', 'PX', ARGV[5])
    redis.call('ZREM', KEYS[2], live[i])
  end
end
return made
`);

/** KEYS: record. ARGV: present text, new text, ttl ms. Returns 0, and writes nothing, when the text is another or gone. */
export const touchScript = defineScript(`
#!lua flags=allow-key-locking
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`);

/** KEYS: record, tombstone, index (where the user is known). ARGV: id, tombstone's lifetime ms. Returns 1 when it existed. */
export const revokeScript = defineScript(`
#!lua flags=allow-key-locking
local gone = redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
if KEYS[3] then redis.call('ZREM', KEYS[3], ARGV[1]) end
return gone
`);

/**
 * KEYS: new record, index, old record, version, mark, old tombstone. ARGV: text, ttl ms, new id, created at ms, lifetime of
 * index ms, old id, '1' when the old one was made in an outage and may never have been written, lifetime of the tombstone
 * ms. Returns 0 when the old one is over: of two rotations one wins. Where the user's mark excepts the old id, it excepts
 * the new one.
 */
export const rotateScript = defineScript(`
#!lua flags=allow-key-locking
${markedAt}
if marked_at(KEYS[4], KEYS[5], ARGV[6]) >= tonumber(ARGV[4]) then return 0 end
if redis.call('EXISTS', KEYS[6]) == 1 then return 0 end
if redis.call('DEL', KEYS[3]) == 0 and ARGV[7] ~= '1' then return 0 end
redis.call('SET', KEYS[6], '1', 'PX', ARGV[8])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
local until_ms, except = string.match(redis.call('GET', KEYS[5]) or '', '^(%d+) (.*)$')
if except == ARGV[6] then redis.call('SET', KEYS[5], until_ms .. ' ' .. ARGV[3], 'PX', ARGV[5]) end
return 1
`);

/**
 * KEYS: index. ARGV: ids created up to this ms leave the index, prefix of records. Returns the texts of the records; ids
 * without a record leave the index.
 */
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
 * KEYS: index, mark. ARGV: prefix of records, prefix of tombstones, lifetime of tombstones ms, id to except, up to when ms,
 * '1' when the call comes after an outage. Then sessions made since are excepted too, and a later mark is kept. Returns the number of sessions
 * that ended.
 */
export const revokeUserScript = defineScript(`
local ended, late, until_ms = 0, ARGV[6] == '1', tonumber(ARGV[5])
local last = late and ARGV[5] or '+inf'
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', last)) do
  if id ~= ARGV[4] then
    ended = ended + redis.call('DEL', ARGV[1] .. id)
    redis.call('SET', ARGV[2] .. id, '1', 'PX', ARGV[3])
    redis.call('ZREM', KEYS[1], id)
  end
end
local known = tonumber(string.match(redis.call('GET', KEYS[2]) or '', '^(%d+) ') or '0')
if late and known > until_ms then return ended end
redis.call('SET', KEYS[2], string.format('%.0f', math.max(known, until_ms)) .. ' ' .. ARGV[4], 'PX', ARGV[3])
return ended
`);

/** KEYS: version. ARGV: up to when ms, lifetime ms. The later of the stored and the given time stays. */
export const revokeEveryoneScript = defineScript(`
#!lua flags=allow-key-locking
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') or 0, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', ARGV[2])
return 1
`);
