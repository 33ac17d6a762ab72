import { describe } from "#describe";
import { issuesOfGiven, type OptionRule } from "./check-given.ts";
import { type ConfigIssue, shown } from "./config-error.ts";
import { durationMs } from "./duration.ts";
import {
  type Algorithm,
  type AlgorithmTable,
  choicesOf,
  DEFAULT_ALGORITHM,
  type Refilling,
} from "./limit-algorithms.ts";

/**
 * A duration as @upstash/ratelimit writes it: a number, with or without a blank, and `ms`, `s`, `m` (minutes), `h`, `d` or `w`; fractions
 * allowed. As a window it is at least 1 ms.
 *
 * @example
 * import type { Duration } from "envoyou-edge";
 *
 * const windows: Duration[] = ["500 ms", "10s", "1.5 h", "1 d"];
 */
export type Duration =
  | `${number} ${"ms" | "s" | "m" | "h" | "d" | "w"}`
  | `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

/** RFC 9651 §3.3.1: the largest Integer of a structured field. */
export const MAX_FIELD_INTEGER = 999_999_999_999_999;

/** What every limit may say. A value that does not fit is a {@link ConfigError}, which names its place and the fix. */
export interface LimitBase {
  /** 1 to 64 letters, digits, `-` and `_`: the limit's name in header fields, logs and keys. Each limit of a list has its own. */
  name: string;
  /** The time in which the limit may be used once: `10 s`, `1 m`. For a token bucket, the time between two refills. */
  window: Duration;
  /** The units that one request takes, from 1 to the limit. Default 1. */
  cost?: number | undefined;
  /** Who is counted: the verified API key, else the user, else the address (`caller`, the default), or always the `address`. */
  by?: "caller" | "address" | undefined;
  /** The limit is counted, logged and reported, and never enforced. Default `false`. */
  shadow?: boolean | undefined;
  /** One count over all lists that name a shared limit of this name, which define it alike. Default `false`. */
  shared?: boolean | undefined;
  /**
   * The units that an isolate takes in advance, up to a tenth of the limit, so that most requests need no call; only for sliding
   * and fixed windows. Default off.
   */
  lease?: number | undefined;
  /** The part of the limit that one isolate may admit alone while the store is lost: above 0, up to 1. Default 1. */
  localShare?: number | undefined;
}

/** A limit of so many units in a window. */
export interface WindowLimitInput extends LimitBase {
  /** How it is counted. Default `sliding-window`. */
  algorithm?: Exclude<Algorithm, Refilling> | undefined;
  /** The units that a caller may take in a window, 1 or more. */
  limit: number;
}

/** A limit whose units come back bit by bit. */
export interface BucketLimitInput extends LimitBase {
  /** How it is counted. */
  algorithm: Refilling;
  /** The most units that the bucket holds, 1 or more. */
  capacity: number;
  /** The units that come back each `window`, 1 or more. */
  refill: number;
}

/**
 * A limit.
 *
 * @example
 * import type { LimitInput } from "envoyou-edge";
 *
 * const limits: LimitInput[] = [
 *   { name: "burst", limit: 60, window: "1 m" },
 *   { name: "steady", algorithm: "token-bucket", capacity: 100, refill: 10, window: "1 s" },
 * ];
 */
export type LimitInput = WindowLimitInput | BucketLimitInput;

/** A key of a limit: how it is checked, and what the reference says of it. */
export interface KeyRule extends OptionRule {
  /** How its type reads, what it means, and how its default reads: for docs/configuration.md. */
  type: string | undefined;
  description: string | undefined;
  default?: string | undefined;
}

/** A number above {@link MAX_FIELD_INTEGER} that is still exact counts as "no limit"; the compiler lowers it. */
const COUNT = `Must be a whole number of at least 1, and at most ${MAX_FIELD_INTEGER} (RFC 9651 §3.3.1: no field carries more).`;
const count = (value: unknown) => (Number.isSafeInteger(value) && (value as number) > 0 ? null : COUNT);
const WHOLE = describe("whole number, 1 or more");
const flag = (value: unknown) => (typeof value === "boolean" ? null : "Must be a boolean.");
export const oneOf = (names: readonly unknown[]) => (value: unknown) =>
  names.includes(value) ? null : `Must be one of ${names.map((name) => shown(name)).join(", ")}.`;

/** The keys of every limit, in the order of the reference. */
export const limitBase: Readonly<Record<keyof LimitBase, KeyRule>> = {
  name: {
    fix(value) {
      if (typeof value !== "string") return "Must be a string.";
      return /^[A-Za-z0-9_-]{1,64}$/.test(value) ? null : "Use 1 to 64 letters, digits, - or _.";
    },
    type: describe("1 to 64 letters, digits, `-`, `_`"),
    description: describe(
      "Names the limit in header fields, logs and keys; each limit of a route has a name of its own.",
    ),
  },
  window: {
    fix: (value) =>
      typeof value === "string" && (durationMs(value) ?? Number.POSITIVE_INFINITY) <= MAX_FIELD_INTEGER
        ? null
        : `Write it as a number and ms, s, m, h, d or w: "10 s", "1 m"; at least 1 ms and at most ${MAX_FIELD_INTEGER} ms.`,
    type: describe("`500 ms`, `10 s`, `1 m`, `1 h`, `1 d`, `1 w`"),
    description: describe(
      "The time in which the limit may be used once; for a token bucket, the time between two refills.",
    ),
  },
  cost: {
    fix: count,
    type: describe("1 to the limit"),
    description: describe("The units that one request takes."),
    optional: true,
    default: describe("1"),
  },
  by: {
    fix: oneOf(["caller", "address"]),
    type: describe("`caller`, `address`"),
    description: describe(
      "Who is counted: the verified API key, else the user, else the address (`caller`), or always the `address`.",
    ),
    optional: true,
    default: describe("`caller`"),
  },
  shadow: {
    fix: flag,
    type: describe("boolean"),
    description: describe("The limit is counted, logged and reported, and never enforced."),
    optional: true,
    default: describe("`false`"),
  },
  shared: {
    fix: flag,
    type: describe("boolean"),
    description: describe(
      "One count over every route that names a shared limit of this name; all of them define it alike, but for `cost` and `shadow`.",
    ),
    optional: true,
    default: describe("`false`"),
  },
  lease: {
    fix: count,
    type: describe("1 to a tenth of the limit"),
    description: describe(
      "The units that an isolate takes in advance, so that most requests need no call; only for sliding and fixed windows.",
    ),
    optional: true,
    default: describe("off"),
  },
  localShare: {
    fix(value) {
      if (typeof value !== "number" || Number.isNaN(value)) return "Must be a number.";
      if (value <= 0) return "Must be above 0.";
      return value <= 1 ? null : "Must be at most 1.";
    },
    type: describe("above 0, up to 1"),
    description: describe("The part of the limit that one isolate may admit alone while the store is lost."),
    optional: true,
    default: describe("1"),
  },
};

/** The keys of a limit beside the {@link limitBase}, for the algorithms there are. */
export function limitKeys(algorithms: AlgorithmTable): Record<"window" | "bucket", Record<string, KeyRule>> {
  const { windows, buckets } = choicesOf(algorithms);
  return {
    window: {
      algorithm: {
        fix: oneOf(windows),
        type: describe(/* @__PURE__ */ named(windows)),
        description: describe("How the limit is counted."),
        optional: true,
        default: describe(`\`${DEFAULT_ALGORITHM}\``),
      },
      limit: {
        fix: count,
        type: WHOLE,
        description: describe("The units that a caller may take in a window."),
      },
    },
    bucket: {
      algorithm: {
        fix: oneOf(buckets),
        type: describe(/* @__PURE__ */ named(buckets)),
        description: describe("Units come back bit by bit."),
      },
      capacity: {
        fix: count,
        type: WHOLE,
        description: describe("The most units that the bucket holds; in place of `limit`."),
      },
      refill: { fix: count, type: WHOLE, description: describe("The units that come back each window.") },
    },
  };
}

