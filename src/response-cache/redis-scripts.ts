import { defineScript } from "../store/script.ts";
import { CLOCKS_DIFFER_MS, NOTE_CHANGE } from "./changes.ts";

/** SHA-1 of nothing: the name of the variant of an answer that does not vary. */
export const VARYLESS = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/**
 * What may stand at a URL's address in place of an entry: that its answers vary, so that they are in the hash; or that the URL was
 * written to while nothing was stored. A number alone is the time up to which the answer that does not vary is withdrawn.
 */
export const MARKERS = { varies: "V", written: "I" } as const;

/** For scripts: the text at a key; empty where there is none. What is no text is removed. */
const TEXT_AT = `
local function textAt(key)
  local text = redis.pcall('GET', key)
  if type(text) == 'table' then redis.call('DEL', key) end
  return type(text) == 'string' and text or ''
end
local function number(text) return tonumber(text or 0) or 0 end
`;

/**
 * Searches a URL's variants in one run, whatever their number, and brings at most one body: of several that the request
 * selects, the one whose own request was the last.
 *
 * KEYS: the hash of variants. ARGV: id the caller holds, then field names and values.
 */
export const findScript = defineScript(`
#!lua flags=allow-key-locking
local shape = redis.pcall('HMGET', KEYS[1], 'vary', 'order')
if shape.err then return {'0', ''} end
local field = {}
for i = 2, #ARGV, 2 do field[ARGV[i]] = ARGV[i + 1] end
local withdrawn, newest, found, id, entry = 0, -1, '', false, false
for set in string.gmatch(shape[1] or '', '[^\\n]+') do
  local text = ''
  if set ~= '-' then
    for name in string.gmatch(set, '[^,]+') do text = text .. (field[name] or ('[["' .. name .. '",null]]')) .. '\\n' end
  end
  local name = redis.sha1hex(text)
  local held = redis.call('HMGET', KEYS[1], 'i:' .. name, 'e:' .. name, 'w:' .. name)
  withdrawn = math.max(withdrawn, tonumber(held[3] or 0) or 0)
  local at = tonumber(string.match(held[1] or '', '^(%d+)') or 0)
  if held[1] and at > newest then newest, found, id, entry = at, name, held[1], held[2] end
end
local gone = string.format('%.0f', withdrawn)
if not id and (withdrawn > 0 or not shape[1]) then return {gone} end
local others, names, tags = {}, {}, {}
for name in string.gmatch(shape[2] or '', '[^,]+') do
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
if not id then return {gone, 0, '', others} end
if id == ARGV[1] then return {gone, id, '', others} end
return {gone, id, entry, others}
`);

/**
 * Stores an answer: in place of the one that is there where none varies, else as a variant, and drops the oldest beyond the
 * most. Not where a later answer has taken its place, nor where it is withdrawn or the URL has been written to since its
 * request. Of that, where nothing is left of it beside the answer, only the changes tell a fill that took its time.
 *
 * KEYS: the URL's answer, the changes, when it was invalidated, its variants, its long body. ARGV: vary set, variant text,
 * id, entry, keep for ms, most variants, most sets, entity tag, what becomes of a body beside the entry: 'none', 'kept', or
 * the body; its time, now, then the changes that would end it. What is of a future that no other clock may have reached is
 * passed over. In place of the first variant there was an answer that did not vary, or a withdrawal: what of these is yet to
 * arrive is older. A withdrawal is kept its time in either case. It replies 0 where it stored nothing, 2 where the answer is
 * a variant.
 */
export const putScript = defineScript(`
#!lua flags=allow-key-locking
${TEXT_AT}
local time, newest, keep = tonumber(ARGV[10]), tonumber(ARGV[11]) + ${CLOCKS_DIFFER_MS}, tonumber(ARGV[5])
local here, variant = textAt(KEYS[1]), redis.sha1hex(ARGV[2])
local varies, shape = here == '${MARKERS.varies}' or ARGV[1] ~= '-', {}
if varies then
  shape = redis.pcall('HMGET', KEYS[4], 'vary', 'order', 'i:' .. variant, 'w:' .. variant)
  if shape.err then
    redis.call('DEL', KEYS[4])
    shape = {}
  end
end
local hereAt = number(string.match(here, '^(%d+)%-'))
local held = math.max(hereAt, number(string.match(shape[3] or '', '^(%d+)%-')))
local goneAt = number(string.match(here, '^%d+$'))
local withdrawn = math.max(goneAt, number(shape[4]))
if (held > time and held <= newest) or (withdrawn >= time and withdrawn <= newest) then return 0 end
for i = 12, #ARGV do
  local at = redis.pcall('ZSCORE', KEYS[2], ARGV[i])
  if type(at) == 'string' and tonumber(at) >= time then return 0 end
end
if goneAt > 0 then keep = math.max(keep, redis.call('PTTL', KEYS[1])) end
local hard, soft = string.match(textAt(KEYS[3]), '^(%d+) (%d+)$')
if number(hard) >= time then return 0 end
if number(soft) >= time and redis.call('PTTL', KEYS[3]) < keep then redis.call('PEXPIRE', KEYS[3], keep) end
if string.find(here, '"apart":', 1, true) and (varies or ARGV[9] == 'none') then redis.call('DEL', KEYS[5]) end
if not varies then
  redis.call('SET', KEYS[1], ARGV[3] .. '\\n' .. ARGV[4], 'PX', keep)
  if ARGV[9] == 'kept' then redis.call('PEXPIRE', KEYS[5], keep) end
  if ARGV[9] ~= 'kept' and ARGV[9] ~= 'none' then redis.call('SET', KEYS[5], ARGV[9], 'PX', keep) end
  return 1
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
  redis.call('HDEL', KEYS[4], 'i:' .. oldest, 'e:' .. oldest, 't:' .. oldest, 'w:' .. oldest, 'b:' .. oldest)
end
redis.call('HSET', KEYS[4], 'vary', sets, 'order', table.concat(order, ','),
  'i:' .. variant, ARGV[3], 'e:' .. variant, ARGV[4], 't:' .. variant, ARGV[8])
if hereAt + withdrawn > 0 and here ~= '${MARKERS.varies}' then
  redis.call('HSET', KEYS[4], 'w:${VARYLESS}', string.format('%.0f', math.max(hereAt, withdrawn)))
end
if ARGV[9] == 'none' then
  if shape[1] then redis.call('HDEL', KEYS[4], 'b:' .. variant) end
elseif ARGV[9] ~= 'kept' then
  redis.call('HSET', KEYS[4], 'b:' .. variant, ARGV[9])
end
local life = redis.call('PTTL', KEYS[4])
if life < keep then
  life = keep
  redis.call('PEXPIRE', KEYS[4], keep)
end
redis.call('SET', KEYS[1], '${MARKERS.varies}', 'PX', life)
return 2
`);

