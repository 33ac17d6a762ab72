/** The route contract: what `src/routes.ts` and the `ROUTES` variable are written in, and what they become. */

/** A duration as @upstash/ratelimit writes it: `500 ms`, `10 s`, `1 m`, `1 h`, `1 d`, `1 w`; fractions allowed. */
export type Duration =
  | `${number} ${"ms" | "s" | "m" | "h" | "d" | "w"}`
  | `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

export type Algorithm = "sliding-window" | "fixed-window" | "token-bucket" | "sliding-log";

interface LimitBase {
  /** Names the policy in headers, logs and keys: letters, digits, `-` and `_`. Unique within its route. */
  name: string;
  window: Duration;
  /** Units one request takes: a whole number, 1 to the limit. Default 1. */
  cost?: number;
  /** Who is counted: the verified key, else the user, else the address (`caller`), or always the address. */
  by?: "caller" | "address";
  /** Counted, logged and reported, never enforced. Default false. */
  shadow?: boolean;
  /** Units an isolate may take in advance, at most a tenth of the limit. Default off. */
  lease?: number;
  /** In an outage, the part of the limit one isolate may admit on its own: above 0, up to 1. Default 1. */
  localShare?: number;
}

export type LimitInput =
  | (LimitBase & { limit: number; algorithm?: "sliding-window" | "fixed-window" | "sliding-log" })
  | (LimitBase & {
      algorithm: "token-bucket";
      /** Most tokens the bucket holds. */
      capacity: number;
      /** Tokens that come back each window. */
      refill: number;
    });

export interface CacheRuleInput {
  /** Seconds an answer without a lifetime of its own is fresh. Default `REDIS_CACHE_TTL` (shared, caller), else none. */
  ttl?: number;
  /** Who may be given a stored answer. Default `public`: RFC 9111 as written. */
  scope?: "public" | "shared" | "caller";
  /** Seconds (RFC 5861 §3). The response's own value wins. */
  staleWhileRevalidate?: number;
  /** Seconds (RFC 5861 §4). The response's own value wins. */
  staleIfError?: number;
  /** Purge tags added to those of the response. */
  tags?: string[];
  /** What of the query is in the cache key. Default: all of it, as written. */
  query?: { ignore?: string[]; sort?: boolean };
}

export interface RouteInput {
  /** Hono's path syntax, matched against the path that the origin will see. */
  path: string;
  /** Default: every method. */
  methods?: string[];
  /** Who may call. Default `public`. */
  access?: "public" | "identified" | "session";
  limits?: LimitInput[];
  /** Limits of a tier, in place of `limits`. */
  tiers?: Record<string, LimitInput[]>;
  cache?: CacheRuleInput;
  /** The origin may start or end a session with its answer (POST, 2xx). */
  session?: "start" | "end";
  /** Whether a session may be honoured from its signature while the store is lost. Default true. */
  offline?: boolean;
  /** What limits do while the store is lost. Default `local`. */
  onStoreFailure?: "local" | "open" | "closed";
  /** An API key that the origin answers with 2xx is a verified one. Default false. */
  verifiesKeys?: boolean;
  /** Let paths with `//`, `%2f`, `%5c` through. Default false. */
  rawPath?: boolean;
  /** Every limit of the route is in shadow. Default false. */
  shadow?: boolean;
}

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
  /** 0 = off. */
  lease: number;
  localShare: number;
  /** The window as it was written, for the library. */
  window: Duration;
  /** Unique over all routes and tiers, and without the limit in it, so that raising a limit keeps its counters. */
  id: string;
}

export interface CacheRule {
  /** Seconds; undefined = only what the response says, or a heuristic. */
  ttl: number | undefined;
  scope: "public" | "shared" | "caller";
  staleWhileRevalidate: number;
  staleIfError: number;
  tags: string[];
  query: { ignore: string[]; sort: boolean };
}

export interface Route {
  /** For logs and for policy ids: the path as written, or `*` where no route matched. */
  name: string;
  path: string;
  /** Upper case; empty = every method. */
  methods: string[];
  access: "public" | "identified" | "session";
  limits: Policy[];
  tiers: ReadonlyMap<string, Policy[]>;
  cache: CacheRule | null;
  session: "start" | "end" | null;
  offline: boolean;
  onStoreFailure: "local" | "open" | "closed";
  verifiesKeys: boolean;
  rawPath: boolean;
  shadow: boolean;
}

/** Checks the list while it is typed; `npm run check` and the Worker check the values. */
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
  session: null,
  offline: true,
  onStoreFailure: "local",
  verifiesKeys: false,
  rawPath: false,
  shadow: false,
};
