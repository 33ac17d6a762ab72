import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";
import { textsIn } from "../store/replies.ts";
import { defineScript } from "../store/script.ts";
import type { Counts } from "./counts.ts";
import { addMinutes, type Bucket, minutesIn, minutesText, sumsOf } from "./minutes.ts";
import { allOf, type Known, type Latest, totalsText } from "./totals.ts";
import { numberOf } from "./written.ts";

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Isolates that write into one minute's bucket. Another one tries again in the next minute. */
export const MAX_FIELDS = 64;
/** A bucket lives so long once its isolates that are gone are in the totals; until then it waits for that. */
const FOLDED_MS = 2 * HOUR_MS;
export const UNFOLDED_MS = 8 * DAY_MS;
const HOUR_BUCKET_MS = 8 * DAY_MS;
/** All that is counted is kept as it was every ten minutes, for the last two hours and a little more. */
const SNAPSHOT_MINUTES = 10;
const MAX_SNAPSHOTS = 14;
export const TOTALS_MS = 366 * DAY_MS;
/** One isolate in so many ms takes the turn to fold. */
export const FOLD_EVERY_MS = 55_000;

/**
 * An isolate whose last bucket is so many minutes old is gone: it has a new id where it goes on. Isolates end an id a minute after
 * its last write; the rest is for calls on their way and for clocks that differ.
 */
const GONE_MINUTES = 3;
/** Buckets that are read with the totals. */
const RECENT_BUCKETS = 8;
/** Older buckets that are read by a second call, where nobody has folded for longer than that. */
const MORE_BUCKETS = 180;
/** Fields of the totals' hash: more minutes than that wait to be folded only where no fold succeeds. */
const MAX_WAITING = 2000;

/**
 * A text with the number of its writing before it: of two by one isolate, the later one counts. Its sums stand there too, so that
 * the series of minutes needs no more of it.
 */
export function numbered(number: number, counts: Counts): string {
  return `${number};${sumsOf(counts).join(",")} ${counts.text}`;
}

const WAITING = "m:";

/** The field of the totals' hash which says that the minute has a bucket that is not in the totals. */
export function waitingField(minute: number): string {
  return `${WAITING}${minute}`;
}

/**
 * The first write of an isolate into a minute's bucket, which is noted beside the totals: so whoever folds finds it after a silence
 * of any length. Replies whether there was room, and whether it is this isolate's turn to fold.
 */
export const ENTER = defineScript(`
#!lua flags=allow-key-locking
local known = redis.call("HEXISTS", KEYS[1], ARGV[1]) == 1
local entered = 0
if known or redis.call("HLEN", KEYS[1]) < tonumber(ARGV[4]) then
  redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
  redis.call("PEXPIRE", KEYS[1], ARGV[3])
  if redis.call("HLEN", KEYS[3]) < ${MAX_WAITING} then
    redis.call("HSET", KEYS[3], ARGV[7], "")
    redis.call("PEXPIRE", KEYS[3], ARGV[8])
  end
  entered = 1
end
local now, pause = tonumber(ARGV[6]), tonumber(ARGV[5])
local taken = tonumber(redis.call("GET", KEYS[2]) or "0")
if math.abs(now - taken) < pause then return {entered, 0} end
redis.call("SET", KEYS[2], ARGV[6], "PX", ARGV[5])
return {entered, 1}
`);

/** Replaces the totals, unless somebody else has done so since they were read. */
const FOLD = defineScript(`
#!lua flags=allow-key-locking
if (redis.call("HGET", KEYS[1], "through") or "") ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "through", ARGV[2], "totals", ARGV[3], "minutes", ARGV[8])
redis.call("PEXPIRE", KEYS[1], ARGV[4])
if ARGV[6] ~= "" then redis.call("SET", KEYS[2], ARGV[6], "PX", ARGV[7]) end
if ARGV[9] ~= "" then
  redis.call("ZADD", KEYS[3], ARGV[10], ARGV[9])
  redis.call("ZREMRANGEBYRANK", KEYS[3], 0, -1 - tonumber(ARGV[11]))
  redis.call("PEXPIRE", KEYS[3], ARGV[7])
end
for i = 4, #KEYS do redis.call("PEXPIRE", KEYS[i], ARGV[5]) end
for i = 12, #ARGV do redis.call("HDEL", KEYS[1], ARGV[i]) end
return 1
`);

/** What Redis has. */
export interface Stored extends Known {
  /** Up to which minute the isolates that are gone are in the totals; 0 where there are none yet. */
  through: number;
  /** The same as it is stored; empty where there are none yet. */
  throughText: string;
  /** The minutes up to {@link through}, as `minutesText` writes them. */
  minutes: string | null;
  /** The buckets that were read, in their order. */
  buckets: readonly Bucket[];
  /** The last minute up to which all buckets were read. */
  readTo: number;
  /** The minutes whose buckets are not in the totals. */
  waiting: readonly number[];
  /** When it was read, ms since the epoch. */
  at: number;
  /** All that was counted at some moment, with that moment before it; null where none was asked for, and where there is none. */
  snapshot: string | null;
}

/**
 * Reads all that is counted, with one call. Where nobody has folded for more than five minutes, because no request came, there is a
 * second one, for what was written last before that.
 *
 * @param since The last moment before this one of which all is known is read too, ms since the epoch. Default none is.
 * @throws StoreError
 */
