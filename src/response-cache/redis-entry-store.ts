import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import { defineScript } from "../store/script.ts";
import { decodeEntry, type Entry, encodeEntry } from "./entry.ts";
import { type InvalidatedAt, STAMP_FIELDS } from "./invalidations.ts";
import { MAX_LIFE_MS } from "./purge-log.ts";
import { entityTag, isWeak } from "./rules/entity-tag.ts";
import { fieldsOf } from "./rules/stored.ts";
import type { SelectingFields } from "./selecting-fields.ts";

/** Variants of one URL; beyond it the oldest leaves. */
const MAX_VARIANTS = 32;
/** Different `Vary` fields of one URL that are tried, the newest first. */
const MAX_VARY_SETS = 4;
/** An entity tag that is longer is not told of with every look. */
const MAX_TAG_LENGTH = 128;

/** SHA-1 of nothing: the variant of an answer that does not vary. */
const VARYLESS = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/**
 * One hash per URL: `vary` (a line per set of names), `order` (variants, oldest first), and for each variant `i:` its id,
 * `e:` the entry and `t:` the strong entity tag by which the origin may name it; and the URL's invalidatedAt. A look is one run of
 * the script, whatever the number of variants, and brings at most one body. A purge log that is none (somebody wrote over
 * it) is begun anew with a purge of everything. A caller's own entries go by the invalidatedAt in the hash of everybody's.
 */
const lookScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash, the purge log, the hash that bears the URL's invalidatedAt (the first, or another).
-- ARGV: read purges from this score or '', id the caller holds, now, then field names and values.
local purges = {}
if ARGV[1] ~= '' then purges = redis.pcall('ZRANGEBYSCORE', KEYS[2], ARGV[1], '+inf', 'WITHSCORES') end
if purges.err then
  local everything = '{"k":"everything","v":"","s":false}'
  redis.call('DEL', KEYS[2])
  redis.call('ZADD', KEYS[2], ARGV[3], everything)
  purges = {everything, ARGV[3]}
end
local found, id, entry = '${VARYLESS}', false, false
local shape = redis.pcall('HMGET', KEYS[1], 'vary', 'order', 'i:' .. found, 'e:' .. found, '${STAMP_FIELDS.hard}', '${STAMP_FIELDS.soft}')
local invalidatedAt = {}
if not shape.err then invalidatedAt = {shape[5] or '', shape[6] or ''} end
if KEYS[3] ~= KEYS[1] then
  local theirs = redis.pcall('HMGET', KEYS[3], '${STAMP_FIELDS.hard}', '${STAMP_FIELDS.soft}')
  if not theirs.err then invalidatedAt = {theirs[1] or '', theirs[2] or ''} end
end
if shape.err then return {purges, invalidatedAt, ''} end
local sets, order = shape[1], shape[2]
if not sets then return {purges, invalidatedAt} end
if sets == '-' then
  id, entry = shape[3], shape[4]
else
  local field = {}
  for i = 4, #ARGV, 2 do field[ARGV[i]] = ARGV[i + 1] end
  for set in string.gmatch(sets, '[^\\n]+') do
    local text = ''
    if set ~= '-' then
      for name in string.gmatch(set, '[^,]+') do text = text .. (field[name] or ('[["' .. name .. '",null]]')) .. '\\n' end
    end
    found = redis.sha1hex(text)
    id = redis.call('HGET', KEYS[1], 'i:' .. found)
    if id then break end
  end
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

const writeScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash. ARGV: vary set, variant text, id, entry, keep for ms, most variants, most sets, entity tag.
local shape = redis.pcall('HMGET', KEYS[1], 'vary', 'order')
if shape.err then
  redis.call('DEL', KEYS[1])
  shape = {false, false}
end
local variant = redis.sha1hex(ARGV[2])
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
  redis.call('HDEL', KEYS[1], 'i:' .. oldest, 'e:' .. oldest, 't:' .. oldest)
end
redis.call('HSET', KEYS[1], 'vary', sets, 'order', table.concat(order, ','),
  'i:' .. variant, ARGV[3], 'e:' .. variant, ARGV[4], 't:' .. variant, ARGV[8])
