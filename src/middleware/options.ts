import type { Context, ValidationTargets } from "hono";
import type { CacheRuleInput, InvalidatesInput, LimitInput, RouteInput } from "../config/route.ts";
import type { Sink } from "../events/sink.ts";

/**
 * The context as the functions of a middleware get it. What a validator has read is there (`c.req.valid("json")`), and what another
 * middleware has set (`c.var`); annotate the parameter where their types count: `(c: Context<AppEnv>) => …`.
 */
// biome-ignore lint/suspicious/noExplicitAny: an app's own types, which differ from route to route.
export type AppContext = AnyValid & Context<any, any, any>;

/** Hono hands what a validator has read to the route's handlers only, not to what makes a middleware of them. */
interface AnyValid {
  // biome-ignore lint/suspicious/noExplicitAny: what the validator before it has read.
  readonly req: { valid(target: keyof ValidationTargets): any };
}

type MaybePromise<Value> = Value | Promise<Value>;

/** One key. Null, undefined, `""`, blanks, NaN and the texts `undefined`, `null`, `NaN` and `[object Object]` stand for nobody. */
export type LimitKey = string | number | bigint | null | undefined;

/**
 * Says whose request it is: one key, or several (at most 8), each with a count of its own. For a key that is nobody's the caller's own
 * identity counts (verified API key, else user, else address), so that nobody escapes a limit by leaving a field out, and no two share
 * one count by doing so. Any other value is a configuration error, and the request gets a 500. What it throws is the app's own error.
 *
 * @example (c) => c.req.valid("json").tenant
 * @example async (c) => [await tenantOf(c), c.var.userId]
 */
export type KeyFunction = (c: AppContext) => MaybePromise<LimitKey | readonly LimitKey[]>;

type WithOwnKey<Limit> = Limit extends unknown
  ? Omit<Limit, "by"> & {
      /**
       * Whose count it is: `caller` (the verified API key, else the user, else the address), `address`, or the name of a key in
       * `key: { tenant: … }`. Default every key that `key` returns; without `key` the `caller`.
       */
      by?: "caller" | "address" | (string & {}) | undefined;
    }
  : never;

/** A limit of a middleware: as in a route, and `by` may name a key. */
export type MiddlewareLimit = WithOwnKey<LimitInput>;

/** What a limited request is told, and what `onLimited` gets. */
export interface LimitedInfo {
  /** The name of the limit that refuses longest. */
  policy: string;
  /** Its units in a window. */
  limit: number;
  /** Its units that are left: fewer than the request costs. */
  remaining: number;
  /** When it has more units, milliseconds since the epoch. */
  resetAt: number;
  /** Whole seconds, at least 1, until this request would pass: what `Retry-After` says. */
  retryAfterSeconds: number;
  /** The names of all limits that refuse. */
  violated: readonly string[];
  /** The `request_id` of the problem and of the log line. */
  requestId: string;
}

/** The options that {@link rateLimit} and {@link edge} share. */
export interface LimitingOptions {
  /** Limits, all of which must have room; else nothing is counted and the answer is a 429. */
  limits?: readonly MiddlewareLimit[];
  /** Limits of a tier in place of `limits`. */
  tiers?: Readonly<Record<string, readonly MiddlewareLimit[]>>;
  /**
   * Whose request it is, in place of the caller: a function, or several by name, which a limit's `by` may choose from. Keys are
   * compared as they are (case and blanks count) and stand in Redis and in the log as HMACs only. A key that clients may choose freely
   * limits nobody: count the address beside it (`by: "address"`). A key cannot be named `caller` or `address`, which `by` has already.
   *
   * @example { tenant: (c) => c.req.header("x-tenant"), user: (c) => c.var.userId }
   */
  key?: KeyFunction | Readonly<Record<string, KeyFunction>>;
  /** The tier (a plan) whose limits hold. Null, undefined and a name that `tiers` has not: the caller's own tier, else `limits`. */
  tier?: (c: AppContext) => MaybePromise<string | null | undefined>;
  /** `true` for requests that no limit of this middleware counts or refuses. What it throws is the app's own error. */
  skip?: (c: AppContext) => MaybePromise<boolean>;
  /**
   * Units that the request takes of each limit, in place of the limit's own `cost`. A fraction counts as the next whole number; 0 is
   * neither counted nor refused; more than a limit has is refused and not counted. Negative, NaN and infinite values are a
   * configuration error, and the request gets a 500.
   *
   * @example (c) => c.req.valid("json").items.length
   */
  cost?: (c: AppContext) => MaybePromise<number>;
  /**
   * The answer to a request over a limit, of any status. It gets the limits' fields, `Retry-After` and `Cache-Control: no-store`. Without
   * a Response it is the 429 problem. Callers on the deny list (403) and a lost store with `onStoreFailure: "closed"` (503) are not
   * asked about.
   *
   * @example (c, { retryAfterSeconds }) => c.json({ error: "Slow down", retryAfterSeconds }, 429)
   */
  onLimited?: (c: AppContext, info: LimitedInfo) => MaybePromise<Response>;
  /** How limits work while the store is lost: `local` counts in the isolate, `open` admits, `closed` answers 503. Default `local`. */
  onStoreFailure?: RouteInput["onStoreFailure"];
}

/** Options of {@link rateLimit}. */
export interface RateLimitOptions extends LimitingOptions {
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
  key?: (c: AppContext) => MaybePromise<LimitKey | readonly LimitKey[]>;
}

/** Options of {@link edge}: all of the above in one. */
export interface EdgeOptions extends LimitingOptions {
  /** `required`: 401 without a session. `optional`: `c.var.session` may be null. Default: sessions are not read. */
  session?: "required" | "optional";
  /** How responses of the handlers are cached. Default not at all. A request with credentials is not, unless `scope` says so. */
  cache?: CacheOptions;
  /** What successful writes make invalid: here at once, in other isolates and middlewares within `ISOLATE_MAX_AGE_MS`. */
  invalidates?: InvalidatesInput;
  /** Receive every event, in addition to the log. */
  sinks?: readonly Sink[];
}

/** What `rateLimit()` is called with: the options, or a list of limits and the other options. */
export type RateLimitArguments =
  | [limits: readonly MiddlewareLimit[], options?: LimitingOptions]
  | [options: RateLimitOptions];

export function limitOptions([first, more]: RateLimitArguments): EdgeOptions {
  if (!isList(first)) return first;
  return { ...more, limits: first };
}

function isList(given: RateLimitArguments[0]): given is readonly MiddlewareLimit[] {
  return Array.isArray(given);
}

/** @param need `required`, `optional`, or options. */
export function sessionOptions(need: "required" | "optional" | SessionOptions = "optional"): EdgeOptions {
  if (typeof need === "string") return { session: need };
  return { session: need.required ? "required" : "optional" };
}
