import type { Policy } from "../config/route.ts";

/** Units taken at one moment, ms since the epoch. */
export interface Run {
  at: number;
  units: number;
}

/**
 * The raw counts of one policy for one caller: what Redis stores, before any weighing. Everything that is said of a limit
 * (what is left, when this request would pass) follows from them and the clock.
 *
 * - `window`: fixed and sliding windows; `number` is `floor(now / window)`.
 * - `bucket`: tokens left when it was last refilled, a whole number of windows at a time.
 * - `log`: runs in the order of time. Those that come from Redis are a summary that never understates how long a unit
 *   counts; see `script.ts`.
 */
export type Counts =
  | { kind: "window"; number: number; current: number; previous: number }
  | { kind: "bucket"; tokens: number; refilledAt: number }
  | { kind: "log"; runs: readonly Run[] };

/** The part of a policy that arithmetic needs. */
export type Quota = Pick<Policy, "algorithm" | "limit" | "windowMs" | "refill">;

export function emptyCounts({ algorithm, limit, windowMs }: Quota, now: number): Counts {
  if (algorithm === "token-bucket") return { kind: "bucket", tokens: limit, refilledAt: now };
  if (algorithm === "sliding-log") return { kind: "log", runs: [] };
  return { kind: "window", number: Math.floor(now / windowMs), current: 0, previous: 0 };
}

/**
 * The counts as they stand at `now`: windows rolled, tokens refilled, lapsed runs gone. A clock that went back changes
 * nothing.
 */
export function countsAt({ limit, windowMs, refill }: Quota, counts: Counts, now: number): Counts {
  if (counts.kind === "log")
    return { kind: "log", runs: counts.runs.filter((run) => run.at > now - windowMs) };
  if (counts.kind === "bucket") {
    const refills = Math.max(0, Math.floor((now - counts.refilledAt) / windowMs));
    return {
      kind: "bucket",
      tokens: Math.min(limit, counts.tokens + refills * refill),
      refilledAt: counts.refilledAt + refills * windowMs,
    };
  }
  const number = Math.floor(now / windowMs);
  if (number <= counts.number) return counts;
  return { kind: "window", number, current: 0, previous: number === counts.number + 1 ? counts.current : 0 };
}

/** Units that could be taken at `now`; never below 0. */
export function available(quota: Quota, counts: Counts, now: number): number {
  return Math.max(0, quota.limit - used(quota, countsAt(quota, counts, now), now));
}

/**
 * The earliest moment, ms since the epoch, from `now` on, at which `units` could be taken if nobody takes any before;
 * infinity when they never can.
 */
export function passesAt(quota: Quota, counts: Counts, now: number, units: number): number {
  if (units > quota.limit) return Number.POSITIVE_INFINITY;
  const current = countsAt(quota, counts, now);
  if (units <= quota.limit - used(quota, current, now)) return now;
  const { limit, windowMs, refill } = quota;
  if (current.kind === "bucket") {
    return current.refilledAt + Math.ceil((units - current.tokens) / refill) * windowMs;
  }
  if (current.kind === "log") {
    let toLapse = used(quota, current, now) + units - limit;
    for (const run of current.runs) {
      toLapse -= run.units;
      if (toLapse <= 0) return run.at + windowMs;
    }
    return now;
  }
  const start = current.number * windowMs;
  if (quota.algorithm === "fixed-window") return start + windowMs;
  const roomNow = limit - current.current - units;
  return roomNow >= 0
    ? start + weighsAtMost(current.previous, windowMs, roomNow)
    : start + windowMs + weighsAtMost(current.current, windowMs, limit - units);
}

/** The counts after `units` were taken at `now`. A bucket never goes below 0. */
export function afterTaking(quota: Quota, counts: Counts, now: number, units: number): Counts {
  const current = countsAt(quota, counts, now);
  if (current.kind === "window") return { ...current, current: current.current + units };
  if (current.kind === "bucket") return { ...current, tokens: Math.max(0, current.tokens - units) };
  const last = current.runs.at(-1);
  const runs =
    last && last.at >= now
      ? [...current.runs.slice(0, -1), { at: last.at, units: last.units + units }]
      : [...current.runs, { at: now, units }];
  return { kind: "log", runs };
}

/** When these counts say nothing more, ms since the epoch. */
export function lapsesAt(quota: Quota, counts: Counts, now: number): number {
  if (counts.kind === "window") return (counts.number + 2) * quota.windowMs;
  if (counts.kind === "log") return (counts.runs.at(-1)?.at ?? now) + quota.windowMs;
  const refills = Math.max(1, Math.ceil((quota.limit - counts.tokens) / quota.refill));
  return counts.refilledAt + refills * quota.windowMs;
}

/** Of two views of one counter, what both together prove to be taken: no view may forget what the other saw. */
export function stricter(quota: Quota, one: Counts, other: Counts, now: number): Counts {
  const a = countsAt(quota, one, now);
  const b = countsAt(quota, other, now);
  if (a.kind === "window" && b.kind === "window") {
    return {
      kind: "window",
      number: Math.max(a.number, b.number),
      current: Math.max(a.current, b.current),
      previous: Math.max(a.previous, b.previous),
    };
  }
  return used(quota, a, now) >= used(quota, b, now) ? a : b;
}

/** Units that count at `now`; `counts` must be of `now`. More than the limit after the limit was lowered. */
function used(quota: Quota, counts: Counts, now: number): number {
  if (counts.kind === "bucket") return quota.limit - counts.tokens;
  if (counts.kind === "log") return counts.runs.reduce((sum, run) => sum + run.units, 0);
  if (quota.algorithm === "fixed-window") return counts.current;
  return counts.current + weight(counts.previous, now % quota.windowMs, quota.windowMs);
}

/** What the previous window still weighs: @upstash/ratelimit's formula, in its own order of floating-point operations. */
function weight(previous: number, elapsedMs: number, windowMs: number): number {
  return Math.floor((1 - elapsedMs / windowMs) * previous);
}

/**
 * The first whole millisecond of a window at which `previous` weighs at most `room`: the least `elapsed` with
 * `previous × (windowMs − elapsed) < (room + 1) × windowMs`, put right by a step where floating point rounds otherwise.
 */
function weighsAtMost(previous: number, windowMs: number, room: number): number {
  let elapsed = Math.max(0, Math.floor(windowMs - ((room + 1) * windowMs) / previous) + 1);
  while (elapsed > 0 && weight(previous, elapsed - 1, windowMs) <= room) elapsed -= 1;
  while (elapsed < windowMs && weight(previous, elapsed, windowMs) > room) elapsed += 1;
  return elapsed;
}
