import * as z from "zod/mini";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { listIn } from "../store/replies.ts";
import { defineScript } from "../store/script.ts";
import { CLOCKS_DIFFER_MS } from "./changes.ts";
import {
  EVERYTHING,
  MAX_AT_ONCE,
  PURGE_KINDS,
  type Purge,
  type PurgeFacts,
  type PurgeStatus,
  type PurgeTarget,
  PurgeTimes,
  type TimedPurge,
} from "./purge-times.ts";

/** Longer than any entry lives: a purge older than this has nothing left to purge. */
export const MAX_LIFE_MS = 7 * 86_400_000;
/**
 * Ms after which a purge that has a time stands in the log: by clocks that differ by ten seconds, in a call that is sent at once
 * and twice where the script is not known, each as long as any may take (30 s), read by a call that takes as long.
 */
const ARRIVED_MS = 180_000;
/**
 * Purges that the log in Redis holds: those of the newest call, whatever came before, and the two that the oldest become beyond it, a
 * hard and a soft one of everything up to their time.
 */
const MAX_PURGES = MAX_AT_ONCE + 2;
/** Of these, those that have a wider target; beyond it the wider one is purged. */
const MAX_NARROW_PURGES = 750;
/** An isolate may have purged narrowly what the log holds by its wider target. */
const MAX_KNOWN = MAX_PURGES + MAX_NARROW_PURGES;

const member = z.object({
  k: z.enum(PURGE_KINDS),
  v: z.string(),
  s: z.boolean(),
});

/** The latest purges. `pending`: it holds in this isolate, and is written when the store is back. */
export interface LatestPurges {
  complete: boolean;
  purges: readonly (TimedPurge & { pending: boolean })[];
}

/**
 * KEYS: the log. ARGV: now, oldest worth keeping, most members, most that have a wider one, lifetime, then the members, each with its
 * wider one or `''`.
 */
const appendScript = defineScript(`
#!lua flags=allow-key-locking
local gone = redis.pcall('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
if type(gone) == 'table' then
  redis.call('DEL', KEYS[1])
  redis.call('ZADD', KEYS[1], ARGV[1], '{"k":"everything","v":"","s":false}')
end
for i = 6, #ARGV, 2 do
  local member = ARGV[i]
  if ARGV[i + 1] ~= '' and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4])
    and not redis.call('ZSCORE', KEYS[1], member) then
    member = ARGV[i + 1]
  end
  redis.call('ZADD', KEYS[1], 'GT', ARGV[1], member)
end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
if over > 0 then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, over + 1, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over + 1)
  local newest = {}
  for each = 1, #oldest, 2 do
    newest[string.sub(oldest[each], -9) == '"s":true}' and 'true' or 'false'] = oldest[each + 1]
  end
  for soft, at in pairs(newest) do
    redis.call('ZADD', KEYS[1], 'GT', at, '{"k":"everything","v":"","s":' .. soft .. '}')
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`);

/**
 * What the isolate knows of purges. A purge is one timestamp, compared when an entry is read: its cost does not depend on
 * how many entries there are, and no key is ever searched for.
 */
export class PurgeLog {
  readonly #times = new PurgeTimes(MAX_KNOWN);
  /** Made while the store was lost: written when it is back. By member, so that what is purged again takes no more room. */
  readonly #pending = new Map<string, Purge>();
  /** The newest that was read from the log: what was made here says nothing of what others wrote before. */
  #readUpTo = Number.NEGATIVE_INFINITY;
  /** When the log was read last. */
  #readAt = Number.NEGATIVE_INFINITY;
  /** When this isolate last wrote to it, with Redis' word for it. */
  #writtenAt = Number.NEGATIVE_INFINITY;
  /** A replica that lags may not have that yet, ms. Twice as long after each time that it had not: what is lost is purged by everything. */
  #patienceMs = CLOCKS_DIFFER_MS;