export async function readStored(
  openBatch: () => Batch,
  keys: Keys,
  now: number,
  since?: number,
): Promise<Stored> {
  const minute = Math.floor(now / MINUTE_MS);
  const recent = minute - RECENT_BUCKETS + 1;
  const batch = openBatch();
  // The totals first: what is folded after that is still in its buckets.
  const reply = batch.queue((pipeline) => pipeline.hgetall(keys.metricTotals()));
  const before =
    since === undefined
      ? []
      : batch.queue((pipeline) =>
          pipeline.zrange(keys.metricSnapshots(), since, "-inf", {
            byScore: true,
            rev: true,
            offset: 0,
            count: 1,
          }),
        );
  void Promise.resolve(before).catch(() => {});
  // The clock of another isolate may be ahead.
  const reading = readBuckets(
    batch,
    keys,
    Array.from({ length: RECENT_BUCKETS + 1 }, (_, index) => recent + index),
  );
  await batch.send();
  const fields = fieldsOf(textsIn(await reply));
  const [snapshot = null] = textsIn(await before);
  const throughText = fields.get("through") ?? "";
  const through = numberOf(throughText);
  const waiting = waitingIn(fields);
  const older = waiting.filter((each) => each > through && each < recent);
  const more = older.slice(0, MORE_BUCKETS);
  const readTo = older.length > more.length ? (more.at(-1) ?? minute) : minute;
  let buckets: Bucket[] = [];
  // The bucket before the first says what of that is new.
  if (more.length > 0 || through === recent - 1) {
    const second = openBatch();
    const readingMore = readBuckets(second, keys, [through, ...more]);
    await second.send();
    buckets = await readingMore;
  }
  buckets = [...buckets, ...(await reading)];
  const isolates = isolatesIn(buckets, through);
  const [totals = null, minutes = null] = [fields.get("totals"), fields.get("minutes")];
  return {
    ...{ through, throughText, totals, minutes, buckets, isolates, readTo, waiting },
    ...{ at: now, minute, snapshot },
  };
}

function fieldsOf(reply: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < reply.length; index += 2)
    fields.set(reply[index] ?? "", reply[index + 1] ?? "");
  return fields;
}

function waitingIn(totals: ReadonlyMap<string, string>): number[] {
  const names = [...totals.keys()].filter((name) => name.startsWith(WAITING));
  const minutes = names.map((name) => Number(name.slice(WAITING.length)));
  return minutes.filter(Number.isSafeInteger).sort((one, other) => one - other);
}

function readBuckets(batch: Batch, keys: Keys, minutes: readonly number[]): Promise<Bucket[]> {
  const all = Promise.all(
    minutes.map(async (minute): Promise<Bucket> => {
      const key = keys.metricMinute(minute);
      return [minute, textsIn(await batch.queue((pipeline) => pipeline.hgetall(key)))];
    }),
  );
  all.catch(() => {});
  return all;
}

/** Buckets that are in the totals already are kept for charts and say nothing here. */
function isolatesIn(buckets: readonly Bucket[], through: number): Map<string, Latest> {
  const isolates = new Map<string, Latest>();
  for (const [minute, fields] of buckets) {
    if (minute <= through) continue;
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const [id = "", text = ""] = fields.slice(index, index + 2);
      const known = isolates.get(id);
      const isLater = !known || numberOf(text) >= numberOf(known.text);
      isolates.set(id, { minute: Math.max(minute, known?.minute ?? 0), text: isLater ? text : known.text });
    }
  }
  return isolates;
}

/** What each of the last minutes has added to, as far as that is known. */
export function minutesOf({ minutes, buckets, through }: Pick<Stored, "minutes" | "buckets" | "through">) {
  const known = minutesIn(minutes);
  addMinutes(known, buckets, through);
  return known;
}

/**
 * Adds the isolates that are gone to the totals, where that is due: an id's numbers are either in the totals or in a bucket after
 * {@link Stored.through}, never in both. However many fold at once, one of them does; one that is cut off has changed nothing.
 *
 * @returns whether it did.
 * @throws StoreError
 */
export async function fold(openBatch: () => Batch, keys: Keys, stored: Stored): Promise<boolean> {
  const { through, throughText, readTo, waiting } = stored;
  const next = readTo - GONE_MINUTES;
  if (next <= through) return false;
  const hour = Math.floor(next / 60);
  const isNewHour = throughText !== "" && hour > Math.floor(through / 60);
  const slot = (at: number) => Math.floor(at / SNAPSHOT_MINUTES);
  const isNewSlot = throughText !== "" && slot(next) > slot(through);
  const allText = isNewSlot ? allOf(stored).text : "";
  const totals = totalsText(stored, ({ minute }) => minute <= next, isNewHour);
  const folded = waiting.filter((minute) => minute <= next);
  const buckets = folded.map((minute) => keys.metricMinute(minute));
  const batch = openBatch();
  const done = batch.run(
    FOLD,
    [keys.metricTotals(), keys.metricHour(hour), keys.metricSnapshots(), ...buckets],
    [
      ...[throughText, next, totals, TOTALS_MS, FOLDED_MS],
      ...[isNewHour ? allText : "", HOUR_BUCKET_MS, minutesText(minutesOf(stored), next)],
      ...[allText && `${stored.at} ${allText}`, stored.at, MAX_SNAPSHOTS],
      ...folded.map(waitingField),
    ],
  );
  await batch.send();
  return (await done) === 1;
}
