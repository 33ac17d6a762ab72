import type { CacheRule } from "../../config/route.ts";
import { parseHttpDate } from "../../http/http-date.ts";
import { notes } from "../../runtime/noted.ts";
import { currentAge } from "./age.ts";
import { MAX_SECONDS } from "./cache-control.ts";
import { type ResponseDirectives, responseDirectives, type Seconds } from "./directives.ts";
import { isHeuristicallyCacheable, isMissing } from "./status.ts";
import { type Fields, fieldsOf, type StoredResponse } from "./stored.ts";
import { isValidatable } from "./validation.ts";

/** What of a route's cache rule has a say here. Its `ttl` already holds `REDIS_CACHE_TTL` where the route names none. */
export type FreshnessRule = Pick<CacheRule, "scope" | "ttl" | "staleWhileRevalidate" | "staleIfError">;

export interface Freshness {
  /** Seconds of age up to which it is fresh (RFC 9111 §4.2.1). */
  lifetime: number;
  /** Where the lifetime comes from; `none` where nothing states or allows one. */
  source: "s-maxage" | "max-age" | "expires" | "route" | "heuristic" | "none";
  /** `no-cache`: fresh or not, never reused without validation (§5.2.2.4). */
  mustValidate: boolean;
  /** Stale reuse is forbidden, to everybody (§4.2.4). */
  staleForbidden: boolean;
  /** Seconds after the lifetime in which it may be reused while it is validated (RFC 5861 §3). */
  staleWhileRevalidate: number;
  /** Seconds after the lifetime in which it may be reused when the origin fails (RFC 5861 §4). */
  staleIfError: number;
}

const HEURISTIC_SHARE = 0.1;
const MAX_HEURISTIC_LENGTH = 24 * 3600;
/** Seconds for which it is remembered that there is nothing, where the response does not say for how long. */
const MISSING_LIFETIME = 10;

/** Under the rule that asked last. */
const worked = notes<{ rule: FreshnessRule; freshness: Freshness }>("freshness");

/**
 * The freshness of a stored response under a rule. It follows from the rule at each use, so that a changed rule reaches
 * what is already stored; for the same two it is worked out once.
 */
export function freshnessOf(stored: StoredResponse, rule: FreshnessRule): Freshness {
  const last = worked.of(stored);
  if (last?.rule === rule) return last.freshness;
  const freshness = workedOut(stored, rule);
  if (last) Object.assign(last, { rule, freshness });
  else worked.add(stored, { rule, freshness });
  return freshness;
}

function workedOut(stored: StoredResponse, rule: FreshnessRule): Freshness {
  const headers = fieldsOf(stored);
  const directives = responseDirectives(headers);
  const mustValidate = directives.noCache === true;
  // §4.2.4. `s-maxage` holds the meaning of `proxy-revalidate` (§5.2.2.10).
  const staleForbidden =
    mustValidate ||
    directives.mustRevalidate ||
    directives.proxyRevalidate ||
    directives.sMaxAge !== undefined;
  const { source, lifetime } = lifetimeOf(stored, headers, directives, rule);
  // A page that comes into being is not to be hidden by the route's lifetime or its windows, nor by a heuristic.
  const briefly = (source === "route" || source === "heuristic") && isMissing(stored.status);
  const window = (response: Seconds, route: number) =>
    staleForbidden ? 0 : stated(response, briefly ? 0 : route);
  return {
    source,
    lifetime: briefly ? Math.min(lifetime, MISSING_LIFETIME) : lifetime,
    mustValidate,
    staleForbidden,
    staleWhileRevalidate: window(directives.staleWhileRevalidate, rule.staleWhileRevalidate),
    staleIfError: window(directives.staleIfError, rule.staleIfError),
  };
}

/** Seconds until it is no longer fresh; negative is how long it has been stale. */
export function timeToLive(stored: StoredResponse, freshness: Freshness, now: number): number {
  return freshness.lifetime - currentAge(stored, now);
}

/**
 * The freshness of a response that was declared stale at a moment (a soft purge; a HEAD that no longer agrees, RFC 9111
 * §4.3.5): its lifetime ends there, and the windows for stale reuse begin.
 *
 * @param staleSince milliseconds since the epoch.
 */
export function cutShort(freshness: Freshness, stored: StoredResponse, staleSince: number): Freshness {
  return { ...freshness, lifetime: Math.min(freshness.lifetime, currentAge(stored, staleSince)) };
}

/** Bounds on how long an entry is kept. Seconds. */
export interface Retention {
  /** Kept after its lifetime to be validated with, where it has a validator. Default a day. */
  validatable: number;
  /** Kept at most, whatever it says. Default 7 days: the purge log remembers no longer. */
  max: number;
}

const RETENTION: Retention = { validatable: 24 * 3600, max: 7 * 24 * 3600 };

/** Whole seconds for which it is of use: fresh, stale in a window, or something to validate with. At least 0. */
export function retentionSeconds(
  stored: StoredResponse,
  freshness: Freshness,
  now: number,
  retention: Retention = RETENTION,
): number {
  const afterwards = Math.max(
    freshness.staleWhileRevalidate,
    freshness.staleIfError,
    isValidatable(stored) ? retention.validatable : 0,
  );
  const fresh = Math.max(0, timeToLive(stored, freshness, now));
  return Math.ceil(Math.min(fresh + afterwards, retention.max));
}

function stated(response: Seconds, route: number): number {
  if (response === undefined) return route;
  return response === "invalid" ? 0 : response;
}

function lifetimeOf(
  stored: StoredResponse,
  headers: Fields,
  directives: ResponseDirectives,
  rule: FreshnessRule,
): Pick<Freshness, "lifetime" | "source"> {
  const { sMaxAge, maxAge } = directives;
  // §4.2.1: a lifetime that cannot be read makes the response stale; the next best does not stand in for it.
  if (sMaxAge !== undefined) return { source: "s-maxage", lifetime: sMaxAge === "invalid" ? 0 : sMaxAge };
  if (maxAge !== undefined) return { source: "max-age", lifetime: maxAge === "invalid" ? 0 : maxAge };

  const now = stored.responseTime;
  const date = parseHttpDate(headers.get("date"), now) ?? now;
  if (directives.source !== "cdn-cache-control" && headers.has("expires")) {
    const expires = parseHttpDate(headers.get("expires"), now);
    const lifetime = expires === null ? 0 : Math.max(0, Math.min((expires - date) / 1000, MAX_SECONDS));
    return { source: "expires", lifetime };
  }

  // §4.2.2: only for statuses that may go without, or where the response says `public`.
  if (!isHeuristicallyCacheable(stored.status) && !directives.public) return { source: "none", lifetime: 0 };
  if (rule.ttl !== undefined) return { source: "route", lifetime: rule.ttl };
  // In the other scopes REDIS_CACHE_TTL = 0 means: only what the response says. And what is served to everybody
  // although it was stored for credentials needs a lifetime that the response or the route states.
  if (rule.scope !== "public" || stored.credentials) return { source: "none", lifetime: 0 };
  const modified = parseHttpDate(headers.get("last-modified"), now);
  if (modified === null || modified >= date) return { source: "none", lifetime: 0 };
  const lifetime = Math.min(((date - modified) / 1000) * HEURISTIC_SHARE, MAX_HEURISTIC_LENGTH);
  return { source: "heuristic", lifetime };
}
