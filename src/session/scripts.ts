import { luaMarks } from "../identity/session-marks.ts";
import { defineScript } from "../store/script.ts";

/**
 * The scripts that change sessions in Redis. Those without the key-locking flag use keys whose names they read from an
 * index; they run rarely.
 *
 * Those that concern a user begin with the same KEYS: version, then the user's mark and then the user's index under each of
 * the user's names, newest first; `more(1)` is the first key after them. ARGV[1] is the number of names, `ARGV[1 + each]` what
 * follows. A score of an index is the creation time of a session.
 */
const ofUser = `
${luaMarks}
local names = tonumber(ARGV[1])
local ends = redis.call('MGET', unpack(KEYS, 1, names + 1))
local function ended_at(id)
  local at = tonumber(ends[1] or 0) or 0
  for each = 2, names + 1 do at = math.max(at, marked_at(ends[each], id)) end
  return at
end
local function index(name) return KEYS[1 + names + name] end
local function more(each) return KEYS[1 + 2 * names + each] end
local function listed()
  local all = {}
  for name = 1, names do
    local found = redis.call('ZRANGE', index(name), 0, -1, 'WITHSCORES')
    for each = 1, #found, 2 do
      all[#all + 1] = { id = found[each], at = tonumber(found[each + 1]), index = index(name), place = #all }
    end
  end
  table.sort(all, function(one, other) 
    return one.at < other.at or (one.at == other.at and one.place < other.place)
  end)
  return all
end`;

/**
 * Whether a listed session has a record and nothing ends it. Its silence is not looked at: records are parsed in one place, and
 * not here. It needs ARGV[2]: sessions created up to this ms are too old.
 */
const luaNotEnded = `
local function not_ended(session, text)
  return text and session.at > tonumber(ARGV[2]) and session.at > ended_at(session.id)
end`;

/**
 * KEYS: the user's, then record, tombstone. ARGV: names, sessions created up to this ms are too old, text, ttl ms, id, created
 * at ms, lifetime of index and tombstones ms, maximum per user, prefix of records, prefix of tombstones, '1' for a session of an
 * outage. Returns the creation time that counts, or 0 when such a session was revoked before this write; where others ended
 * beyond the maximum, a list of that time and their ids.
 */
export const createScript = defineScript(`
${ofUser}
local id, made, most = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[8])
local marked = ended_at(id)
if ARGV[11] == '1' then
  if marked >= made or redis.call('EXISTS', more(2)) == 1 then return 0 end
else
  made = math.max(made, marked + 1)
end
if not redis.call('SET', more(1), ARGV[3], 'PX', ARGV[4], 'NX') then return made end
redis.call('ZREMRANGEBYSCORE', index(1), '-inf', ARGV[2])
redis.call('ZADD', index(1), string.format('%.0f', made), id)
redis.call('PEXPIRE', index(1), ARGV[7])
local size = 0
for name = 1, names do size = size + redis.call('ZCARD', index(name)) end
if size <= most then return made end
local others = {}
for _, each in ipairs(listed()) do
  if redis.call('EXISTS', ARGV[9] .. each.id) == 0 then redis.call('ZREM', each.index, each.id)
  elseif each.id ~= id then others[#others + 1] = each end
end
local reply = { made }
for each = 1, #others + 1 - most do
  reply[#reply + 1] = others[each].id
  redis.call('DEL', ARGV[9] .. others[each].id)
  redis.call('SET', ARGV[10] .. others[each].id, '1', 'PX', ARGV[7])
  redis.call('ZREM', others[each].index, others[each].id)
end
return reply
`);

/**
 * KEYS: record, then, where the user has several names, the user's index under each, newest first. ARGV: present text, new
 * text, ttl ms, id, lifetime of the index ms. Moves the session to the newest index. Returns 0, and writes nothing, when the
 * text is another or gone.
 */
export const touchScript = defineScript(`
#!lua flags=allow-key-locking
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
for older = 3, #KEYS do
  local made = redis.call('ZSCORE', KEYS[older], ARGV[4])
  if made then
    redis.call('ZADD', KEYS[2], made, ARGV[4])
    redis.call('PEXPIRE', KEYS[2], ARGV[5])
    redis.call('ZREM', KEYS[older], ARGV[4])
  end
end
return 1
`);

