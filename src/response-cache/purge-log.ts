import * as z from "zod/mini";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { defineScript } from "../store/script.ts";

/** What a purge reaches. */
export type PurgeTarget =
  /** Hash of one URL: all its variants, for every audience. */
  | { kind: "url"; value: string }
  /** `host/path/`, ending at a slash. */
  | { kind: "prefix"; value: string }
  /** Lower case. */
  | { kind: "tag"; value: string }
  | { kind: "everything"; value: "" };

export interface Purge {
  target: PurgeTarget;
  /** Stale instead of gone. */
  soft: boolean;
}

/** The facts of an entry by which it is purged. */
export interface PurgeFacts {
  urlHash: string;
  url: string;
  tags: readonly string[];
  requestTime: number;
}

export type PurgeStatus = { kind: "none" } | { kind: "hard" } | { kind: "soft"; since: number };

/** Longer than any entry lives: a purge older than this has nothing left to purge. */
export const MAX_LIFE_MS = 7 * 86_400_000;
/** Purges kept; beyond it the oldest become one purge of everything up to their time. */
const MAX_PURGES = 1000;
/** Clocks of two isolates may differ by this much, ms: the log is read again from that far back. */
const OVERLAP_MS = 10_000;

export const EVERYTHING: Purge = { target: { kind: "everything", value: "" }, soft: false };

const member = z.object({
  k: z.enum(["url", "prefix", "tag", "everything"]),
  v: z.string(),
  s: z.boolean(),
});

const appendScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the log. ARGV: now, oldest worth keeping, most members, lifetime, then the members.
local gone = redis.pcall('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
if type(gone) == 'table' then
  redis.call('DEL', KEYS[1])
  redis.call('ZADD', KEYS[1], ARGV[1], '{"k":"everything","v":"","s":false}')
end
for i = 5, #ARGV do
  redis.call('ZADD', KEYS[1], 'GT', ARGV[1], ARGV[i])
end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
if over > 0 then
  local newest = redis.call('ZRANGE', KEYS[1], over, over, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over)
  redis.call('ZADD', KEYS[1], 'GT', newest[2], '{"k":"everything","v":"","s":false}')
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`);

/**
 * What the isolate knows of purges. A purge is one timestamp, compared when an entry is read: its cost does not depend on
 * how many entries there are, and no key is ever searched for.
 */
export class PurgeLog {
  readonly #times = new Map<string, { time: number; purge: Purge }>();
  /** Made while the store was lost: written when it is back. */
  #pending: Purge[] = [];
  /** The newest that was read from the log: what was made here says nothing of what others wrote before. */
  #readUpTo = Number.NEGATIVE_INFINITY;

  /** The score from which the log must be read, for the script that reads it. */
  get since(): string {
    return Number.isFinite(this.#readUpTo) ? String(this.#readUpTo - OVERLAP_MS) : "-inf";
  }

  get size(): number {
    return this.#times.size;
  }

  /** Takes in what a batch has read: members and scores by turns. */
  learn(membersAndScores: readonly unknown[]): void {
    for (let index = 0; index + 1 < membersAndScores.length; index += 2) {
      const time = Number(membersAndScores[index + 1]);
      const purge = parsePurge(membersAndScores[index]);
      if (!purge || !Number.isFinite(time)) continue;
      this.#note(purge, time);
      this.#readUpTo = Math.max(this.#readUpTo, time);
    }
  }

  /** Applies purges in this isolate; {@link write} applies them for the others. */
  add(purges: readonly Purge[], now: number): void {
    for (const purge of purges) this.#note(purge, now);
  }

  /**
   * Queues purges for the log in Redis. What does not arrive is kept, and queued with the next {@link rewrite}: beyond a
   * thousand it is everything.
   *
   * @returns whether it arrived, once the batch is back.
   */
  async write(purges: readonly Purge[], now: number, keys: Keys, batch: Batch): Promise<boolean> {
    if (purges.length === 0) return true;
    const settings = [now, now - MAX_LIFE_MS, MAX_PURGES, MAX_LIFE_MS];
    try {
      await batch.run(appendScript, [keys.purges()], [...settings, ...purges.map(writePurge)]);
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
    this.#pending.push(...purges);
    if (this.#pending.length > MAX_PURGES) this.#pending = [EVERYTHING];
  }

  /**
   * Writes what is pending, with the time of now: what others stored meanwhile may be what was to go, and an isolate that
   * has read on would not look back.
   */
  async rewrite(now: number, keys: Keys, batch: Batch): Promise<boolean> {
    const pending = this.#pending;
    this.#pending = [];
    this.add(pending, now);
    await this.write(pending, now, keys, batch);
    return false;
  }

  /** `hard`: as if it had never been stored. `soft`: stale since then, ms since the epoch. */
  purgeStatus(entry: PurgeFacts): PurgeStatus {
    let purgeStatus: PurgeStatus = { kind: "none" };
    if (this.#times.size === 0) return purgeStatus;
    for (const { time, purge } of this.#reaching(entry)) {
      if (time < entry.requestTime) continue;
      if (!purge.soft) return { kind: "hard" };
      purgeStatus = {
        kind: "soft",
        since: purgeStatus.kind === "soft" ? Math.min(purgeStatus.since, time) : time,
      };
    }
    return purgeStatus;
  }

  *#reaching(entry: PurgeFacts): Iterable<{ time: number; purge: Purge }> {
    const known = (kind: string, value: string) =>
      [false, true].flatMap(
        (soft) => this.#times.get(writePurge({ target: { kind, value } as PurgeTarget, soft })) ?? [],
      );
    yield* known("everything", "");
    yield* known("url", entry.urlHash);
    for (const tag of entry.tags) yield* known("tag", tag);
    const path = entry.url.replace(/\?.*$/s, "");
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
      yield* known("prefix", path.slice(0, end + 1));
    }
  }

  #note(purge: Purge, time: number): void {
    const name = writePurge(purge);
    const known = this.#times.get(name);
    if (!known || known.time < time) {
      this.#times.delete(name);
      this.#times.set(name, { time, purge });
    }
    if (this.#times.size <= MAX_PURGES) return;
    const oldest = [...this.#times].sort(([, a], [, b]) => a.time - b.time).slice(0, MAX_PURGES / 2);
    for (const [each] of oldest) this.#times.delete(each);
    const until = oldest.at(-1)?.[1].time ?? time;
    this.#note(EVERYTHING, until);
  }
}

function writePurge({ target, soft }: Purge): string {
  return JSON.stringify({ k: target.kind, v: target.value, s: soft });
}

function parsePurge(text: unknown): Purge | null {
  if (typeof text !== "string") return null;
  try {
    const parsed = z.safeParse(member, JSON.parse(text));
    if (!parsed.success) return null;
    return { target: { kind: parsed.data.k, value: parsed.data.v } as PurgeTarget, soft: parsed.data.s };
  } catch {
    return null;
  }
}
