import { Problem, problem } from "../http/problem.ts";
import { type LimitVerdict, quotaProblem } from "../ratelimit/verdict.ts";

/** Refuses what is over a limit, or cannot be counted where it must be. @returns the refusal, or null. */
export function limitRefusal(limits: LimitVerdict | null): Problem | null {
  if (!limits || limits.kind === "allowed") return null;
  if (limits.kind === "denied") return new Problem(quotaProblem(limits));
  return problem("LIMITS_UNAVAILABLE", { retryAfter: limits.retryAfterSeconds });
}
