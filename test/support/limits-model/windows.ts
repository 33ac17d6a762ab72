import type { RouteInput } from "../../../src/config/route.ts";
import type { Dice } from "../dice.ts";

export type Limit = NonNullable<RouteInput["limits"]>[number];

/** Lengths of windows, ms: none divides another, so that they end at different moments. */
const LENGTHS = { "7 s": 7000, "10 s": 10_000, "1 m": 60_000 } as const;

/** A request that was admitted. */
export interface Taken {
  /** ms since the epoch. */
  at: number;
  cost: number;
}

/** One to three windows of any algorithm, some with a lease. */
export function someLimits(dice: Dice): Limit[] {
  return Array.from({ length: 1 + dice.upTo(3) }, (_, index) => {
    const common = {
      name: `w${index}`,
      window: dice.pick(["7 s", "10 s", "1 m"] as const),
      shared: true,
    };
    const algorithm = dice.pick(["sliding-window", "fixed-window", "sliding-log", "token-bucket"] as const);
    const few = 1 + dice.upTo(12);
    if (algorithm === "token-bucket")
      return { ...common, algorithm, capacity: few, refill: 1 + dice.upTo(5) };
    if (algorithm === "sliding-log" || !dice.chance(0.25)) return { ...common, algorithm, limit: few };
    return { ...common, algorithm, limit: 20 + dice.upTo(20), lease: 1 + dice.upTo(2) };
  });
}

/** The largest cost that the limit could ever admit. */
export function mostOf(limit: Limit): number {
  return limit.algorithm === "token-bucket" ? limit.capacity : limit.limit;
}

/** Whether the limit has room, told from all that was admitted; null for a token bucket, whose refills this does not follow. */
export function hasRoom(limit: Limit, taken: readonly Taken[], { at, cost }: Taken): boolean | null {
  if (limit.algorithm === "token-bucket") return null;
  const length = LENGTHS[limit.window as keyof typeof LENGTHS];
  const within = (from: number, to: number) =>
    taken.reduce((sum, each) => sum + (each.at >= from && each.at < to ? each.cost : 0), 0);
  if (limit.algorithm === "sliding-log") return within(at - length + 1, at + 1) + cost <= limit.limit;
  const start = Math.floor(at / length) * length;
  const current = within(start, start + length);
  if (limit.algorithm === "fixed-window") return current + cost <= limit.limit;
  // As @upstash/ratelimit weighs the window before: by the part of it that is still within one length.
  const weighed = Math.floor((1 - (at - start) / length) * within(start - length, start));
  return weighed + current + cost <= limit.limit;
}
