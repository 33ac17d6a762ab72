import { defineScript, type Trip } from "../store/index.ts";
import { decodeEntry, type Entry, encodeEntry } from "./entry.ts";
import { LONGEST_LIFE_MS } from "./purges.ts";
import { fieldText } from "./variants.ts";

/** Variants of one URL; beyond it the oldest leaves. */
const MOST_VARIANTS = 32;
/** Different `Vary` fields of one URL that are tried, the newest first. */
const MOST_VARY_SETS = 4;
/** Request fields longer than this cannot select a variant: they would be sent with every look. */
const LONGEST_FIELD = 1024;

/**
 * One hash per URL: `vary` (a line per set of names), `order` (variants, oldest first), and for each variant `i:` its id
 * and `e:` the entry. A look costs one command in the trip, whatever the number of variants, and brings at most one body.
 */
const lookScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash, the purge log. ARGV: read purges from this score, id the caller holds, then field names and values.
local purges = redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[1], '+inf', 'WITHSCORES')
local sets = redis.call('HGET', KEYS[1], 'vary')
if not sets then return {purges} end
local field = {}
for i = 3, #ARGV, 2 do field[ARGV[i]] = ARGV[i + 1] end
for set in string.gmatch(sets, '[^\\n]+') do
  local text = ''
  if set ~= '-' then
    for name in string.gmatch(set, '[^,]+') do text = text .. (field[name] or ('[["' .. name .. '",null]]')) .. '\\n' end
  end
  local variant = redis.sha1hex(text)
  local id = redis.call('HGET', KEYS[1], 'i:' .. variant)
  if id and id == ARGV[2] then return {purges, id} end
  if id then return {purges, id, redis.call('HGET', KEYS[1], 'e:' .. variant)} end
end
return {purges, false, false, 1}
`);

const writeScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash. ARGV: vary set, variant text, id, entry, keep for ms, most variants, most sets.
local kind = redis.call('TYPE', KEYS[1])
if (kind.ok or kind) ~= 'hash' then redis.call('DEL', KEYS[1]) end
local variant = redis.sha1hex(ARGV[2])
local sets, count = ARGV[1], 1
for set in string.gmatch(redis.call('HGET', KEYS[1], 'vary') or '', '[^\\n]+') do
  if set ~= ARGV[1] and count < tonumber(ARGV[7]) then
    sets = sets .. '\\n' .. set
    count = count + 1
  end
end
local order = {}
for each in string.gmatch(redis.call('HGET', KEYS[1], 'order') or '', '[^,]+') do
  if each ~= variant then order[#order + 1] = each end
end
order[#order + 1] = variant
while #order > tonumber(ARGV[6]) do
  local oldest = table.remove(order, 1)
  redis.call('HDEL', KEYS[1], 'i:' .. oldest, 'e:' .. oldest)
end
redis.call('HSET', KEYS[1], 'vary', sets, 'order', table.concat(order, ','), 'i:' .. variant, ARGV[3], 'e:' .. variant, ARGV[4])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return 1
`);

export interface LookInput {
  key: string;
  purgesKey: string;
  purgesSince: string;
  /** The id of what the isolate holds for this request, or null. */
  heldId: string | null;
  requestHeaders: Headers;
}

export type LookResult =
  /** `vary`: the URL is stored, but not for such a request. */
  | { kind: "nothing"; purges: readonly unknown[]; vary: boolean }
  | { kind: "same"; purges: readonly unknown[] }
  | { kind: "entry"; purges: readonly unknown[]; entry: Entry }
  | { kind: "corrupt"; purges: readonly unknown[] };

/** Queues the look; the promise rejects with a StoreError. */
export async function look(trip: Trip, input: LookInput): Promise<LookResult> {
  const fields: string[] = [];
  for (const [name, value] of input.requestHeaders) {
    if (value.length <= LONGEST_FIELD) fields.push(name, fieldText(name, input.requestHeaders));
  }
  const reply = await trip.run<unknown[]>(
    lookScript,
    [input.key, input.purgesKey],
    [input.purgesSince, input.heldId ?? "", ...fields],
  );
  const [purges, id, text, vary] = Array.isArray(reply) ? reply : [];
  const learned = Array.isArray(purges) ? (purges as unknown[]) : [];
  if (typeof id !== "string") return { kind: "nothing", purges: learned, vary: vary === 1 };
  if (input.heldId !== null && id === input.heldId) return { kind: "same", purges: learned };
  const entry = typeof text === "string" ? await decodeEntry(text) : null;
  return entry ? { kind: "entry", purges: learned, entry } : { kind: "corrupt", purges: learned };
}

/** The write of an entry, ready to be queued. */
export async function prepareWrite(key: string, entry: Entry, now: number): Promise<(trip: Trip) => void> {
  const text = await encodeEntry(entry);
  const { vary } = entry.meta;
  const set = vary.length === 0 ? "-" : vary.join(",");
  const keepMs = Math.max(1000, Math.min(LONGEST_LIFE_MS, Math.ceil(entry.keepUntil - now)));
  return (trip) => {
    void trip.run(
      writeScript,
      [key],
      [set, entry.variant, entry.id, text, keepMs, MOST_VARIANTS, MOST_VARY_SETS],
    );
  };
}