  /**
   * The score from which the log must be read. The newest purges are read again for three minutes, in which an earlier one may
   * yet arrive, and no longer: a thousand of one moment would else come with every look until the next purge.
   */
  since(now: number): string {
    if (!Number.isFinite(this.#readAt)) return "-inf";
    // A clock that went back reads again what it has read.
    const arrived = Math.min(this.#readAt, now) - ARRIVED_MS;
    return String(Math.max(arrived, this.#readUpTo - CLOCKS_DIFFER_MS));
  }

  get size(): number {
    return this.#times.size;
  }

  /**
   * Takes in what a batch has read: members and scores by turns.
   *
   * @returns whether Redis has lost what was written from here: others may not have read it before.
   */
  learn(membersAndScores: readonly unknown[], now: number): boolean {
    const isDue = this.#writtenAt < this.#readAt - this.#patienceMs;
    this.#readAt = now;
    for (const purge of timedPurges(membersAndScores)) {
      this.#times.note(purge, purge.at);
      this.#readUpTo = Math.max(this.#readUpTo, purge.at);
    }
    const isLost = isDue && this.#writtenAt > this.#readUpTo;
    if (isLost) this.#patienceMs *= 2;
    else if (this.#writtenAt <= this.#readUpTo) this.#patienceMs = CLOCKS_DIFFER_MS;
    return isLost;
  }

  /** Applies purges in this isolate; {@link write} applies them for the others. */
  add(purges: readonly Purge[], now: number): void {
    for (const purge of purges) {
      const full = this.#times.size >= MAX_NARROW_PURGES && !this.#times.has(purge);
      this.#times.note(full && purge.wider ? { target: purge.wider, soft: purge.soft } : purge, now);
    }
  }

  /**
   * Queues purges for the log in Redis. What does not arrive is kept, and queued with the next {@link rewrite}: beyond a
   * thousand it is everything, softly where each of them is soft.
   *
   * @returns whether it arrived, once the batch is back.
   */
  async write(purges: readonly Purge[], now: number, keys: Keys, batch: Batch): Promise<boolean> {
    if (purges.length === 0) return true;
    const settings = [now, now - MAX_LIFE_MS, MAX_PURGES, MAX_NARROW_PURGES, MAX_LIFE_MS];
    const members = purges.flatMap(({ target, wider, soft }) => [
      memberOf(target, soft),
      wider ? memberOf(wider, soft) : "",
    ]);
    try {
      await batch.run(appendScript, [keys.purges()], [...settings, ...members]);
      this.#writtenAt = now;
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#keep(purges);
      return false;
    }
  }

  /** A purge that takes effect here at once, and is written with the next {@link rewrite}. */
  addPending(purges: readonly Purge[], now: number): void {
    this.add(purges, now);
    this.#keep(purges);
  }

  #keep(purges: readonly Purge[]): void {
    for (const purge of purges) {
      const { wider, soft } = purge;
      const kept = wider && this.#pending.size >= MAX_NARROW_PURGES ? { target: wider, soft } : purge;
      this.#pending.set(memberOf(kept.target, soft), kept);
    }
    if (this.#pending.size <= MAX_AT_ONCE) return;
    const soft = [...this.#pending.values()].every((each) => each.soft);
    this.#pending.clear();
    this.#pending.set(memberOf(EVERYTHING.target, soft), { ...EVERYTHING, soft });
  }

  /**
   * Writes what is pending, with the time of now: what others stored meanwhile may be what was to go, and an isolate that
   * has read on would not look back.
   */
  async rewrite(now: number, keys: Keys, batch: Batch): Promise<boolean> {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.add(pending, now);
    await this.write(pending, now, keys, batch);
    return false;
  }

  /**
   * Queues a read of the latest purges.
   *
   * @returns once the batch is back: those of the log with those that only this isolate has, newest first. `complete`: the log was read;
   *   else they are what this isolate knows.
   */
  async readLatest(most: number, keys: Keys, batch: Batch | null): Promise<LatestPurges> {
    const known = this.#times
      .latest(MAX_KNOWN)
      .map((purge) => ({ ...purge, pending: this.#pending.has(memberOf(purge.target, purge.soft)) }));
    try {
      if (!batch) return { complete: false, purges: known.slice(0, most) };
      const read = await batch.queue((pipeline) =>
        pipeline.zrange(keys.purges(), 0, most - 1, { rev: true, withScores: true }),
      );
      const logged = timedPurges(listIn(read)).map((purge) => ({ ...purge, pending: false }));
      const all = [...logged, ...known.filter(({ pending }) => pending)];
      return { complete: true, purges: all.sort((one, other) => other.at - one.at).slice(0, most) };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { complete: false, purges: known.slice(0, most) };
    }
  }

  purgeStatus(entry: PurgeFacts): PurgeStatus {
    return this.#times.status(entry);
  }
}

/** What was read from the log: members and scores by turns. What is no purge is passed over. */
function timedPurges(membersAndScores: readonly unknown[]): TimedPurge[] {
  const found: TimedPurge[] = [];
  for (let index = 0; index + 1 < membersAndScores.length; index += 2) {
    const at = Number(membersAndScores[index + 1]);
    const purge = parsePurge(membersAndScores[index]);
    if (purge && Number.isFinite(at)) found.push({ ...purge, at });
  }
  return found;
}

function memberOf(target: PurgeTarget, soft: boolean): string {
  return JSON.stringify({ k: target.kind, v: target.value, s: soft });
}

function parsePurge(text: unknown): Purge | null {
  if (typeof text !== "string" || !text.startsWith("{")) return null;
  try {
    const parsed = z.safeParse(member, JSON.parse(text));
    if (!parsed.success) return null;
    return { target: { kind: parsed.data.k, value: parsed.data.v } as PurgeTarget, soft: parsed.data.s };
  } catch {
    return null;
  }
}