/** KEYS: record, tombstone, the user's indexes (where known). ARGV: id, tombstone's lifetime ms. Returns 1 when it existed. */
export const revokeScript = defineScript(`
#!lua flags=allow-key-locking
local gone = redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
for index = 3, #KEYS do redis.call('ZREM', KEYS[index], ARGV[1]) end
return gone
`);

/**
 * KEYS: the user's, then new record, old record, old tombstone. ARGV: names, text, ttl ms, new id, created at ms, lifetime of
 * index ms, old id, '1' when the old one was made in an outage and may never have been written, lifetime of the tombstone ms,
 * the old text that the new one was made from, or nothing. Returns 0 when the old one is over: of two rotations one wins. What another
 * program has written over the old text since goes on under the new id, where that id stands in it once as it is.
 */
export const rotateScript = defineScript(`
#!lua flags=allow-key-locking
${ofUser}
if ended_at(ARGV[7]) >= tonumber(ARGV[5]) then return 0 end
if redis.call('EXISTS', more(3)) == 1 then return 0 end
local now, text, quoted = redis.call('GET', more(2)), ARGV[2], '"' .. ARGV[7] .. '"'
if redis.call('DEL', more(2)) == 0 and ARGV[8] ~= '1' then return 0 end
if now and ARGV[10] ~= '' and now ~= ARGV[10] then
  local first, last = string.find(now, quoted, 1, true)
  if first and not string.find(now, quoted, last + 1, true) then
    text = string.sub(now, 1, first) .. ARGV[4] .. string.sub(now, last)
  end
end
redis.call('SET', more(3), '1', 'PX', ARGV[9])
redis.call('SET', more(1), text, 'PX', ARGV[3])
for name = 1, names do redis.call('ZREM', index(name), ARGV[7]) end
redis.call('ZADD', index(1), ARGV[5], ARGV[4])
redis.call('PEXPIRE', index(1), ARGV[6])
return 1
`);

/**
 * KEYS: the user's. ARGV: names, sessions created up to this ms are too old, prefix of records. Returns the records of the
 * sessions that nothing ends; ids without a record leave the index.
 */
export const listScript = defineScript(`
${ofUser}
${luaNotEnded}
local records = {}
for _, each in ipairs(listed()) do
  local text = redis.call('GET', ARGV[3] .. each.id)
  if not_ended(each, text) then records[#records + 1] = text
  elseif not text then redis.call('ZREM', each.index, each.id) end
end
return records
`);

/**
 * KEYS: the user's. ARGV: names, sessions created up to this ms are too old, prefix of records, prefix of tombstones, lifetime
 * of tombstones ms, of marks ms, '1' when the call comes after an outage; then for each ending: up to when ms, and the id to
 * except.
 *
 * After an outage, sessions that were created since go on. Else the ending covers every listed session, also those that an
 * isolate with a faster clock has created. Returns the records of the sessions that it ended and nothing had ended before.
 */
export const revokeUserScript = defineScript(`
${ofUser}
${luaNotEnded}
local all, latest = listed(), 0
if ARGV[7] ~= '1' and #all > 0 then latest = all[#all].at end
local function with_endings(text)
  for each = 8, #ARGV, 2 do text = with_ending(text, math.max(tonumber(ARGV[each]), latest), ARGV[each + 1]) end
  return text
end
local own, ended = with_endings(''), {}
for _, each in ipairs(all) do
  if each.at <= marked_at(own, each.id) then
    local text = redis.call('GET', ARGV[3] .. each.id)
    if not_ended(each, text) then ended[#ended + 1] = text end
    redis.call('DEL', ARGV[3] .. each.id)
    redis.call('SET', ARGV[4] .. each.id, '1', 'PX', ARGV[5])
    redis.call('ZREM', each.index, each.id)
  end
end
for name = 1, names do redis.call('SET', KEYS[1 + name], with_endings(ends[1 + name]), 'PX', ARGV[6]) end
return ended
`);

/** KEYS: version. ARGV: up to when ms, lifetime ms. The later of the stored and the given time stays. */
export const revokeEveryoneScript = defineScript(`
#!lua flags=allow-key-locking
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') or 0, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', ARGV[2])
return 1
`);

/** KEYS: one. ARGV: the text that must be there, or nothing; another; lifetime ms. Returns 0, and writes nothing, where it is not. */
export const replaceScript = defineScript(`
#!lua flags=allow-key-locking
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`);
