import type { Policy } from "../../config/route.ts";
import type { Batch } from "../../store/batch.ts";
import type { Keys } from "../../store/keys.ts";

/** The part of a policy that arithmetic needs. */
export type Quota = Pick<Policy, "algorithm" | "limit" | "windowMs" | "refill">;

/** One caller's counts under one policy. */
export interface Counter {
  policy: Policy;
  /** The caller's hash. */
  caller: string;
}

/**
 * The raw counts of one counter, as Redis stores them. What is left, and when a request would pass, follow from them and
 * the clock. Only the algorithm that made them knows their shape.
 */
export type Counts = object;

/** What the script is told of a charge, and what it did, for {@link Algorithm.parse}. */
export interface ParseContext {
  quota: Quota;
  cost: number;
  /** Units that the script took. */
  taken: number;
  /** The moment the script was given, ms since the epoch. */
  now: number;
}

/**
 * The part of the charge script that belongs to one algorithm. Both fragments are Lua statements that see `l` (with `key`,
 * `limit`, `window`, `cost`, `most`, `taken` and the algorithm's own arguments as `l[1]`, `l[2]`, …) and `now`.
 */
export interface LuaFragment {
  /** Keys of one counter, in the order of {@link Algorithm.keys}. */
  keys: number;
  /** The keys hold strings: the script reads those of all counters with one MGET and gives them as `l.values`. */
  strings: boolean;
  /** Number of the algorithm's own arguments. */
  arguments: number;
  /** Sets `l.room`, the units that are left. Changes no count. */
  read: string;
  /** Takes `l.taken` units, which may be 0, and returns a table: `l.taken` and what {@link Algorithm.parse} reads. */
  write: string;
}

/**
 * Units that the isolate admitted in an outage and that Redis has certainly not counted. They are counted when it is back,
 * unless they have lapsed by then.
 */
export interface PendingUnits<Pending extends Counts = Counts> {
  add(quota: Quota, before: Pending | undefined, now: number, units: number): Pending;
  /** @param since Units that were added after `before` was sent and refused. */
  join(before: Pending, since: Pending): Pending;
  /** The same units at no more than `moments` moments, the later ones: they may count for longer, never for less. */
  coarser(pending: Pending, moments: number): Pending;
  /** Units that still count at `now`. */
  units(quota: Quota, pending: Pending, now: number): number;
  lapsesAt(quota: Quota, pending: Pending, now: number): number;
  /** Bytes in memory, about, beyond those of an entry of a map. */
  bytes(pending: Pending): number;
}

/** A verdict of @upstash/ratelimit. */
export interface LibraryVerdict<Own extends Counts = Counts> {
  success: boolean;
  counts: Own;
  /** The moment the library took for its own, ms since the epoch. */
  at: number;
}

/**
 * Everything that depends on an algorithm. Times are in ms since the epoch. Where a parameter is called `current`, the
 * caller has passed the counts through {@link Algorithm.at} for the same `now`.
 */
export interface Algorithm<Own extends Counts = Counts> {
  /** Counts of a caller who has taken nothing. */
  empty(quota: Quota, now: number): Own;
  /**
   * The counts as they stand at `now`: windows rolled, tokens refilled, lapsed units gone. A clock that went back changes
   * nothing.
   */
  at(quota: Quota, counts: Own, now: number): Own;
  /** Units that count at `now`. More than the limit after the limit was lowered. */
  used(quota: Quota, current: Own, now: number): number;
  /** The earliest moment at which `units` can be taken. Called where they cannot at `now`, and are within the limit. */
  passesAt(quota: Quota, current: Own, now: number, units: number): number;
  /** The counts after `units` were taken at `now`. */
  take(quota: Quota, counts: Own, now: number, units: number): Own;
  /** When these counts say nothing more. */
  lapsesAt(quota: Quota, counts: Own, now: number): number;
  /** Of two views of one counter, what both together prove to be taken: neither refuses later what this admits then. */
  stricter(quota: Quota, one: Own, other: Own, now: number): Own;
  /** Bytes in memory, about, beyond those of an entry of a map. */
  bytes(counts: Own): number;
  /** For the `w` parameter of RateLimit-Policy: seconds in which the whole quota comes back. */
  windowSeconds(quota: Quota): number;
  /** Policies of this algorithm have a `refill`. */
  readonly refills: boolean;
  /**
   * The number of the window and the value of its counter. Absent: the algorithm has no such counter, and its units cannot be
   * leased.
   */
  counter?(counts: Own): { number: number; value: number };
  readonly pending: PendingUnits;

  /** The keys that hold the counts at `now`, the newest first. */
  keys(keys: Keys, counter: Counter, now: number): string[];
  readonly lua: LuaFragment;
  /** As many as {@link LuaFragment.arguments}. */
  arguments(quota: Quota, randomBytes: (length: number) => Uint8Array): (string | number)[];
  /** Reads the script's reply: the numbers after `l.taken`. */
  parse(facts: readonly number[], context: ParseContext): Own;
  /** Queues reads of the counts on the batch. Rejects with a StoreError. */
  read(batch: Batch, names: readonly string[], quota: Quota, now: number): Promise<Own>;
  /** Charges one unit by @upstash/ratelimit, with the batch as its `redis`. Absent: the script always decides. */
  chargeByLibrary?(batch: Batch, keys: Keys, counter: Counter): Promise<LibraryVerdict<Own>>;
}
