import type { MiddlewareHandler } from "hono";
import { limitOptions as table } from "./config/edge-settings.ts";
import type { CreateEdgeOptions } from "./create-edge.ts";
import { limitsConfig, limitsIsolateOf } from "./edge/limits-alone.ts";
import { environments, inTermsOf, resolved } from "./middleware/environments.ts";
import { limitOptions, type RateLimitArguments, withSinks } from "./middleware/options.ts";
import { type EdgeVariables, edgeIn } from "./middleware.ts";

/** Options of {@link createLimits}: those of `createEdge()` that limits have a use for, in the same words. Any other is a {@link ConfigError}. */
export interface CreateLimitsOptions
  extends Pick<
    CreateEdgeOptions,
    "redis" | "limits" | "mode" | "storeDeadlineMs" | "isolateMaxAgeMs" | "logLevel" | "sinks"
  > {
  /** Secrets. */
  secrets?: {
    /** What hashes callers in keys of Redis and in the log, 16 characters or more, or several, newest first. Default: the variable `IDENTITY_SECRET`. */
    identity?: string | readonly string[];
  };
}

/** What handlers behind limits alone find in `c.var`: `new Hono<LimitsEnv>()` types it. */
export interface LimitsEnv {
  /** The Worker's own variables: an app says which. */
  Bindings: object;
  /** What is in `c.var`. */
  Variables: Pick<EdgeVariables, "redis" | "rateLimit"> & {
    /** What a handler asks for itself. */
    edge: Pick<EdgeVariables["edge"], "limiter">;
  };
}

/** The middleware of {@link createLimits}. */
export interface LimitsMiddlewares {
  /**
   * Limits: one call to Upstash, and none for a blocked caller. A limit's `by: "caller"` is the address here, and a tier is what `tier`
   * returns.
   *
   * @param given A list of limits, and then the other options; or all of them as options.
   * @returns a middleware for `app.use()` or one route. A configuration error is a log line and a 500. What a function of the app throws
   *   goes to the app's `onError`.
   * @example
   * import { createLimits } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { rateLimit } = createLimits();
   * const app = new Hono();
   * app.use("/api/*", rateLimit({
   *   limits: [{ name: "api", limit: 60, window: "1 m" }],
   *   key: (c) => c.req.header("x-tenant"),
   *   onLimited: (c, { retryAfterSeconds }) => c.json({ error: `Again in ${retryAfterSeconds} s` }, 429),
   * }));
   */
  rateLimit(...given: RateLimitArguments): MiddlewareHandler<LimitsEnv>;
}

/**
 * What `createEdge()` is, for an app that only wants limits: a bundler leaves out sessions, caches and what they need. Callers are
 * known by their address, or by what `key` returns; API keys, JWTs and sessions take `createEdge()`, which takes the same options.
 *
 * @param options The options, or a function of the Worker's variables (`c.env`) that returns them, without `sinks`. Default `{}`.
 * @returns the middleware.
 * @throws {@link ConfigError} that names every option with an issue and the fix. Where the options are a function, or a variable has the
 *   issue, requests get a 500 and the log has the error.
 * @example
 * import { createLimits } from "envoyou-edge";
 * import { Hono } from "hono";
 *
 * const { rateLimit } = createLimits({ storeDeadlineMs: 300 });
 * const app = new Hono();
 * app.use("/api/*", rateLimit([{ name: "api", limit: 60, window: "1 m" }]));
 */
export function createLimits(
  // biome-ignore lint/suspicious/noExplicitAny: an app's own type of its variables, which may be an interface.
  options: CreateLimitsOptions | ((variables: any) => Omit<CreateLimitsOptions, "sinks">) = {},
): LimitsMiddlewares {
  const variablesOf = environments(options, () => false, table);
  const explained = inTermsOf(table);
  if (typeof options !== "function") {
    try {
      limitsConfig(resolved(options, {}, false, table), []);
    } catch (error) {
      throw explained(error);
    }
  }
  const sinks = typeof options === "function" ? undefined : options.sinks;
  return {
    // Its handlers are told of less: the rest of `c.var` is there and of no use.
    rateLimit: (...given) =>
      edgeIn(withSinks(limitOptions(given), sinks), {
        isolateOf: limitsIsolateOf,
        variablesOf,
        explained,
      }) as MiddlewareHandler as MiddlewareHandler<LimitsEnv>,
  };
}
