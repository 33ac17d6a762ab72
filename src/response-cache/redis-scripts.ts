import { defineScript } from "../store/script.ts";
import { NOTE_CHANGE } from "./changes.ts";

/** SHA-1 of nothing: the name of the variant of an answer that does not vary. */
export const VARYLESS = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/** A field of the hash of everybody's entries: entries of single audiences are stored elsewhere, and go by its times. */
export const HAS_AUDIENCES = "a";

/** Fields of a URL's hash that say when its entries became invalid, or stale. */
export const INVALIDATION_FIELDS = { hard: "p", soft: "s" } as const;

/**
 * Searches a URL's hash in one run, whatever the number of variants, and brings at most one body. A purge log that is
 * none (somebody wrote over it) is begun anew with a purge of everything. A caller's own entries go by the invalidation
 * times in the hash of everybody's.
 */
export const findScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash, the purge log, the hash with the URL's invalidation times (the first, or another), the changes.
-- ARGV: read purges from this score or '', id the caller holds, now, read changes from this score, then field names and
-- values.
local purges = {}
if ARGV[1] ~= '' then purges = redis.pcall('ZRANGEBYSCORE', KEYS[2], ARGV[1], '+inf', 'WITHSCORES') end
if purges.err then
  local everything = '{"k":"everything","v":"","s":false}'
  redis.call('DEL', KEYS[2])
  redis.call('ZADD', KEYS[2], ARGV[3], everything)
  purges = {everything, ARGV[3]}
