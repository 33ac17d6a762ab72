import { type ProblemFacts, problemFacts } from "../http/problem.ts";

/**
 * Who counted: Redis; the isolate's own counters, because Redis does not answer or is not wanted; or the isolate from what
 * Redis said before (a lease, a block).
 */
export type LimitSource = "redis" | "memory" | "isolate";

/** What every verdict about limits says. */
export interface VerdictFacts {
  /** Header fields by name: `RateLimit-Policy`, `RateLimit`, `X-RateLimit-*`, and `Retry-After` where there is something to wait for. */
  headers: Record<string, string>;
  /** Names of the enforced windows without room. */
  violated: string[];
  /** Names of the windows in shadow that would have refused. */
  shadowViolated: string[];
  /** Who counted. */
  source: LimitSource;
  /** The enforced limit nearest to denial, or null where none is enforced. */
  nearest: {
    /** Its name. */
    name: string;
    /** Its units in a window; the capacity of a token bucket. */
    limit: number;
    /** Its units that are left. */
    remaining: number;
    /** When it has more units, milliseconds since the epoch. */
    resetAt: number;
  } | null;
}

/**
 * What the limits say of a request. `retryAfterSeconds` are whole seconds, at least 1, until the request would pass.
 *
 * - `allowed`: every limit has room, or none is enforced.
 * - `denied`: a window is full, the cost is above a limit, or the caller is on the deny list (`listed`). For the last two there is nothing to
 *   wait for.
 * - `unavailable`: the store is lost and the route is `onStoreFailure = "closed"`.
 */
export type LimitVerdict =
  | (VerdictFacts & {
      /** Every limit has room. */
      kind: "allowed";
    })
  | (VerdictFacts & {
      /** A limit is full. */
      kind: "denied";
      /** Whether it is the deny list that refuses. */
      listed: false;
      /** Whole seconds, at least 1, until the request would pass; null where it never passes, because its cost is above a limit. */
      retryAfterSeconds: number | null;
    })
  | (VerdictFacts & {
      /** The caller is refused. */
      kind: "denied";
      /** Whether it is the deny list that refuses. */
      listed: true;
    })
  | (VerdictFacts & {
      /** Nobody could count. */
      kind: "unavailable";
      /** Whole seconds, at least 1, until the store is asked again. */
      retryAfterSeconds: number;
    });

/** A client that waits and tries again would do so for ever. */
const NEVER_PASSES = "It takes more units than a limit has and never passes: send less at once.";

/** Nothing was counted and nothing is in the way. */
export function unlimited(source: LimitSource): LimitVerdict {
  return { kind: "allowed", headers: {}, violated: [], shadowViolated: [], source, nearest: null };
}

export function refusedByList(): LimitVerdict {
  return { ...unlimited("isolate"), kind: "denied", listed: true };
}

/** The problem of a denied request: 429, with the time to wait where waiting helps, or 403 for a caller on the deny list. */
export function quotaProblem(verdict: Extract<LimitVerdict, { kind: "denied" }>): ProblemFacts {
  if (verdict.listed) return problemFacts("CALLER_REFUSED");
  const { retryAfterSeconds, violated, headers } = verdict;
  return problemFacts("RATE_LIMIT_EXCEEDED", {
    values: { seconds: retryAfterSeconds ?? 0 },
    ...(retryAfterSeconds === null ? { message: NEVER_PASSES } : { retryAfter: retryAfterSeconds }),
    members: { "violated-policies": violated },
    headers,
  });
}
