import type { Access } from "./access.ts";
import type { Algorithm } from "./limit-algorithms.ts";
import type { Duration } from "./limit-input.ts";
import type { RouteInput } from "./route-input.ts";

export type { Algorithm } from "./limit-algorithms.ts";
export type { Duration, LimitInput } from "./limit-input.ts";
export type { CacheRuleInput, InvalidatesInput, RouteInput } from "./route-input.ts";

/** What the routes of `src/routes.ts` or of the variable `ROUTES` become. `routes-schema.ts` says how they are written. */

/** One window of a route, ready to be used. */
export interface Policy {
  name: string;
  algorithm: Algorithm;
  /** Most units in a window; the capacity of a token bucket. */
  limit: number;
  windowMs: number;
  /** Tokens per window (token bucket only, else 0). */
  refill: number;
  cost: number;
  by: "caller" | "address";
  shadow: boolean;
  /** One count over every route that has a shared limit of this name. */
  shared: boolean;
  /** 0 = off. */
  lease: number;
  localShare: number;
  /** The window as it was written, for the library. */
  window: Duration;
  /** Names the counter: unique over all routes, but for shared limits and for the tiers of a route; and without the limit in it, so that raising a limit keeps its counters. */
  id: string;
}

export interface CacheRule {
  /** Seconds; undefined = only what the response says, or a heuristic. */
  ttl: number | undefined;
  scope: "public" | "shared" | "caller";
  staleWhileRevalidate: number;
  staleIfError: number;
  tags: string[];
  /** `allow` null: every parameter. */
  query: { ignore: string[]; allow: string[] | null; sort: boolean };
  /** Names and patterns of cookies that say nothing of who asks. */
  ignoreCookies: string[];
}

/** What a successful unsafe method makes invalid beside its own URL. Texts may have places: `item:{id}`. */
export interface Invalidates {
  /** Lower case. */
  tags: string[];
  /** Paths: each with all that is below it, on every host. */
  prefixes: string[];
}

export interface Route {
  /** For logs and for policy ids: the path as written, or `*` where no route matched. */
  name: string;
  path: string;
  /** Upper case; empty = every method. */
  methods: string[];
  access: Access;
  limits: Policy[];
  tiers: ReadonlyMap<string, Policy[]>;
  cache: CacheRule | null;
  invalidates: Invalidates | null;
  session: "start" | "end" | null;
  /** Origins that may send what changes something, beside those that may send it to every route. */
  crossSite: readonly string[];
  offline: boolean;
  onStoreFailure: "local" | "open" | "closed";
  /** `eager`: the origin may be asked before the store has answered. */
  originFetch: "eager" | null;
  verifiesKeys: boolean;
  rawPath: boolean;
  forgiving: boolean;
  shadow: boolean;
}

/**
 * Checks a list of routes while it is typed: that of `src/routes.ts`, of a Worker in front of an API. The first route that matches a request
 * holds for it. An app of your own has no such list: its middlewares take the same `limits`, `tiers`, `cache` and `invalidates`.
 *
 * @param routes The routes, first match first. Their values are checked by `npm run check` and by the Worker.
 * @returns the same list.
 * @example
 * import { defineRoutes } from "envoyou-edge";
 *
 * export default defineRoutes([
 *   { path: "/v1/login", methods: ["POST"], limits: [{ name: "login", limit: 5, window: "5 m", by: "address" }] },
 *   { path: "/v1/*", limits: [{ name: "all", limit: 60, window: "1 m" }], cache: { ttl: 60, scope: "shared" } },
 * ]);
 */
export function defineRoutes(routes: RouteInput[]): RouteInput[] {
  return routes;
}

/** What applies where no route matches: public, no limits, no cache. */
export const unmatchedRoute: Route = {
  name: "*",
  path: "*",
  methods: [],
  access: "public",
  limits: [],
  tiers: new Map(),
  cache: null,
  invalidates: null,
  session: null,
  crossSite: [],
  offline: true,
  onStoreFailure: "local",
  originFetch: null,
  verifiesKeys: false,
  rawPath: false,
  forgiving: true,
  shadow: false,
};
