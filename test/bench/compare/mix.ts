import type { ContestantName } from "./contestants.ts";
import { counted } from "./read.ts";
import type { Results } from "./results.ts";

/** Dollars for one command at Upstash, pay as you go (upstash.com/pricing, 2026). */
export const DOLLARS_PER_COMMAND = 0.2 / 100_000;
/** The share of each row in the requests of an API whose answers are worth caching. */
export const MIX: Record<string, number> = {
  "cold GET": 0.1,
  "warm GET": 0.6,
  "hit in Redis": 0.1,
  POST: 0.15,
  blocked: 0.03,
  forged: 0.02,
};
/** Dollars for a million requests of {@link MIX}: the most that the edge may cost. */
export const MAX_DOLLARS = 2.9;

/** Commands of a request of {@link MIX}; of a row whose requests had several counts the largest. */
export function commandsOfMix(results: Results, name: ContestantName): number {
  return Object.entries(MIX).reduce(
    (sum, [row, share]) => sum + share * (counted(results, row, name, "commands").at(-1) ?? 0),
    0,
  );
}

/** Dollars for a million requests of {@link MIX}, in cents exactly. */
export function dollarsOfMix(results: Results, name: ContestantName): string {
  return (commandsOfMix(results, name) * DOLLARS_PER_COMMAND * 1e6).toFixed(2);
}
