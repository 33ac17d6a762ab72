import type { Algorithm as AlgorithmName } from "../../config/limit-algorithms.ts";
import type { Algorithm, Counts, Quota } from "./algorithm.ts";
import { fixedWindow } from "./fixed-window.ts";
import { slidingLog } from "./sliding-log.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/**
 * Every algorithm by the name that a limit has: the one place where it stands. A new algorithm is one file and one line here;
 * the configuration, its types, the script and the docs follow.
 */
export const algorithms = {
  "sliding-window": slidingWindow,
  "fixed-window": fixedWindow,
  "sliding-log": slidingLog,
  "token-bucket": tokenBucket,
};

type Registry = typeof algorithms;

declare module "../../config/limit-algorithms.ts" {
  interface Algorithms extends Registry {}
}

const byName: Record<AlgorithmName, Algorithm> = algorithms;

export function algorithmOf({ algorithm }: Pick<Quota, "algorithm">): Algorithm {
  return byName[algorithm];
}

/** Units that could be taken at `now`; never below 0. */
export function available(quota: Quota, counts: Counts, now: number): number {
  const algorithm = algorithmOf(quota);
  return Math.max(0, quota.limit - algorithm.used(quota, algorithm.at(quota, counts, now), now));
}

/**
 * The earliest moment, ms since the epoch, from `now` on, at which `units` could be taken if nobody takes any before;
 * infinity when they never can.
 */
export function passesAt(quota: Quota, counts: Counts, now: number, units: number): number {
  if (units > quota.limit) return Number.POSITIVE_INFINITY;
  const algorithm = algorithmOf(quota);
  const current = algorithm.at(quota, counts, now);
  if (units <= quota.limit - algorithm.used(quota, current, now)) return now;
  return algorithm.passesAt(quota, current, now, units);
}