end
if ARGV[1] ~= '' then
  local changes = redis.pcall('ZRANGEBYSCORE', KEYS[4], ARGV[4], '+inf', 'WITHSCORES')
  if changes.err then changes = {'!', ARGV[3]} end
  for _, each in ipairs(changes) do purges[#purges + 1] = each end
end
local found, id, entry = '${VARYLESS}', false, false
local shape = redis.pcall('HMGET', KEYS[1], 'vary', 'order', 'i:' .. found, 'e:' .. found, '${INVALIDATION_FIELDS.hard}', '${INVALIDATION_FIELDS.soft}', 'w:' .. found)
local invalidatedAt = {}
if not shape.err then invalidatedAt = {shape[5] or '', shape[6] or ''} end
if KEYS[3] ~= KEYS[1] then
  local theirs = redis.pcall('HMGET', KEYS[3], '${INVALIDATION_FIELDS.hard}', '${INVALIDATION_FIELDS.soft}')
  if not theirs.err then invalidatedAt = {theirs[1] or '', theirs[2] or ''} end
end
if shape.err then return {purges, invalidatedAt, ''} end
local sets, order = shape[1], shape[2]
if not sets then return {purges, invalidatedAt} end
local withdrawn = 0
if sets == '-' then
  id, entry = shape[3], shape[4]
  withdrawn = tonumber(shape[7] or 0) or 0
else
  local field = {}
  for i = 5, #ARGV, 2 do field[ARGV[i]] = ARGV[i + 1] end
  for set in string.gmatch(sets, '[^\\n]+') do
    local text = ''
    if set ~= '-' then
      for name in string.gmatch(set, '[^,]+') do text = text .. (field[name] or ('[["' .. name .. '",null]]')) .. '\\n' end
    end
    found = redis.sha1hex(text)
    local held = redis.call('HMGET', KEYS[1], 'i:' .. found, 'w:' .. found)
    id = held[1]
    withdrawn = math.max(withdrawn, tonumber(held[2] or 0) or 0)
    if id then break end
  end
end
if withdrawn > 0 then
  invalidatedAt[3] = string.format('%.0f', withdrawn)
  if not id then return {purges, invalidatedAt} end
end
local others, names, tags = {}, {}, {}
for name in string.gmatch(order or '', '[^,]+') do
  if not id or name ~= found then
    names[#names + 1] = name
    tags[#tags + 1] = 't:' .. name
  end
end
if #tags > 0 then
  tags = redis.call('HMGET', KEYS[1], unpack(tags))
  for i = 1, #names do
    if tags[i] and tags[i] ~= '' then
      others[#others + 1] = names[i]
      others[#others + 1] = tags[i]
    end
  end
end
if not id then return {purges, invalidatedAt, 0, '', others} end
if id == ARGV[2] then return {purges, invalidatedAt, id, '', others} end
return {purges, invalidatedAt, id, entry or redis.call('HGET', KEYS[1], 'e:' .. found), others}
`);

/**
 * Stores a variant, and drops the oldest beyond the most. Not where a later answer has taken its place, nor, of a fill that
 * took its time, where the URL has been written to meanwhile: where nothing was stored, only the changes say so.
 */
export const putScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash, the changes. ARGV: vary set, variant text, id, entry, keep for ms, most variants, most sets, entity
-- tag, what becomes of a body beside the entry: 'none', 'kept', or the body; its time, now, the change that would end it or ''.
local variant = redis.sha1hex(ARGV[2])
local shape = redis.pcall('HMGET', KEYS[1], 'vary', 'order', 'i:' .. variant)
if shape.err then
  redis.call('DEL', KEYS[1])
  shape = {false, false, false}
end
local held = tonumber(string.match(shape[3] or '', '^(%d+)%-') or '') or 0
-- One of the future is of a clock that was wrong.
if held > tonumber(ARGV[10]) and held <= tonumber(ARGV[11]) then return 0 end
if ARGV[12] ~= '' then
  local at = redis.pcall('ZSCORE', KEYS[2], ARGV[12])
  if type(at) == 'string' and tonumber(at) >= tonumber(ARGV[10]) then return 0 end
end
local sets, count = ARGV[1], 1
for set in string.gmatch(shape[1] or '', '[^\\n]+') do
  if set ~= ARGV[1] and count < tonumber(ARGV[7]) then
    sets = sets .. '\\n' .. set
    count = count + 1
  end
end
local order = {}
for each in string.gmatch(shape[2] or '', '[^,]+') do
  if each ~= variant then order[#order + 1] = each end
end
order[#order + 1] = variant
while #order > tonumber(ARGV[6]) do
  local oldest = table.remove(order, 1)
  redis.call('HDEL', KEYS[1], 'i:' .. oldest, 'e:' .. oldest, 't:' .. oldest, 'w:' .. oldest, 'b:' .. oldest)
end
redis.call('HSET', KEYS[1], 'vary', sets, 'order', table.concat(order, ','),
  'i:' .. variant, ARGV[3], 'e:' .. variant, ARGV[4], 't:' .. variant, ARGV[8])
if ARGV[9] == 'none' then
  if shape[1] then redis.call('HDEL', KEYS[1], 'b:' .. variant) end
elseif ARGV[9] ~= 'kept' then
  redis.call('HSET', KEYS[1], 'b:' .. variant, ARGV[9])
end
if not shape[1] or redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return 1
`);

/**
 * Notes an invalidation among the changes, and in the URL's hashes where entries are stored that go by it: as long as these
 * live. Where nothing is stored it is noted all the same, for as long as a fill, by either scheme, may take that was under way: the
 * fill adds to the hash, and is invalid from the start. The later of two times stays.
 */
export const invalidateScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash, the changes, its hash by the other scheme. ARGV: field, time, now, member of the changes, ms for
-- which the time is noted where nothing is stored or ''.
${NOTE_CHANGE}
for _, hash in ipairs({KEYS[1], KEYS[3]}) do
  local before = redis.pcall('HMGET', hash, 'vary', '${HAS_AUDIENCES}', ARGV[1])
  if before.err then
    redis.call('DEL', hash)
    before = {false, false, false}
  end
  local stored = before[1] or before[2]
  if (stored or ARGV[5] ~= '') and (tonumber(before[3] or 0) or 0) < tonumber(ARGV[2]) then
    redis.call('HSET', hash, ARGV[1], ARGV[2])
    if not stored then redis.call('PEXPIRE', hash, ARGV[5]) end
  end
end
note(ARGV[2], ARGV[4], ARGV[3])
return 1
`);

/**
 * Notes the withdrawal of a variant and removes its entry, unless a later one has taken its place. The variant keeps its
 * place in the order, so that withdrawals are bounded with the variants.
 */
export const withdrawScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash, the changes. ARGV: vary set, variant text, id of the withdrawn entry, its time, lifetime, now,
-- member of the changes.
${NOTE_CHANGE}
local variant = redis.sha1hex(ARGV[2])
local held = redis.pcall('HMGET', KEYS[1], 'vary', 'order', 'i:' .. variant, 'w:' .. variant)
if held.err then
  redis.call('DEL', KEYS[1])
  held = {false, false, false, false}
end
local sets, order = held[1] or '', held[2] or ''
if not string.find('\\n' .. sets .. '\\n', '\\n' .. ARGV[1] .. '\\n', 1, true) then
  sets = sets == '' and ARGV[1] or (sets .. '\\n' .. ARGV[1])
end
if not string.find(order, variant, 1, true) then order = order == '' and variant or (order .. ',' .. variant) end
if held[3] == ARGV[3] then
  redis.call('HDEL', KEYS[1], 'i:' .. variant, 'e:' .. variant, 't:' .. variant, 'b:' .. variant)
end
local at = math.max(tonumber(held[4] or 0) or 0, tonumber(ARGV[4]))
redis.call('HSET', KEYS[1], 'vary', sets, 'order', order, 'w:' .. variant, string.format('%.0f', at))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
-- By the time of now: its own may be so long ago that nobody reads it.
note(ARGV[6], ARGV[7], ARGV[6])
return 1
`);