/**
 * Notes an invalidation among the changes, and beside the URL's entries of all audiences and both schemes, for as long as
 * the longest of these lives. Where nothing is stored it is noted all the same, for as long as a fill may take that was
 * under way: the fill finds a marker in its place. The later of two times stays.
 *
 * KEYS: when the URL was invalidated, the changes, its answer by one scheme and by the other. ARGV: 'hard' or 'soft', time,
 * now, member of the changes, ms for which the time is noted where nothing is stored or ''. An answer that ends sooner than that is
 * kept so long: when it is gone, a fill would find nothing.
 */
export const invalidateScript = defineScript(`
#!lua flags=allow-key-locking
${NOTE_CHANGE}
${TEXT_AT}
local empty, at = number(ARGV[5]), tonumber(ARGV[2])
local life = math.max(empty, redis.call('PTTL', KEYS[1]))
for i = 3, 4 do
  local left = redis.call('PTTL', KEYS[i])
  life = math.max(life, left)
  if left == -2 and empty > 0 then redis.call('SET', KEYS[i], '${MARKERS.written}', 'PX', empty) end
  if left >= 0 and left < empty then redis.call('PEXPIRE', KEYS[i], empty) end
end
if life > 0 then
  local hard, soft = string.match(textAt(KEYS[1]), '^(%d+) (%d+)$')
  hard, soft = number(hard), number(soft)
  if ARGV[1] == 'hard' then hard = math.max(hard, at) else soft = math.max(soft, at) end
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', hard, soft), 'PX', life)
end
note(ARGV[2], ARGV[4], ARGV[3])
return 1
`);

/**
 * Notes the withdrawal of an answer and removes it, unless a later one has taken its place. A variant keeps its place in the
 * order, so that withdrawals are bounded with the variants; and where answers vary that is known as long as the withdrawal.
 *
 * KEYS: the URL's answer, the changes, its variants, its long body. ARGV: vary set, variant text, id of the withdrawn entry,
 * its time, lifetime, now, member of the changes. It is noted by the time of now: its own may be so long ago that nobody reads it.
 */
export const withdrawScript = defineScript(`
#!lua flags=allow-key-locking
${NOTE_CHANGE}
${TEXT_AT}
note(ARGV[6], ARGV[7], ARGV[6])
local here, at = textAt(KEYS[1]), tonumber(ARGV[4])
if ARGV[1] == '-' and here ~= '${MARKERS.varies}' then
  if string.match(here, '^[^\\n]*') == ARGV[3] or number(string.match(here, '^(%d+)')) <= at then
    redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', ARGV[5])
    if string.find(here, '"apart":', 1, true) then redis.call('DEL', KEYS[4]) end
  end
  return 1
end
local variant = redis.sha1hex(ARGV[2])
local held = redis.pcall('HMGET', KEYS[3], 'vary', 'order', 'i:' .. variant, 'w:' .. variant)
if held.err then
  redis.call('DEL', KEYS[3])
  held = {}
end
local sets, order = held[1] or '', held[2] or ''
if not string.find('\\n' .. sets .. '\\n', '\\n' .. ARGV[1] .. '\\n', 1, true) then
  sets = sets == '' and ARGV[1] or (sets .. '\\n' .. ARGV[1])
end
if not string.find(order, variant, 1, true) then order = order == '' and variant or (order .. ',' .. variant) end
if held[3] == ARGV[3] then
  redis.call('HDEL', KEYS[3], 'i:' .. variant, 'e:' .. variant, 't:' .. variant, 'b:' .. variant)
end
redis.call('HSET', KEYS[3], 'vary', sets, 'order', order,
  'w:' .. variant, string.format('%.0f', math.max(number(held[4]), at)))
if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[5]) then
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
  if here == '${MARKERS.varies}' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
end
return 1
`);
