import { TrieRouter } from "hono/router/trie-router";
import { forgive, forgivePattern } from "../http/path.ts";
import { type Route, unmatchedRoute } from "./route.ts";

/** The first route that matches a method and path, else {@link unmatchedRoute}. */
export type RouteMatcher = (method: string, path: string) => Route;

/**
 * Hono's own router over the list. A HEAD is matched as a GET where no route names HEAD: whoever writes
 * `methods: ["GET"]` means both (RFC 9110 §9.3.2).
 *
 * Many origins serve `/Profile/`, `/profile;x=1` and (on Windows) `/profile.` as `/profile`: a rule must not be left
 * behind by a spelling that the origin forgives. So each path is also matched in its plain spelling, and the first
 * route of the list that matches either is used. Only a route that names the very path, without wildcards, comes before.
 */
export function routeMatcher(routes: readonly Route[]): RouteMatcher {
  const exact = routerOver(routes, (path) => path);
  const forgiving = routerOver(routes, forgivePattern);
  const allPlain = routes.every(({ path }) => forgivePattern(path) === path);
  return remembering((method, path) => {
    const asWritten = exact(method, path);
    if (asWritten?.path === path) return asWritten;
    const plain = forgive(path);
    const forgiven = plain === path && allPlain ? asWritten : forgiving(method, plain);
    if (!asWritten || !forgiven) return asWritten ?? forgiven ?? unmatchedRoute;
    return routes.indexOf(forgiven) < routes.indexOf(asWritten) ? forgiven : asWritten;
  });
}

const MAX_REMEMBERED = 1000;
const MAX_REMEMBERED_LENGTH = 256;

/** The same paths come again and again, and a look at the list costs more than one into a Map. */
function remembering(match: RouteMatcher): RouteMatcher {
  const known = new Map<string, Route>();
  return (method, path) => {
    if (path.length > MAX_REMEMBERED_LENGTH) return match(method, path);
    const name = `${method} ${path}`;
    const before = known.get(name);
    if (before) return before;
    const route = match(method, path);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(name, route);
    return route;
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
