import type { Context, ValidationTargets } from "hono";
import { isObject } from "../config/check-given.ts";
import type { BucketLimitInput, WindowLimitInput } from "../config/limit-input.ts";
import type { CacheRuleInput, InvalidatesInput } from "../config/route.ts";
import type { Sink } from "../events/sink.ts";

/**
 * The context as the functions of a middleware get it. What a validator has read is there (`c.req.valid("json")`), and what another
 * middleware has set (`c.var`); annotate the parameter where their types count: `(c: Context<AppEnv>) => …`.
 */
export type AppContext = {
  /** The request. */
  readonly req: {
    /**
     * What a validator before the middleware has read of the request. Hono hands it to the route's handlers only, not to what makes a
     * middleware of them.
     */
    // biome-ignore lint/suspicious/noExplicitAny: an app's own types, which differ from route to route.
    valid(target: keyof ValidationTargets): any;
  };
  // biome-ignore lint/suspicious/noExplicitAny: an app's own types, which differ from route to route.
} & Context<any, any, any>;

/** One key. Null, undefined, `""`, blanks, NaN and the texts `undefined`, `null`, `NaN` and `[object Object]` stand for nobody. */
export type LimitKey = string | number | bigint | null | undefined;

/**
 * Says whose request it is: one key, or several (at most 8), each with a count of its own. For a key that is nobody's the caller's own
 * identity counts (verified API key, else user, else address), so that nobody escapes a limit by leaving a field out, and no two share
 * one count by doing so. Any other value is a configuration error, and the request gets a 500. What it throws is the app's own error.
 *
 * @example (c) => c.req.valid("json").tenant
 * @example async (c) => [c.req.header("x-tenant"), c.var.userId]
 */
export type KeyFunction = (
  c: AppContext,
) => LimitKey | readonly LimitKey[] | Promise<LimitKey | readonly LimitKey[]>;

/** Whose count a limit of a middleware is. */
export interface ByKey {
  /**
   * Whose count it is: `caller` (the verified API key, else the user, else the address), `address`, or the name of a key in
   * `key: { tenant: … }`; any other name is a configuration error. Default every key that `key` returns; without `key` the `caller`.
   */
  by?: "caller" | "address" | (string & {}) | undefined;
}

/**
 * A limit of a middleware: as in a route, and `by` may name a key.
 *
 * @example
 * import type { MiddlewareLimit } from "envoyou-edge";
 *
 * const limits: MiddlewareLimit[] = [
 *   { name: "tenant", limit: 1000, window: "1 m", by: "tenant" },
 *   { name: "address", limit: 60, window: "1 m", by: "address" },
 * ];
 */
export type MiddlewareLimit = (Omit<WindowLimitInput, "by"> & ByKey) | (Omit<BucketLimitInput, "by"> & ByKey);

/** What `onLimited` is told of a request over a limit. */
export interface LimitedInfo {
  /** The name of the limit that refuses longest. */
  policy: string;
  /** Its units in a window. */
  limit: number;
  /** Its units that are left: fewer than the request costs. */
  remaining: number;
  /** When it has more units, milliseconds since the epoch. */
  resetAt: number;
  /** Whole seconds, at least 1, until this request would pass: what `Retry-After` says. Null where it never passes, because its `cost` is above a limit. */
  retryAfterSeconds: number | null;
  /** The names of all limits that refuse. */
  violated: readonly string[];
  /** The `request_id` of the problem and of the log line. */
  requestId: string;
}

/** The options that {@link rateLimit} and {@link edge} share. A value that does not fit is a log line `config.error`, and a 500 for each request. */
export interface LimitingOptions {
  /**
   * Limits, all of which must have room; else nothing is counted and the answer is a 429 with `Retry-After`. Default none.
   *
   * @example [{ name: "api", limit: 60, window: "1 m" }]
   */
  limits?: readonly MiddlewareLimit[];
  /**
   * Limits of a tier in place of `limits`, by its name. Default none.
   *
   * @example { pro: [{ name: "api", limit: 600, window: "1 m" }] }
   */
  tiers?: Readonly<Record<string, readonly MiddlewareLimit[]>>;
  /**
   * Whose request it is, in place of the caller: a function, or several by name, which a limit's `by` may choose from. Keys are
   * compared as they are (case and blanks count) and stand in Redis and in the log as HMACs only. A key that clients may choose freely
   * limits nobody: count the address beside it (`by: "address"`). A key cannot be named `caller` or `address`, which `by` has already.
   *
   * @example { tenant: (c) => c.req.header("x-tenant"), user: (c) => c.var.userId }
   */
  key?: KeyFunction | Readonly<Record<string, KeyFunction>>;
  /**
   * The tier (a plan) whose limits hold. Null, undefined and a name that `tiers` has not: the caller's own tier, else `limits`. Default: that.
   *
   * @example async (c) => c.req.header("x-plan")
   */
  tier?: (c: AppContext) => string | null | undefined | Promise<string | null | undefined>;
  /**
   * `true` for requests that no limit of this middleware counts or refuses. A text, a number or an object in its place is a
   * configuration error, and the request gets a 500. What it throws is the app's own error. Default: none.
   *
   * @example (c) => c.req.header("x-probe") === "1"
   */
  skip?: (c: AppContext) => boolean | Promise<boolean>;
  /**
   * Units that the request takes of each limit, in place of the limit's own `cost`. A fraction counts as the next whole number; 0 is
   * neither counted nor refused; more than a limit has is refused, not counted, and has no `Retry-After`, because it never passes. Negative, NaN and infinite values are a
   * configuration error, and the request gets a 500.
   *
   * @example (c) => c.req.valid("json").items.length
   */
  cost?: (c: AppContext) => number | Promise<number>;
  /**
   * The answer to a request over a limit, of any status. It gets the limits' fields, `Retry-After` where waiting helps, and `Cache-Control: no-store`. Without
   * a Response it is the 429 problem. Callers on the deny list (403) and a lost store with `onStoreFailure: "closed"` (503) are not
   * asked about.
   *
   * @example (c, { retryAfterSeconds }) => c.json({ error: "Slow down", retryAfterSeconds }, 429)
   */
  onLimited?: (c: AppContext, info: LimitedInfo) => Response | Promise<Response>;
  /** How limits work while the store is lost: `local` counts in the isolate, `open` admits, `closed` answers 503. Default `local`. */
  onStoreFailure?: "local" | "open" | "closed" | undefined;
}

