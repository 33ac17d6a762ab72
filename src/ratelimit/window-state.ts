import type { Policy } from "../config/route.ts";
import type { Counts } from "./algorithms/algorithm.ts";
import { available, passesAt } from "./algorithms/algorithms.ts";
import type { Charge } from "./charge.ts";

/** What one window says of a caller. */
export interface WindowState {
  policy: Policy;
  /** The caller's hash. */
  caller: string;
  /** Units that are left. */
  remaining: number;
  /** When more than that will be left, ms since the epoch; now, where nothing was taken. */
  growsAt: number;
  /** When this request's cost would pass, ms since the epoch; now, where it would; infinity where it is above the limit. */
  passesAt: number;
  /** There was no room for the cost. */
  short: boolean;
  enforced: boolean;
}

/**
 * @param leased Units of the counts that this isolate holds and has not spent: they are left too.
 */
export function windowStateOf(
  charge: Charge,
  counts: Counts,
  now: number,
  short: boolean,
  leased = 0,
): WindowState {
  const { policy, caller, cost, enforced } = charge;
  const free = available(policy, counts, now);
  const full = free >= policy.limit;
  return {
    policy,
    caller,
    remaining: free + leased,
    growsAt: full ? now : passesAt(policy, counts, now, free + 1),
    passesAt: short ? passesAt(policy, counts, now, cost) : now,
    short,
    enforced,
  };
}

/** The window nearest to denial: the one that refuses longest, else the one with the fewest requests left. */
export function nearestOf(windowStates: readonly WindowState[]): WindowState | undefined {
  let nearest: WindowState | undefined;
  for (const windowState of windowStates)
    if (!nearest || isNearer(windowState, nearest)) nearest = windowState;
  return nearest;
}

function isNearer(one: WindowState, other: WindowState): boolean {
  if (one.short !== other.short) return one.short;
  return one.short ? one.passesAt > other.passesAt : requestsLeft(one) < requestsLeft(other);
}

function requestsLeft({ remaining, policy }: WindowState): number {
  return Math.floor(remaining / policy.cost);
}

/** Whole seconds until this request would pass, at least 1; infinity where it never does. */
export function secondsUntil(moment: number, now: number): number {
  return Math.max(1, Math.ceil((moment - now) / 1000));
}
