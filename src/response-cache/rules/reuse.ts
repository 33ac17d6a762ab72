import { currentAge } from "./age.ts";
import { type RequestDirectives, requestDirectives } from "./directives.ts";
import { type Freshness, type FreshnessRule, freshnessOf } from "./freshness.ts";
import type { StoredResponse } from "./stored.ts";

/** What a stored response may be used for. Ages and lifetimes in seconds, with fractions. */
export type Reuse =
  | { kind: "fresh"; age: number; lifetime: number }
  /** Stale, but allowed: by the client's `max-stale`, or by stale-while-revalidate (then it is revalidated in the background). */
  | { kind: "stale"; age: number; lifetime: number; revalidate: boolean }
  /** To be validated first, or fetched anew where it has no validator. `because` is RFC 9211's `fwd`. */
  | { kind: "revalidate"; age: number; lifetime: number; because: "stale" | "request" };

export interface ReuseFacts {
  stored: StoredResponse;
  requestHeaders: Pick<Headers, "get">;
  rule: FreshnessRule;
  /** Milliseconds since the epoch. */
  now: number;
  /** Default worked out from the stored response and the rule. */
  freshness?: Freshness;
}

/**
 * May this stored response answer this request, and how? The requirements of RFC 9111 §4 that are left once the URL, the
 * method and the selecting fields match, and what the client asks for (§5.2.1). `only-if-cached` is for the
 * caller, who would otherwise ask the origin.
 */
export function mayReuse(facts: ReuseFacts): Reuse {
  const { stored, rule, now } = facts;
  const freshness = facts.freshness ?? freshnessOf(stored, rule);
  const { lifetime } = freshness;
  const age = currentAge(stored, now);
  const asked = requestDirectives(facts.requestHeaders);
  const isFresh = age < lifetime;
  // §5.2.2.4: before anything that the client could say.
  if (freshness.mustValidate) return { kind: "revalidate", age, lifetime, because: "stale" };
  // Where the client alone is to blame, the reason is the request (RFC 9211 §2.2).
  const refused: Reuse = { kind: "revalidate", age, lifetime, because: isFresh ? "request" : "stale" };
  if (asked.noCache || tooOld(asked, age)) return refused;
  if (isFresh) return lifetime - age >= (asked.minFresh ?? 0) ? { kind: "fresh", age, lifetime } : refused;
  if (freshness.staleForbidden || asked.minFresh !== undefined) return refused;
  const staleFor = age - lifetime;
  // §5.2.1.1: who asks for an age, without `max-stale`, takes nothing stale.
  if (asked.maxAge === undefined && staleFor < freshness.staleWhileRevalidate) {
    return { kind: "stale", age, lifetime, revalidate: true };
  }
  const allowed = asked.maxStale !== undefined && staleFor <= asked.maxStale;
  return allowed ? { kind: "stale", age, lifetime, revalidate: false } : refused;
}

/**
 * May it stand in for an origin that failed: that answered with an error (RFC 5861 §4), or not at all? In doubt no:
 * `no-cache`, in the response or in the request, asks for a validation that succeeded.
 */
export function mayServeOnError(facts: ReuseFacts): boolean {
  const { stored, rule, now } = facts;
  const freshness = facts.freshness ?? freshnessOf(stored, rule);
  const asked = requestDirectives(facts.requestHeaders);
  if (freshness.mustValidate || asked.noCache) return false;
  const staleFor = currentAge(stored, now) - freshness.lifetime;
  if (staleFor < 0) return true;
  if (freshness.staleForbidden) return false;
  return staleFor < Math.max(freshness.staleIfError, asked.staleIfError ?? 0);
}

/** §5.2.1.1. A `max-age` of 0 asks for a validation, even of what arrived this very millisecond. */
function tooOld({ maxAge }: RequestDirectives, age: number): boolean {
  return maxAge !== undefined && (maxAge === 0 || age > maxAge);
}