/**
 * Options of {@link rateLimit}.
 *
 * @example
 * import type { RateLimitOptions } from "envoyou-edge";
 *
 * const options: RateLimitOptions = {
 *   limits: [{ name: "orders", limit: 100, window: "1 m" }],
 *   key: (c) => c.req.header("x-tenant"),
 *   onLimited: (c, { retryAfterSeconds }) => c.json({ error: `Again in ${retryAfterSeconds} s` }, 429),
 * };
 */
export interface RateLimitOptions extends LimitingOptions {
  /** Limits, all of which must have room; else nothing is counted and the answer is a 429 with `Retry-After`. */
  limits: readonly MiddlewareLimit[];
}

/** Options of {@link session}. */
export interface SessionOptions {
  /** 401 without a living session. Default false: `c.var.session` and `c.var.user` may be null. */
  required?: boolean;
}

/** Options of {@link responseCache}: how answers to GET and HEAD are stored, as a route's `cache`. */
export interface CacheOptions extends CacheRuleInput {
  /**
   * What an answer depends on beside the URL, `Vary` and the scope: it is added to the key, and takes nothing from it. Null, undefined and
   * `""` add nothing. Purges and writes by URL reach every key. It is hashed. A list counts as a whole. Any other value is a
   * configuration error, and the request gets a 500.
   *
   * @example (c) => c.req.header("x-tenant")
   */
  key?: KeyFunction;
}

/**
 * Options of {@link edge}: limits, session and cache in one. A value that does not fit is a log line `config.error`, and a 500 for each request.
 *
 * @example
 * import type { EdgeOptions } from "envoyou-edge";
 *
 * const options: EdgeOptions = {
 *   limits: [{ name: "report", limit: 60, window: "1 m" }],
 *   session: "required",
 *   cache: { ttl: 60, scope: "shared" },
 * };
 */
export interface EdgeOptions extends LimitingOptions {
  /** `required`: 401 without a living session. `optional`: `c.var.session` may be null. Default: sessions are not read. */
  session?: "required" | "optional";
  /** How responses of the handlers are cached. Default not at all. A request with credentials is not, unless `scope` says so. */
  cache?: CacheOptions;
  /**
   * What successful writes make invalid, beside what is stored of their own URL: in this isolate at once, whichever middleware has stored
   * it, in others within `isolateMaxAgeMs`. `{}` names nothing else. Default: only what this middleware stores of the URL itself.
   */
  invalidates?: InvalidatesInput;
  /** Receive every event, whatever its level, in addition to the log. Those of the first middleware of a Worker count. Default none. */
  sinks?: readonly Sink[];
}

/**
 * What `rateLimit()` is called with: the options, or a list of limits and the other options.
 *
 * @example [[{ name: "api", limit: 60, window: "1 m" }], { key: (c) => c.req.header("x-tenant") }]
 * @example [{ limits: [{ name: "api", limit: 60, window: "1 m" }], key: (c) => c.req.header("x-tenant") }]
 */
export type RateLimitArguments =
  | [limits: readonly MiddlewareLimit[], options?: LimitingOptions]
  | [options: RateLimitOptions];

export function limitOptions([first, more]: RateLimitArguments): EdgeOptions {
  // What is no object has an issue that the check finds.
  if (isList(first)) return more === undefined || isObject(more) ? { ...more, limits: first } : more;
  // Without any it would let everybody pass: `limits` is then no list, which is an issue of the configuration.
  return { ...first, limits: first?.limits ?? ("none" as never) };
}

function isList(given: RateLimitArguments[0]): given is readonly MiddlewareLimit[] {
  return Array.isArray(given);
}

/** @param need `required`, `optional`, or options. What else there is goes on, for the check to find. */
export function sessionOptions(need: "required" | "optional" | SessionOptions = "optional"): EdgeOptions {
  if (!isObject(need)) return { session: need as never };
  const { required = false, ...others }: SessionOptions = need;
  const word = required === true ? "required" : "optional";
  return { ...others, session: typeof required === "boolean" ? word : (required as never) };
}

/** The options of a middleware, with the sinks of all. What is no object goes on, for the check to find. */
export function withSinks(options: EdgeOptions, sinks: EdgeOptions["sinks"]): EdgeOptions {
  return sinks && isObject(options) ? { sinks, ...options } : options;
}
