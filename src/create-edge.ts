import type { MiddlewareHandler } from "hono";
import { ConfigError } from "./config/config-error.ts";
import { type EdgeSettings, inOptions, variablesFrom } from "./config/edge-settings.ts";
import { isolateOf } from "./edge/full-isolate.ts";
import { loadConfig } from "./edge/load-config.ts";
import type { Sink } from "./events/sink.ts";
import {
  type CacheOptions,
  type EdgeOptions,
  limitOptions,
  type RateLimitArguments,
  type SessionOptions,
  sessionOptions,
} from "./middleware/options.ts";
import { toHandlers } from "./middleware/to-handlers.ts";
import { type EdgeEnv, edgeIn } from "./middleware.ts";
import { connectionOf } from "./store/requester.ts";

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

/** The host's variables and bindings. */
type Host = Readonly<Record<string, unknown>>;

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
  const variablesOf = environments(options, () => sessions);
  if (typeof options !== "function") checkOptions(options);
  const sinks = typeof options === "function" ? undefined : options.sinks;
  const host = { isolateOf, toHandlers, variablesOf, explained: inTermsOfOptions };
  const edge: EdgeMiddlewares["edge"] = (more) => {
    sessions ||= more.session !== undefined;
    return edgeIn({ ...(sinks && { sinks }), ...more }, host);
  };
  return {
    edge,
    rateLimit: (...given) => edge(limitOptions(given)),
    session: (need) => edge(sessionOptions(need)),
    responseCache: (rule = {}) => edge({ cache: rule }),
  };
}

/** @throws ConfigError, before the first request. */
function checkOptions(options: CreateEdgeOptions): void {
  try {
    loadConfig(resolved(options, {}, true), []);
  } catch (error) {
    throw inTermsOfOptions(error);
  }
}

/** An error in terms of the options. */
export function inTermsOfOptions(error: unknown): unknown {
  return error instanceof ConfigError ? inOptions(error) : error;
}

/** So many different sets of variables are remembered; a Worker has one. Beyond that each `env` has an isolate of its own. */
const MAX_ENVIRONMENTS = 64;

/**
 * The variables for the host's. Equal ones are one object: an app that is asked without variables, as in a test, gets a new `env` with
 * every request, and its limits count on all the same.
 */
export function environments(
  options: CreateEdgeOptions | ((variables: Host) => EdgeSettings),
  usesSessions: () => boolean,
) {
  const byHost = new WeakMap<object, { variables: Record<string, unknown>; sessions: boolean }>();
  const known: Record<string, unknown>[] = [];
  return (host: object): object => {
    const found = byHost.get(host);
    if (found && (found.sessions || !usesSessions())) return found.variables;
    const own = typeof options === "function" ? options(host as Host) : options;
    const sessions = usesSessions();
    const variables = resolved(own, host as Host, sessions);
    // The first middleware with sessions came after the first request: what is open for these variables goes on, and their secret is there.
    const same = found
      ? Object.assign(found.variables, variables)
      : (known.find((each) => sameVariables(each, variables)) ?? variables);
    if (same === variables && known.length < MAX_ENVIRONMENTS) known.push(variables);
    byHost.set(host, { variables: same, sessions });
    return same;
  };
}

function resolved(options: CreateEdgeOptions, host: Host, sessions: boolean): Record<string, unknown> {
  const { sinks: _sinks, redis, ...settings } = options;
  const address = redis && ("url" in redis ? { url: redis.url, token: redis.token } : connectionOf(redis));
  if (address === null) {
    const place = "createEdge: redis";
    const found = "a client that repeats what may have been applied, and waits without end";
    const fix = "Write new Redis(createRequester({ url, token })), or redis: { url, token }.";
    throw new ConfigError([{ place, found, fix }]);
  }
  return variablesFrom({ ...settings, ...(address && { redis: address }) }, host, { sessions });
}

function sameVariables(one: Record<string, unknown>, other: Record<string, unknown>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
