import type { Redis } from "@upstash/redis";
import type { Context, MiddlewareHandler } from "hono";
import type { CacheRuleInput, LimitInput, RouteInput } from "./config/route.ts";
import { newRequestId, problemOf } from "./edge/finish.ts";
import { isolateOf } from "./edge/isolate.ts";
import { type Admitted, handle } from "./edge/pipeline.ts";
import { receive } from "./edge/receive.ts";
import { createEvents } from "./events/events.ts";
import type { Sink } from "./events/sink.ts";
import type { ConfirmedIdentity } from "./identity/confirmed.ts";
import type { Limiter } from "./ratelimit/limiter.ts";
import type { LimitVerdict } from "./ratelimit/verdict.ts";
import type { OriginFetch } from "./request/origin-reply.ts";
import { workerPlatform } from "./runtime/platform.ts";
import type { Sessions } from "./session/sessions.ts";
import type { ActiveSession } from "./session/verdict.ts";
import type { ValueCache } from "./value-cache/value-cache.ts";

/** What handlers behind the edge find in `c.var`. */
export interface EdgeVariables {
  edge: {
    /** `limit(identity, { limit, window })`: a limit of the handler's own. */
    limiter: Limiter;
    /** `create`, `get`, `touch`, `delete`, `rotate`. */
    sessions: Sessions;
    /** `get`, `set`, `delete`, `getOrSet`: a key-value cache. */
    values: ValueCache;
  };
  /** The Upstash client: any command, one attempt, the edge's deadline. */
  redis: Redis;
  /** Who is asking, confirmed: the living session's user, else the JWT's, else the one the origin named for the key. */
  user: ConfirmedIdentity["user"];
  /** The living session, or null. */
  session: ActiveSession | null;
  /** What the limits say of this request; null where it has none. */
  rateLimit: LimitVerdict | null;
}

export interface EdgeEnv {
  Bindings: object;
  Variables: EdgeVariables;
}

export interface EdgeOptions {
  /** Limits of every request that comes by. Default none. */
  limits?: LimitInput[];
  /** Limits of a tier in place of `limits`. */
  tiers?: Record<string, LimitInput[]>;
  /** `required`: 401 without a session. `optional`: `c.var.session` says who it is. Default: sessions are not looked at. */
  session?: "required" | "optional";
  /** How answers of the handlers are cached. Default not at all. */
  cache?: CacheRuleInput;
  /** What limits do while the store is lost. Default `local`. */
  onStoreFailure?: RouteInput["onStoreFailure"];
  /** Receive every event, beside the log. Those of the first middleware of a Worker count. */
  sinks?: readonly Sink[];
}

/**
 * The edge as a middleware for somebody else's Worker: limits, session and cache with **one** call to Upstash before the
 * handlers run, and none where the isolate can answer. It reads its settings from the Worker's own variables.
 *
 * @example
 * app.use("*", edge({ limits: [{ name: "all", limit: 60, window: "1 m" }], session: "optional" }));
 */
export function edge(options: EdgeOptions): MiddlewareHandler<EdgeEnv> {
  const { limits, tiers, session, cache, onStoreFailure, sinks } = options;
  const routes: RouteInput[] = [
    {
      path: "/*",
      access: session === "required" ? "session" : "public",
      ...(limits && { limits }),
      ...(tiers && { tiers }),
      ...(cache && { cache }),
      ...(onStoreFailure && { onStoreFailure }),
    },
  ];
  const capabilities = {
    limits: Boolean(limits ?? tiers),
    session: session !== undefined,
    cache: cache !== undefined,
  };

  const events = createEvents({ platform: workerPlatform, ...(sinks && { sinks }) });

  return async function edgeMiddleware(c, next) {
    let response: Response;
    try {
      const isolate = isolateOf(c.env, routes, sinks);
      const received = receive(isolate, c.req.raw, (work) => c.executionCtx.waitUntil(work));
      response = await handle(
        isolate,
        received,
        (admitted) => {
          setVariables(c, isolate, admitted);
          return throughHandlers(c, next);
        },
        { capabilities },
      );
    } catch (error) {
      response = problemOf(error, newRequestId(), events);
    }
    // Hono merges the fields of the response it had into the one it gets; here the new one is the whole answer.
    c.res = undefined;
    c.res = response;
  };
}

/** Limits alone: one call to Upstash, none for a blocked caller. */
export function rateLimit(limits: LimitInput[], options: Pick<EdgeOptions, "tiers" | "onStoreFailure"> = {}) {
  return edge({ ...options, limits });
}

/** Sessions alone: one call to Upstash for a signed token, none for a forged one. */
export function session(need: "required" | "optional" = "optional") {
  return edge({ session: need });
}

/** The HTTP cache alone. */
export function responseCache(rule: CacheRuleInput = {}) {
  return edge({ cache: rule });
}

function setVariables(
  c: Context<EdgeEnv>,
  { limiter, sessions, values, store }: ReturnType<typeof isolateOf>,
  { identity, session, limits }: Admitted,
): void {
  c.set("edge", { limiter, sessions, values });
  c.set("redis", store.redis());
  c.set("user", identity.user);
  c.set("session", session.kind === "active" ? session : null);
  c.set("rateLimit", limits);
}

/** The handlers that follow in the app, as an origin: they can be asked once, and get the request as it came. */
function throughHandlers(c: Context<EdgeEnv>, next: () => Promise<void>): OriginFetch {
  return {
    repeatable: false,
    async fetch() {
      await next();
      return { kind: "response", response: c.res } as const;
    },
  };
}
