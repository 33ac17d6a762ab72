import { TrieRouter } from "hono/router/trie-router";
import { forgive, forgivePattern } from "../http/path.ts";
import { type Route, unmatchedRoute } from "./route.ts";

/** The first route that matches a method and path, else {@link unmatchedRoute}. */
export interface RouteMatcher {
  (method: string, path: string): Route;
  /** Whether an origin that forgives spellings would read the path as one of another route, which has other rules. */
  readingsDiffer(method: string, path: string): boolean;
}

interface Match {
  route: Route;
  readingsDiffer: boolean;
}

/**
 * Hono's own router over the list. A HEAD is matched as a GET where no route names HEAD: whoever writes
 * `methods: ["GET"]` means both (RFC 9110 §9.3.2).
 *
 * Many origins serve `/Profile/`, `/profile;x=1` and (on Windows) `/profile.` as `/profile`: a rule must not be left
 * behind by a spelling that the origin forgives. So each path is also matched in its plain spelling, and the first
 * route of the list that matches either is used. Only a route that names the very path, without wildcards, comes before,
 * and one that says `forgiving: false`.
 */
export function routeMatcher(routes: readonly Route[]): RouteMatcher {
  const exact = routerOver(routes, (path) => path);
  const forgivingRoutes = routes.filter(({ forgiving }) => forgiving);
  const forgiving = routerOver(forgivingRoutes, forgivePattern);
  const allPlain = routes.every((route) => route.forgiving && forgivePattern(route.path) === route.path);
  const places = new Map(routes.map((route, place) => [route, place]));
  const guards = new Map(routes.map((route) => [route, guardOf(route)]));
  const rules = new Map(routes.map((route) => [route, rulesOf(route)]));

  const match = remembering((method, path): Match => {
    const asWritten = exact(method, path);
    if (asWritten?.path === path || asWritten?.forgiving === false) return agreed(asWritten);
    const plain = forgive(path);
    const forgiven = plain === path && allPlain ? asWritten : forgiving(method, plain);
    if (!forgiven) return agreed(asWritten ?? unmatchedRoute);
    if (!asWritten) return agreed(guards.get(forgiven) ?? forgiven);
    const route = (places.get(forgiven) ?? 0) < (places.get(asWritten) ?? 0) ? forgiven : asWritten;
    return { route, readingsDiffer: forgiven !== asWritten && rules.get(forgiven) !== rules.get(asWritten) };
  });
  return Object.assign((method: string, path: string) => match(method, path).route, {
    readingsDiffer: (method: string, path: string) => match(method, path).readingsDiffer,
  });
}

const agreed = (route: Route): Match => ({ route, readingsDiffer: false });

/**
 * What of a route holds for a path that only an origin which forgives spellings reads as one of the route's: what refuses.
 * Another origin has something else there, which is not to be stored and says nothing of a key.
 */
function guardOf(route: Route): Route {
  return route.cache || route.verifiesKeys ? { ...route, cache: null, verifiesKeys: false } : route;
}

/** What a route asks and allows, to be compared. Limits are the same only where they share their counters and take as much. */
function rulesOf(route: Route): string {
  const { access, offline, session, crossSite, cache, verifiesKeys, onStoreFailure, limits, tiers, shadow } =
    route;
  const lists = [limits, ...tiers.values()].map((list) => list.map(({ window: _, ...counted }) => counted));
  const limited = lists.flat().length > 0;
  const counters = limited ? [onStoreFailure, shadow, lists, [...tiers.keys()]] : null;
  return JSON.stringify([access, offline, session, crossSite, cache, verifiesKeys, counters]);
}

const MAX_REMEMBERED = 1000;
const MAX_REMEMBERED_LENGTH = 256;

/** The same paths come again and again, and a look at the list costs more than one into a Map. */
function remembering(match: (method: string, path: string) => Match) {
  const known = new Map<string, Match>();
  return (method: string, path: string): Match => {
    if (path.length > MAX_REMEMBERED_LENGTH) return match(method, path);
    const name = `${method} ${path}`;
    const before = known.get(name);
    if (before) return before;
    const found = match(method, path);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(name, found);
    return found;
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
