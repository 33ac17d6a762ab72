import type { RouteMatcher } from "../config/match.ts";
import type { Route } from "../config/route.ts";
import { ambiguityOf, BROKEN_ESCAPE, decodedPath } from "../http/path.ts";
import { problem } from "../http/problem.ts";
import type { Received } from "./receive.ts";

/** The route of a request. */
export interface Routed {
  route: Route;
  /** The percent-decoded path, as the origin reads it. */
  path: string;
}

const OTHER_RULES = "a spelling that some servers read as another path, which has other rules";

/**
 * Finds the first route that matches the path as the origin reads it.
 *
 * @param own The route to use in place of the configured ones, for a middleware.
 * @throws Problem 400 for a path that the edge and an origin could read differently, because it could evade a route's rules
 *   (law 11).
 */
export function routeOf(
  { request, url }: Pick<Received, "request" | "url">,
  matchRoute: RouteMatcher,
  own?: Route,
): Routed {
  const path = decodedPath(url.pathname);
  if (path === null) throw problem("AMBIGUOUS_PATH", { values: { what: BROKEN_ESCAPE } });
  const route = own ?? matchRoute(request.method, path);
  const what =
    ambiguityOf(url.pathname, route.rawPath) ??
    (!own && matchRoute.readingsDiffer(request.method, path) ? OTHER_RULES : null);
  if (what) throw problem("AMBIGUOUS_PATH", { values: { what } });
  return { route, path };
}
