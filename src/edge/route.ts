import type { RouteMatcher } from "../config/match.ts";
import { decodedPath } from "../config/match.ts";
import type { Route } from "../config/route.ts";
import { ambiguityOf } from "../http/path.ts";
import { type Problem, problem } from "../http/problem.ts";
import type { Received } from "./receive.ts";

export interface Routed {
  route: Route;
  /** Percent-decoded, as the origin will read it. */
  path: string;
}

/**
 * The first route that matches the path as the origin will read it.
 *
 * @param own The route to use in place of the configured ones: a middleware has one of its own.
 * @throws Problem 400 for a path that the edge and an origin could read differently: it could walk round a route's rule.
 */
export function routeOf(
  { request, url }: Pick<Received, "request" | "url">,
  matchRoute: RouteMatcher,
  own?: Route,
): Routed {
  const path = decodedPath(url.pathname);
  if (path === null) throw ambiguousPath("a broken escape");
  const route = own ?? matchRoute(request.method, path);
  const ambiguity = ambiguityOf(url.pathname, route.rawPath) ?? dotSegmentIn(path);
  if (ambiguity) throw ambiguousPath(ambiguity);
  return { route, path };
}

/** Only decoding shows it, and only where the route takes raw paths: `a%2f..%2fb`. */
function dotSegmentIn(path: string): string | null {
  return /(^|\/)\.{1,2}(\/|$)/.test(path) ? "a dot segment" : null;
}

function ambiguousPath(what: string): Problem {
  return problem("AMBIGUOUS_PATH", { values: { what } });
}
