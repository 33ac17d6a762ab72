import type { Batch } from "../../store/batch.ts";
import type { Keys } from "../../store/keys.ts";
import type { Counter, PendingUnits, Quota } from "./algorithm.ts";

/** What fixed and sliding windows have in common: a counter per window, in the key layout of @upstash/ratelimit. */
export interface WindowCounts {
  /** `floor(now / windowMs)`. */
  number: number;
  current: number;
  previous: number;
}

export function emptyWindow({ windowMs }: Quota, now: number): WindowCounts {
  return { number: Math.floor(now / windowMs), current: 0, previous: 0 };
}

export function windowAt({ windowMs }: Quota, counts: WindowCounts, now: number): WindowCounts {
  const number = Math.floor(now / windowMs);
  if (number <= counts.number) return counts;
  return { number, current: 0, previous: number === counts.number + 1 ? counts.current : 0 };
}

/** Members that are the same for both algorithms. */
export const windowMembers = {
  empty: emptyWindow,
  at: windowAt,
  take(quota: Quota, counts: WindowCounts, now: number, units: number): WindowCounts {
    const current = windowAt(quota, counts, now);
    return { ...current, current: current.current + units };
  },
  lapsesAt: windowLapsesAt,
  stricter(quota: Quota, one: WindowCounts, other: WindowCounts, now: number): WindowCounts {
    const a = windowAt(quota, one, now);
    const b = windowAt(quota, other, now);
    return {
      number: Math.max(a.number, b.number),
      current: Math.max(a.current, b.current),
      previous: Math.max(a.previous, b.previous),
    };
  },
  bytes: () => 0,
  windowSeconds: ({ windowMs }: Quota) => Math.ceil(windowMs / 1000),
  refills: false,
  counter: ({ number, current }: WindowCounts) => ({ number, value: current }),
  arguments: () => [],
  parse: (
    [current = 0, previous = 0]: readonly number[],
    { quota, now }: { quota: Quota; now: number },
  ): WindowCounts => ({ number: Math.floor(now / quota.windowMs), current, previous }),
  async read(batch: Batch, [newest = "", older]: readonly string[], { windowMs }: Quota, now: number) {
    const [current, previous] = await Promise.all([batch.read(newest), older ? batch.read(older) : null]);
    return {
      number: Math.floor(now / windowMs),
      current: Number(current ?? 0),
      previous: Number(previous ?? 0),
    };
  },
};

export function windowKey(keys: Keys, { policy, caller }: Counter, number: number): string {
  return `${keys.windowCounter(policy.id, caller)}:${number}`;
}

/** Adds to the counter of the current window. Its first unit sets the lifetime: twice the window and a second. */
export const writeCounter = `
  if l.taken > 0 then
    l.current = redis.call("INCRBY", l.key, l.taken)
    if l.current == l.taken then redis.call("PEXPIRE", l.key, string.format("%.0f", l.window * 2 + 1000)) end
  end
  return { l.taken, l.current, l.previous }`;

/** Pending units are kept for their window: they say nothing any more once it has passed. */
export const pendingByWindow: PendingUnits<WindowCounts> = {
  add: (quota, before, now, units) =>
    windowMembers.take(quota, before ?? emptyWindow(quota, now), now, units),
  join: (before, since) =>
    before.number === since.number ? { ...since, current: before.current + since.current } : since,
  coarser: (pending) => pending,
  units: (quota, pending, now) => windowAt(quota, pending, now).current,
  lapsesAt: windowLapsesAt,
  bytes: () => 0,
};

/** A window still weighs in the next one. */
function windowLapsesAt({ windowMs }: Quota, { number }: WindowCounts): number {
  return (number + 2) * windowMs;
}
