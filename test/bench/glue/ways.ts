/** What docs/compared.md compares: the same app of six routes, with this package and with what people put together. */
export interface Way {
  /** The column's heading. */
  name: string;
  /** The app: a file of `apps/`. */
  app: string;
  /** Two middlewares that count the same key, as the package's own documentation writes one: a file of `apps/`. */
  two?: string;
  /** The packages that an app of six routes installs for it, beside hono. */
  packages: readonly string[];
}

/** Stands for the tarball that `npm pack` makes of this repository. */
export const THIS = "envoyou-edge";

/** Limits with a key and a 429 of the app's own. */
export const limitWays: readonly Way[] = [
  {
    name: "envoyou-edge, `createLimits()`",
    app: "limits-edge",
    two: "two-edge",
    packages: [THIS, "@upstash/ratelimit", "@upstash/redis"],
  },
  {
    name: "@upstash/ratelimit",
    app: "limits-upstash",
    two: "two-upstash",
    packages: ["@upstash/ratelimit", "@upstash/redis"],
  },
  {
    name: "hono-rate-limiter over Upstash",
    app: "limits-rate-limiter",
    two: "two-rate-limiter",
    packages: ["hono-rate-limiter", "@upstash/redis"],
  },
];

/** Limits, a session that is required, and a cache. */
export const appWays: readonly Way[] = [
  {
    name: "envoyou-edge, `createEdge()`",
    app: "app-edge",
    packages: [THIS, "@upstash/ratelimit", "@upstash/redis"],
  },
  {
    name: "hono-rate-limiter, hono-sessions in Redis, hono/cache",
    app: "app-glue",
    packages: ["hono-rate-limiter", "hono-sessions", "@upstash/redis"],
  },
  {
    name: "the same, sessions in cookies",
    app: "app-cookies",
    packages: ["hono-rate-limiter", "hono-sessions", "@upstash/redis"],
  },
];

/** The app without any of it. */
export const BARE = "six-routes";

/** The limit of the apps in `limitWays` and of the middlewares in `two`. */
export const LIMIT = 5;
