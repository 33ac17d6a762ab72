/**
 * What the configuration has to know of an algorithm of limits. The objects and their registry are in
 * `src/ratelimit/algorithms/`, on a layer below, and are handed to {@link loadConfig} as they are: an algorithm's name and
 * what may be configured of it stand there and nowhere else.
 */
export interface AlgorithmTraits {
  /** Its limits have `capacity` and `refill` in place of `limit`. */
  readonly refills: boolean;
  /** Absent where its units cannot be leased. */
  counter?: unknown;
  /** Seconds in which the whole quota comes back. */
  windowSeconds(quota: { limit: number; windowMs: number; refill: number }): number;
}

/** The registry. */
export type AlgorithmTable = Readonly<Record<string, AlgorithmTraits>>;

/** The algorithms by name. The registry declares itself to be this. @internal */
// biome-ignore lint/suspicious/noEmptyInterface: the registry adds its members.
export interface Algorithms {}

/**
 * How a limit is counted.
 *
 * - `sliding-window`: the count of this window and the part of the last one's that is still in it, as @upstash/ratelimit defines it. Up to
 *   twice the limit may pass in a window's time.
 * - `fixed-window`: one count for each window, which begins at a multiple of its length. Up to twice the limit may pass in a window's time.
 * - `sliding-log`: each unit by the time at which it was taken; exact, at the price of one member in Redis per unit.
 * - `token-bucket`: a bucket of `capacity` units, to which `refill` units come back each `window`.
 */
export type Algorithm = keyof Algorithms;

/** An {@link Algorithm} whose units come back bit by bit: its limits have `capacity` and `refill` in place of `limit`. */
export type Refilling = {
  [Name in Algorithm]: Algorithms[Name] extends { refills: true } ? Name : never;
}[Algorithm];

export interface AlgorithmChoices {
  /** Those that a limit with `limit` may have. */
  windows: readonly Exclude<Algorithm, Refilling>[];
  /** Those with `capacity` and `refill`. */
  buckets: readonly Refilling[];
}

/** The names of a registry, by what a limit has to say. */
export function choicesOf(table: AlgorithmTable): AlgorithmChoices {
  const named = (refills: boolean) =>
    Object.keys(table).filter((name) => table[name]?.refills === refills) as never[];
  return { windows: named(false), buckets: named(true) };
}

/** What a limit has that names no algorithm. */
export const DEFAULT_ALGORITHM = "sliding-window" satisfies Algorithm;
