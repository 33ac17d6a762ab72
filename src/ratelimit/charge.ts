import type { Counter, Counts } from "./algorithms/algorithm.ts";

/** One window that a request is to be counted in. */
export interface Charge extends Counter {
  /** Units this request takes. */
  cost: number;
  /** Units to take where they are left: the cost, or more for a lease. */
  most: number;
  /** Whether this window may deny. In shadow it is counted as if it did, and never does. */
  enforced: boolean;
  /**
   * The request's address, normalised. An isolate whose counters are full counts newcomers by the network it lies in. Absent for
   * a handler's own limits.
   */
  address?: string;
}

/** What became of one charge. */
export interface Entry {
  /** After it. */
  counts: Counts;
  /** Units taken: 0, the cost, or more with a lease. */
  taken: number;
  /** There was no room for the cost. */
  short: boolean;
}

/** What became of all charges of a request: all were taken or, when an enforced window was short, none. */
export interface Charged {
  admitted: boolean;
  /** In the order of the charges. */
  entries: Entry[];
  /** The moment the counts were weighed at, ms since the epoch. */
  at: number;
}

/** Whether the session of a request lives: what decides which of two lists of charges applies. */
export type SessionOutcome = "alive" | "over";

/** What became of the one of two lists of charges that the state of the session selected. */
export interface ChargedOutcome extends Charged {
  outcome: SessionOutcome;
  /** Redis holds what ends the session: it never lives again. */
  evidence: boolean;
}

/** The same window of the same caller, with the same limit: tiers may give one counter two limits. */
export function sameCharge(one: Charge, other: Charge): boolean {
  return one.policy === other.policy && one.caller === other.caller;
}

/** Names one counter in the isolate's maps. */
export function counterName({ policy: { id }, caller }: Counter): string {
  // Each request asks several times for one: what is written anew has to be hashed anew to be found.
  if (lastNamed.id !== id || lastNamed.caller !== caller) lastNamed = { id, caller, name: `${id}|${caller}` };
  return lastNamed.name;
}

let lastNamed = { id: "", caller: "", name: "|" };
