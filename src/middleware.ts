import type { Context, MiddlewareHandler } from "hono";
import type { CacheRuleInput, LimitInput, RouteInput } from "./config/route.ts";
import { isolateOf } from "./edge/isolate.ts";
import { type EdgeEnv, failure, open, replaceResponse, serve } from "./edge/serve.ts";
import { createEvents, type Sink } from "./events/events.ts";
import type { OriginFetch } from "./response-cache/origin-fetch.ts";
import { workerPlatform } from "./runtime/platform.ts";

export type { EdgeEnv, EdgeVariables } from "./edge/serve.ts";

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
  /** Receive every event, beside the log. Default none. */
  sinks?: readonly Sink[];
}

/**
 * The edge as a middleware for somebody else's Worker: limits, session and cache with **one** call to Upstash before the
 * handlers run, and none where the isolate can answer. It reads its settings from the Worker's own variables.
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
      response = await serve(c, isolate, async () => {
        const accessCheck = await open(c, isolate, { capabilities });
        return (await accessCheck.respond(throughHandlers(c, next))).response;
      });
    } catch (error) {
      response = failure(error, undefined, events);
    }
    replaceResponse(c, response);
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
