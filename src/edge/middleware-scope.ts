import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import type { LimitInput, Policy, Route, RouteInput } from "../config/route.ts";

/**
 * Tells the limits of several `edge()` and `rateLimit()` calls apart: the same name in two of them never shares a count, unless
 * it says `shared`. A scope is the same in every isolate and after a deployment that changes no other limit of these names.
 */
export type LimitScope = (c: Context, self: unknown) => string;

/** By the name of a limit: the calls that have one of it, in the order in which the Worker's module makes them. */
const calls = new Map<string, number>();
/** The same by path and name, for the wrapped middlewares that a request has run. */
const runs = new WeakMap<Context, Map<string, number>>();

/**
 * More calls than any Worker makes for limits of the same names. An app that is built anew for each request makes more: then the
 * calls beyond share one scope, so that the limits still hold.
 */
const MAX_CALLS = 32;
const MAX_NAMES = 1000;

/**
 * The scope of one `edge()` call, by its place among those with a limit of one of its names.
 *
 * Where the middleware is not registered itself but called by another one (`every()` of Hono, or a function that makes it anew
 * for each request), the calls cannot be counted. Then the scope is the path under which that one is registered, and the place
 * among those that run for the request.
 */
export function limitScope({ limits, tiers = {} }: Pick<RouteInput, "limits" | "tiers">): LimitScope {
  // What is no list of limits is found when the configuration is read, and is no error here.
  const all: (LimitInput | undefined)[] = [limits, ...Object.values(tiers)].flat();
  const names = [...new Set(all.map((limit) => String(limit?.name)))];
  const place = Math.min(placeAmong(calls, names), MAX_CALLS);
  const own = place === 0 ? "" : `#${place}`;

  return function scope(c, self) {
    const registered = matchedRoutes(c)[c.req.routeIndex];
    if (registered?.handler === self) return own;
    const path = registered?.path ?? "*";
    const counts = runs.get(c) ?? new Map<string, number>();
    runs.set(c, counts);
    const place = placeAmong(
      counts,
      names.map((name) => `${path} ${name}`),
    );
    return `@${path}#${place}`;
  };
}

/** The place of one more call behind all that have one of its names: no two calls with a name in common have the same. */
function placeAmong(counts: Map<string, number>, names: readonly string[]): number {
  const place = Math.max(0, ...names.map((name) => counts.get(name) ?? 0));
  for (const name of names) {
    if (counts.has(name) || counts.size < MAX_NAMES) counts.set(name, place + 1);
  }
  return place;
}

const lists = new Map<string, readonly RouteInput[]>();

/**
 * The list itself, or an earlier one that says the same: a middleware that is made anew for each request then finds the isolate
 * of the last one.
 */
export function sameRoutes(routes: readonly RouteInput[]): readonly RouteInput[] {
  const text = JSON.stringify(routes);
  const known = lists.get(text);
  if (known) return known;
  if (lists.size < MAX_NAMES) lists.set(text, routes);
  return routes;
}

const scoped = new WeakMap<Route, Map<string, Route>>();

/** The route with counters of this scope; limits that are shared keep theirs. */
export function routeInScope(route: Route, scope: string): Route {
  if (scope === "") return route;
  const known = scoped.get(route) ?? new Map<string, Route>();
  scoped.set(route, known);
  const inScope = known.get(scope) ?? withScope(route, scope.replace(/[\s{}]+/g, "_"));
  known.set(scope, inScope);
  return inScope;
}

function withScope(route: Route, scope: string): Route {
  const counted = (policies: readonly Policy[]) =>
    policies.map((policy) => (policy.shared ? policy : { ...policy, id: `${scope}${policy.id}` }));
  const tiers = new Map([...route.tiers].map(([tier, policies]) => [tier, counted(policies)]));
  return { ...route, limits: counted(route.limits), tiers };
}
