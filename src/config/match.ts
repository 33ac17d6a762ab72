import { TrieRouter } from "hono/router/trie-router";
import { type Route, unmatchedRoute } from "./route.ts";

/** The first route that matches a method and path, else {@link unmatchedRoute}. */
export type RouteMatcher = (method: string, path: string) => Route;

/**
 * Hono's own router over the list. A HEAD is matched as a GET where no route names HEAD: whoever writes `methods: ["GET"]`
 * means both (RFC 9110 §9.3.2).
 *
 * Many origins serve `/Profile/` and `/profile;x=1` as `/profile`: a rule must not be left behind by a spelling that the
 * origin forgives. So each path is also matched in its plain spelling, and the first route of the list that matches
 * either is used. Only a route that names the very path, without wildcards, comes before.
 */
export function routeMatcher(routes: readonly Route[]): RouteMatcher {
  const exact = routerOver(routes, (path) => path);
  const forgiving = routerOver(routes, forgive);
  const allPlain = routes.every(({ path }) => forgive(path) === path);
  return (method, path) => {
    const asWritten = exact(method, path);
    if (asWritten?.path === path) return asWritten;
    const plain = forgive(path);
    const forgiven = plain === path && allPlain ? asWritten : forgiving(method, plain);
    if (!asWritten || !forgiven) return asWritten ?? forgiven ?? unmatchedRoute;
    return routes.indexOf(forgiven) < routes.indexOf(asWritten) ? forgiven : asWritten;
  };
}

function routerOver(routes: readonly Route[], spelling: (path: string) => string) {
  const router = new TrieRouter<Route>();
  for (const route of routes) {
    const path = spelling(route.path);
    if (route.methods.length === 0) router.add("ALL", path, route);
    for (const method of route.methods) router.add(method, path, route);
    if (route.methods.includes("GET") && !route.methods.includes("HEAD")) router.add("HEAD", path, route);
  }
  return (method: string, path: string): Route | undefined => router.match(method, path)[0][0]?.[0];
}

/** Nothing in it to forgive: most paths. */
const PLAIN = /^[^A-Z;]*[^A-Z;/]$/;

/** Lower case outside of `:parameters`, no `;parameters` of a segment, no trailing slashes. */
function forgive(path: string): string {
  if (PLAIN.test(path)) return path;
  const lower = path
    .replace(/;[^/]*/g, "")
    .replace(/:[A-Za-z_]\w*|[A-Z]+/g, (part) => (part.startsWith(":") ? part : part.toLowerCase()));
  return lower.length > 1 ? lower.replace(/\/+$/, "") || "/" : lower;
}

/**
 * The path as routes see it: percent-decoded, as the origin will read it.
 *
 * @returns null when an escape is broken or does not decode to UTF-8: such a path has no one meaning.
 */
export function decodedPath(pathname: string): string | null {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return null;
  }
}
