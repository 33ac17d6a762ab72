import { type ProblemFacts, problemFacts } from "../http/problem.ts";

/**
 * Who counted: Redis; the isolate's own counters, because Redis does not answer or is not wanted; or the isolate from what
 * Redis said before (a lease, a block).
 */
export type LimitSource = "redis" | "memory" | "isolate";

interface VerdictFacts {
  /** `RateLimit-Policy`, `RateLimit`, `X-RateLimit-*`, and `Retry-After` where there is something to wait for. */
  headers: Record<string, string>;
  /** Names of the enforced windows without room. */
  violated: string[];
  /** Names of the windows in shadow that would have refused. */
  shadowViolated: string[];
  source: LimitSource;
  /** The enforced window nearest to denial, or null. */
  nearest: { name: string; limit: number; remaining: number; resetAt: number } | null;
}

/**
 * What the limits say of a request.
 *
 * - `denied`: a window is full, or the caller is on the deny list (`listed`; there is nothing to wait for).
 * - `unavailable`: the store is lost and the route is `onStoreFailure = "closed"`.
 */
export type LimitVerdict =
  | (VerdictFacts & { kind: "allowed" })
  | (VerdictFacts & { kind: "denied"; listed: false; retryAfterSeconds: number })
  | (VerdictFacts & { kind: "denied"; listed: true })
  | (VerdictFacts & { kind: "unavailable"; retryAfterSeconds: number });

/** Nothing was counted and nothing is in the way. */
export function unlimited(source: LimitSource): LimitVerdict {
  return { kind: "allowed", headers: {}, violated: [], shadowViolated: [], source, nearest: null };
}

export function refusedByList(): LimitVerdict {
  return { ...unlimited("isolate"), kind: "denied", listed: true };
}

/** The problem of a denied request: 429 with the time to wait, or 403 where waiting does not help. */
export function quotaProblem(verdict: Extract<LimitVerdict, { kind: "denied" }>): ProblemFacts {
  if (verdict.listed) return problemFacts("CALLER_REFUSED");
  const { retryAfterSeconds, violated, headers } = verdict;
  return problemFacts("RATE_LIMIT_EXCEEDED", {
    values: { seconds: retryAfterSeconds },
    retryAfter: retryAfterSeconds,
    members: { "violated-policies": violated },
    headers,
  });
}
