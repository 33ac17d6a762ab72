import type { RouteMatcher } from "../config/match.ts";
import type { Policy, Route } from "../config/route.ts";
import { ambiguityOf, BROKEN_ESCAPE, decodedPath } from "../http/path.ts";
import { type Problem, problem } from "../http/problem.ts";

/** The route of a request. */
export interface Routed {
  route: Route;
  /** The percent-decoded path, as the origin reads it; as it was sent where it cannot be decoded. */
  path: string;
  /**
   * The 400 for a path that the edge and an origin could read differently, because it could evade a route's rules (law 11).
   * Null for any other path. Where the request passes all the same (`EDGE_MODE=observe`), nothing is stored for it and it
   * starts no session: the route may be the wrong one.
   */
  refusal: Problem | null;
}

const OTHER_RULES = "a spelling that some servers read as another path, which has other rules";

/**
 * Finds the first route that matches the path as the origin reads it.
 *
 * @param own The route to use in place of the configured ones, for a middleware.
 */
export function routeOf(
  { request, url }: { request: Pick<Request, "method">; url: URL },
  matchRoute: RouteMatcher,
  own?: Route,
): Routed {
  const decoded = decodedPath(url.pathname);
  const path = decoded ?? url.pathname;
  // Its rules hold for every reading, and Hono reads the path for the handlers too.
  if (own) return { route: own, path, refusal: null };
  const route = matchRoute(request.method, path);
  const what =
    (decoded === null ? BROKEN_ESCAPE : null) ??
    ambiguityOf(url.pathname, route.rawPath) ??
    (matchRoute.readingsDiffer(request.method, path) ? OTHER_RULES : null);
  if (!what) return { route, path, refusal: null };
  const unsure = { ...route, cache: null, verifiesKeys: false, session: null };
  return { route: unsure, path, refusal: problem("AMBIGUOUS_PATH", { values: { what } }) };
}

/**
 * A route with further limits, which hold whatever the route says: for each tier, not in shadow, and while the store is lost
 * counted in the isolate where the route itself would let everybody pass.
 */
export function withLimits(route: Route, limits: readonly Policy[]): Route {
  const all = (own: readonly Policy[]) => [
    ...own.map((policy) => ({ ...policy, shadow: policy.shadow || route.shadow })),
    ...limits,
  ];
  return {
    ...route,
    shadow: false,
    limits: all(route.limits),
    tiers: new Map([...route.tiers].map(([tier, own]) => [tier, all(own)])),
    onStoreFailure: route.onStoreFailure === "open" ? "local" : route.onStoreFailure,
  };
}
