import { checkGiven, type OptionRules } from "../config/check-given.ts";
import { durationMs } from "../config/duration.ts";
import { DEFAULT_ALGORITHM } from "../config/limit-algorithms.ts";
import { limitBase, MAX_FIELD_INTEGER, oneOf } from "../config/limit-input.ts";
import type { Algorithm, Duration, Policy } from "../config/route.ts";
import { algorithmOf, algorithms } from "./algorithms/algorithms.ts";
import type { LimitSource, LimitVerdict } from "./verdict.ts";

/** A limit as a handler asks for it. A value that does not fit, and an option that there is none of, is a `ConfigError`. */
export interface LimitOptions {
  /** Most units in a window, a whole number of at least 1; the capacity of a token bucket. */
  limit: number;
  /** The time in which the limit may be used once: `10 s`, `1 h`. For a token bucket, the time between two refills. */
  window: Duration;
  /**
   * Names the counter, 1 to 64 letters, digits, `-` and `_`: identities are counted apart per name, algorithm and window. Default
   * `handler`.
   */
  name?: string;
  /** How it is counted. Default `sliding-window`. */
  algorithm?: Algorithm;
  /** Units that come back each window, a whole number of at least 1; needed for, and only for, a token bucket. */
  refill?: number;
  /** Units to take, a whole number of at least 1. More than the limit is refused, counts nothing and never passes. Default 1. */
  cost?: number;
  /** While the store is lost: `local` counts in the isolate, `open` admits, `closed` refuses. Default `local`. */
  onStoreFailure?: "local" | "open" | "closed";
}

/** What a limit of a handler's own says. */
export interface LimitResult {
  /** Whether there was room: the units are taken. */
  success: boolean;
  /** The limit's units in a window. */
  limit: number;
  /** Its units that are left. */
  remaining: number;
  /** When more will remain, milliseconds since the epoch. */
  resetAt: number;
  /** Whole seconds until this cost would pass; 0 when it has, null where it never passes, because it is above the limit. */
  retryAfterSeconds: number | null;
  /** Who counted. */
  source: LimitSource;
  /** Fields for the answer, by name: `RateLimit`, `RateLimit-Policy`, `X-RateLimit-*`, and `Retry-After` where there is no room now. */
  headers: Record<string, string>;
}

const { window, cost } = limitBase;
const count = { fix: cost.fix };
const RULES: OptionRules = {
  window,
  cost,
  limit: count,
  name: { ...limitBase.name, optional: true },
  algorithm: { fix: oneOf(Object.keys(algorithms)), optional: true },
  onStoreFailure: { fix: oneOf(["local", "open", "closed"]), optional: true },
};

/** @throws ConfigError for options that make no limit. */
export function policyOf(options: LimitOptions): Policy {
  const { name = "handler", algorithm = DEFAULT_ALGORITHM, refill = 0, cost = 1 } = options ?? {};
  const { refills } = Object.hasOwn(algorithms, algorithm) ? algorithmOf({ algorithm }) : {};
  checkGiven(options, "limit", refills ? { ...RULES, refill: count } : RULES);
  const { window } = options;
  const limit = Math.min(options.limit, MAX_FIELD_INTEGER);
  const windowMs = durationMs(window) ?? 0;
  const id = `handler|${name}|${algorithm}|${windowMs}`;
  const rest = { by: "caller", shadow: false, shared: false, lease: 0, localShare: 1 } as const;
  return { name, algorithm, limit, windowMs, refill, cost, window, id, ...rest };
}

export function resultOf(verdict: LimitVerdict, policy: Policy, now: number): LimitResult {
  const { nearest, source, headers } = verdict;
  return {
    success: verdict.kind === "allowed",
    limit: policy.limit,
    remaining: nearest?.remaining ?? 0,
    resetAt: nearest?.resetAt ?? now,
    retryAfterSeconds: "retryAfterSeconds" in verdict ? verdict.retryAfterSeconds : 0,
    source,
    headers,
  };
}
