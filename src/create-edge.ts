import type { MiddlewareHandler } from "hono";
import { edgeOptions } from "./config/edge-options.ts";
import type { EdgeSettings } from "./config/edge-settings.ts";
import { isolateOf } from "./edge/full-isolate.ts";
import { loadConfig } from "./edge/load-config.ts";
import type { Sink } from "./events/sink.ts";
import { environments, inTermsOf, resolved } from "./middleware/environments.ts";
import {
  type CacheOptions,
  type EdgeOptions,
  limitOptions,
  type RateLimitArguments,
  type SessionOptions,
  sessionOptions,
  withSinks,
} from "./middleware/options.ts";
import { toHandlers } from "./middleware/to-handlers.ts";
import { type EdgeEnv, edgeIn } from "./middleware.ts";

/** Options of {@link createEdge}. */
export interface CreateEdgeOptions extends EdgeSettings {
  /** Receive every event, whatever its level, in addition to the log. Default none. */
  sinks?: readonly Sink[];
}

/**
 * The middlewares of one edge, for `app.use()` or a single route. A configuration error that shows only with a request is a log line and
 * a 500. What a function of the app throws goes to the app's `onError`.
 */
export interface EdgeMiddlewares {
  /**
   * Limits, session and cache with one call to Upstash, and none where the isolate can answer.
   *
   * @param options What of these the requests get.
   * @returns the middleware.
   * @example
   * import { createEdge, type EdgeEnv } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { edge } = createEdge();
   * const app = new Hono<EdgeEnv>();
   * app.use("/me/*", edge({ limits: [{ name: "me", limit: 60, window: "1 m" }], session: "required" }));
   * app.get("/me/name", (c) => c.json({ user: c.var.user?.id }, 200, { "Cache-Control": "no-store" }));
   */
  edge(options: EdgeOptions): MiddlewareHandler<EdgeEnv>;
  /**
   * Only limits: one call, and none for a blocked caller.
   *
   * @param given A list of limits, and then the other options; or all of them as options.
   * @returns the middleware.
   * @example
   * import { createEdge } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { rateLimit } = createEdge();
   * const app = new Hono();
   * app.use("/api/*", rateLimit([{ name: "api", limit: 60, window: "1 m" }], { skip: (c) => c.req.method === "HEAD" }));
   */
  rateLimit(...given: RateLimitArguments): MiddlewareHandler<EdgeEnv>;
  /**
   * Only sessions: one call for a token with a valid signature, and none for any other.
   *
   * @param need `required` or `{ required: true }`: 401 without a living session. Default `optional`.
   * @returns the middleware.
   * @example
   * import { createEdge, type EdgeEnv } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { session } = createEdge();
   * const app = new Hono<EdgeEnv>();
   * app.use("/me/*", session("required"));
   * app.get("/me/name", (c) => c.json({ user: c.var.user?.id }, 200, { "Cache-Control": "no-store" }));
   */
  session(need?: "required" | "optional" | SessionOptions): MiddlewareHandler<EdgeEnv>;
  /**
   * Only the HTTP cache, for GET and HEAD.
   *
   * @param rule How answers are stored. Default `{}`: as they allow themselves.
   * @returns the middleware.
   * @example
   * import { createEdge } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { responseCache } = createEdge();
   * const app = new Hono();
   * app.get("/prices", responseCache({ ttl: 60, scope: "shared" }), (c) => c.json({ eur: 1 }));
   */
  responseCache(rule?: CacheOptions): MiddlewareHandler<EdgeEnv>;
}

/**
 * The middlewares for an app of your own, configured in code. Options win over variables; of the host's variables only
 * `UPSTASH_REDIS_REST_URL`, `UPSTASH_REDIS_REST_TOKEN`, `IDENTITY_SECRET` and, where sessions are used, `SESSION_SECRET` are read, and
 * only where no option gives them.
 *
 * @param options The options, or a function of the Worker's variables (`c.env`) that returns them, without `sinks`. Default `{}`.
 * @returns the middlewares. What they know is shared by all that were made by one call.
 * @throws {@link ConfigError} that names every option with an issue and the fix. Where the options are a function, or a variable has the
 *   issue, requests get a 500 and the log has the error.
 * @example
 * import { createEdge, type EdgeEnv } from "envoyou-edge";
 * import { Hono } from "hono";
 *
 * const { rateLimit, session } = createEdge({ sessions: { idleSeconds: 3600 } });
 * const app = new Hono<EdgeEnv>();
 * app.use("/api/*", rateLimit([{ name: "api", limit: 60, window: "1 m" }]));
 * app.use("/me/*", session("required"));
 * @example
 * import { createEdge } from "envoyou-edge";
 *
 * interface Env {
 *   MY_REDIS_URL: string;
 *   MY_REDIS_TOKEN: string;
 * }
 * const { edge } = createEdge((env: Env) => ({ redis: { url: env.MY_REDIS_URL, token: env.MY_REDIS_TOKEN } }));
 */
export function createEdge(
  // biome-ignore lint/suspicious/noExplicitAny: an app's own type of its variables, which may be an interface.
  options: CreateEdgeOptions | ((variables: any) => EdgeSettings) = {},
): EdgeMiddlewares {
  let sessions = false;
  const variablesOf = environments(options, () => sessions, edgeOptions);
  const explained = inTermsOf(edgeOptions);
  if (typeof options !== "function") {
    try {
      loadConfig(resolved(options, {}, true, edgeOptions), []);
    } catch (error) {
      throw explained(error);
    }
  }
  const sinks = typeof options === "function" ? undefined : options.sinks;
  const host = { isolateOf, toHandlers, variablesOf, explained };
  const edge: EdgeMiddlewares["edge"] = (more) => {
    sessions ||= Object(more).session !== undefined;
    return edgeIn(withSinks(more, sinks), host);
  };
  return {
    edge,
    rateLimit: (...given) => edge(limitOptions(given)),
    session: (need) => edge(sessionOptions(need)),
    responseCache: (rule = {}) => edge({ cache: rule }),
  };
}