function named(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

/**
 * Checks a list of limits, as far as a single key shows it.
 *
 * @param input The list. Undefined: there is none.
 * @param place Where it stands.
 * @param issues Every issue is added here.
 * @returns the list where it has no issue, else null.
 */
export function checkLimits(
  input: unknown,
  place: string,
  { algorithms, issues }: { algorithms: AlgorithmTable; issues: ConfigIssue[] },
): LimitInput[] | null {
  if (input === undefined) return [];
  if (!Array.isArray(input)) {
    issues.push({ place, found: shown(input), fix: "Must be an array." });
    return null;
  }
  const before = issues.length;
  const keys = limitKeys(algorithms);
  for (const [index, limit] of (input as unknown[]).entries())
    issues.push(...issuesOfLimit(limit, `${place}[${index}]`, keys, algorithms));
  return issues.length === before ? (input as LimitInput[]) : null;
}

function issuesOfLimit(
  input: unknown,
  place: string,
  keys: ReturnType<typeof limitKeys>,
  algorithms: AlgorithmTable,
): ConfigIssue[] {
  const { algorithm: chosen = DEFAULT_ALGORITHM } = Object(input) as { algorithm?: unknown };
  const traits =
    typeof chosen === "string" && Object.hasOwn(algorithms, chosen) ? algorithms[chosen] : undefined;
  if (!traits) {
    const { windows, buckets } = choicesOf(algorithms);
    const fix = `Must be one of ${[...windows, ...buckets].join(", ")}.`;
    return [{ place: `${place}.algorithm`, found: shown(chosen), fix }];
  }
  return issuesOfGiven(input, place, { ...limitBase, ...(traits.refills ? keys.bucket : keys.window) }, ".");
}
