import type { Redis } from "@upstash/redis";
import type { EdgeUser } from "../identity/confirmed.ts";
import type { HandlerLimiter } from "../ratelimit/limiter.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import type { HandlerSessions } from "../session/handler-sessions.ts";
import type { ActiveSession } from "../session/verdict.ts";
import type { ValueCache } from "../value-cache/value-cache.ts";

/** What handlers behind the edge find in `c.var`. */
export interface EdgeVariables {
  /** What a handler asks for itself; each call of a method is one to Upstash. */
  edge: {
    /**
     * `limit(identity, { limit, window })` applies a limit of the handler's own. Its `headers` are ready to be set:
     * `c.json(body, 429, headers)`.
     */
    limiter: HandlerLimiter;
    /** `create`, `get`, `touch`, `delete`, `rotate`. */
    sessions: HandlerSessions;
    /** `get`, `set`, `delete`, `getOrSet`: a key-value cache. */
    values: ValueCache;
  };
  /**
   * The Upstash client, for any other command: one attempt, within the deadline `storeDeadlineMs`. Its commands reject with a
   * {@link StoreError}. Keys are as you write them, without a prefix.
   */
  redis: Redis;
  /** The confirmed user: the valid session's, else the JWT's, else the one that the origin named for the API key. Null: nobody is known. */
  user: EdgeUser | null;
  /** The living session, or null. */
  session: ActiveSession | null;
  /** The verdict of the limits, of several the tightest; null where the request has none. */
  rateLimit: LimitVerdict | null;
}

/**
 * The types of an app behind the edge: `new Hono<EdgeEnv>()`.
 *
 * @example
 * import type { EdgeEnv } from "envoyou-edge";
 * import { Hono } from "hono";
 *
 * interface AppEnv extends EdgeEnv {
 *   Bindings: { GREETING: string };
 * }
 * const app = new Hono<AppEnv>();
 * app.get("/me", (c) => c.text(`${c.env.GREETING} ${c.var.user?.id ?? "stranger"}`));
 */
export interface EdgeEnv {
  /** The Worker's own variables: an app says which. */
  Bindings: object;
  /** What is in `c.var`. */
  Variables: EdgeVariables;
}