if not shape[1] or redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return 1
`);

/** A variant that was not asked for, as far as a look tells of it. */
export interface OtherVariant {
  /** The SHA-1 of its text: its name in the hash. */
  name: string;
  /** A strong one. */
  tag: string;
  /** Whether it may be served to whoever carries credentials. */
  shareable: boolean;
}

export interface LookInput {
  key: string;
  purgesKey: string;
  /** The hash with the URL's invalidatedAt: `key`, or that of everybody's entries. */
  invalidationKey: string;
  /** The score from which purges are read; '' where the isolate has read them lately. */
  purgesSince: string;
  /** The id of what the isolate holds for this request, or null. */
  heldId: string | null;
  selecting: SelectingFields;
  /** Ms since the epoch. */
  now: number;
}

interface Learned {
  purges: readonly unknown[];
  invalidatedAt: InvalidatedAt;
  others: readonly OtherVariant[];
}

export type LookResult = Learned &
  (
    | { kind: "nothing" }
    /** The URL is stored, but not for such a request. */
    | { kind: "other-variants" }
    | { kind: "same" }
    | { kind: "entry"; entry: Entry }
    | { kind: "corrupt" }
  );

/** Queues the look at once; the promise rejects with a StoreError. */
export async function look(batch: Batch, input: LookInput): Promise<LookResult> {
  const { key, purgesKey, invalidationKey, purgesSince, heldId, selecting, now } = input;
  const reply = await batch.run<unknown>(
    lookScript,
    [key, purgesKey, invalidationKey],
    [purgesSince, heldId ?? "", now, ...selecting.asArguments()],
  );
  const [purges, invalidatedAt, id, text, others] = Array.isArray(reply) ? (reply as unknown[]) : [];
  // What is no answer of the script must not pass for "nothing stored, nothing purged".
  if (!Array.isArray(purges) || !Array.isArray(invalidatedAt))
    throw new StoreError("malformed", "The reply is none that the script gives");
  const [hard, soft] = invalidatedAt.map((each) => Number(each) || 0);
  const learned: Learned = {
    purges,
    invalidatedAt: { hard: hard ?? 0, soft: soft ?? 0 },
    others: othersIn(others),
  };
  if (id === undefined || id === null) return { kind: "nothing", ...learned };
  if (id === 0) return { kind: "other-variants", ...learned };
  if (heldId !== null && id === heldId) return { kind: "same", ...learned };
  const entry = typeof text === "string" ? decodeEntry(text) : null;
  return entry ? { kind: "entry", entry, ...learned } : { kind: "corrupt", ...learned };
}

/** Reads one variant by its name; null where it is gone, or is none. Rejects with a StoreError. */
export async function readVariant(batch: Batch, key: string, name: string): Promise<Entry | null> {
  const [text] = (await batch.queue<unknown[]>((pipeline) => pipeline.hmget(key, `e:${name}`))) ?? [];
  return typeof text === "string" ? decodeEntry(text) : null;
}

/**
 * The write of an entry, ready to be queued.
 *
 * @param isNew The look of this very request found nothing under the key. An answer that does not vary is then two plain
 *   commands in place of a script of four; a variant that another isolate stores at the same moment may be lost.
 */
export async function prepareWrite(
  key: string,
  entry: Entry,
  now: number,
  isNew: boolean,
): Promise<(batch: Batch) => void> {
  const text = await encodeEntry(entry);
  const { vary } = entry.meta;
  const set = vary.length === 0 ? "-" : vary.join(",");
  const keepMs = Math.max(1000, Math.min(MAX_LIFE_MS, Math.ceil(entry.keepUntil - now)));
  return (batch) => {
    if (isNew && vary.length === 0) {
      const names = { vary: "-", order: VARYLESS, [`i:${VARYLESS}`]: entry.id };
      const fields = { ...names, [`e:${VARYLESS}`]: text, [`t:${VARYLESS}`]: tagLine(entry) };
      void batch.queue((pipeline) => pipeline.hset(key, fields));
      void batch.queue((pipeline) => pipeline.pexpire(key, keepMs));
      return;
    }
    void batch.run(
      writeScript,
      [key],
      [set, entry.variant, entry.id, text, keepMs, MAX_VARIANTS, MAX_VARY_SETS, tagLine(entry)],
    );
  };
}

/** Others may be asked about by it: strong, and not of somebody's credentials. A leading `+` says shareable. */
function tagLine({ meta, shareable }: Entry): string {
  const tag = entityTag(fieldsOf(meta).get("etag"));
  if (tag === null || isWeak(tag) || meta.credentials || tag.length > MAX_TAG_LENGTH) return "";
  return `${shareable ? "+" : "-"}${tag}`;
}

function othersIn(reply: unknown): OtherVariant[] {
  const others: OtherVariant[] = [];
  const list: unknown[] = Array.isArray(reply) ? reply : [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const [name, line] = [list[index], list[index + 1]];
    if (typeof name === "string" && typeof line === "string") {
      others.push({ name, tag: line.slice(1), shareable: line.startsWith("+") });
    }
  }
  return others;
}
