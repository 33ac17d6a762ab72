import type { Redis } from "@upstash/redis";
import type { Context, MiddlewareHandler } from "hono";
import type { CacheRuleInput, InvalidatesInput, LimitInput, RouteInput } from "./config/route.ts";
import type { Admitted } from "./edge/admission.ts";
import { newRequestId, problemOf } from "./edge/finish.ts";
import { isolateOf } from "./edge/full-isolate.ts";
import type { Isolate, IsolateOf } from "./edge/isolate.ts";
import { limitScope, routeInScope, sameRoutes } from "./edge/middleware-scope.ts";
import { handle } from "./edge/pipeline.ts";
import { receive } from "./edge/receive.ts";
import { createEvents } from "./events/events.ts";
import type { Sink } from "./events/sink.ts";
import { Problem } from "./http/problem.ts";
import type { ConfirmedIdentity } from "./identity/confirmed.ts";
import type { Limiter } from "./ratelimit/limiter.ts";
import type { LimitVerdict } from "./ratelimit/verdict.ts";
import type { OriginFetch } from "./request/origin-reply.ts";
import { workerPlatform } from "./runtime/platform.ts";
import type { Sessions } from "./session/sessions.ts";
import type { ActiveSession } from "./session/verdict.ts";
import type { ValueCache } from "./value-cache/value-cache.ts";

/** The variables in `c.var` of handlers behind the edge. */
export interface EdgeVariables {
  edge: {
    /** `limit(identity, { limit, window })` applies a limit of the handler's own. */
    limiter: Limiter;
    /** `create`, `get`, `touch`, `delete`, `rotate`. */
    sessions: Sessions;
    /** `get`, `set`, `delete`, `getOrSet`: a key-value cache. */
    values: ValueCache;
  };
  /** The Upstash client: any command, one attempt, the edge's deadline. */
  redis: Redis;
  /** The confirmed user: the valid session's, else the JWT's, else the one that the origin named for the API key. */
  user: ConfirmedIdentity["user"];
  /** The valid session, or null. */
  session: ActiveSession | null;
  /** The verdict of the limits; null where the request has none. */
  rateLimit: LimitVerdict | null;
}

export interface EdgeEnv {
  Bindings: object;
  Variables: EdgeVariables;
}

/** Options of {@link edge}. */
export interface EdgeOptions {
  /** Limits of every request. Default none. */
  limits?: LimitInput[];
  /** Limits of a tier in place of `limits`. */
  tiers?: Record<string, LimitInput[]>;
  /** `required`: 401 without a session. `optional`: `c.var.session` may be null. Default: sessions are not read. */
  session?: "required" | "optional";
  /** How responses of the handlers are cached. Default not at all. */
  cache?: CacheRuleInput;
  /** What successful writes make invalid: here at once, in other isolates and middlewares within `ISOLATE_MAX_AGE_MS`. */
  invalidates?: InvalidatesInput;
  /** How limits work while the store is lost. Default `local`. */
  onStoreFailure?: RouteInput["onStoreFailure"];
  /** Receive every event, in addition to the log. */
  sinks?: readonly Sink[];
}

/**
 * The edge as Hono middleware: limits, session and cache with **one** call to Upstash before the handlers run, and none where
 * the isolate can answer. It reads its settings from the Worker's variables. It throws nothing: a configuration error is a
 * log line and a 500.
 *
 * @example
 * app.use("*", edge({ limits: [{ name: "all", limit: 60, window: "1 m" }], session: "optional" }));
 */
export function edge(options: EdgeOptions): MiddlewareHandler<EdgeEnv> {
  return edgeIn(options, isolateOf, (env) => env);
}

/**
 * The same with variables of its own.
 *
 * @param isolateOf The isolates: what takes part.
 * @param variablesOf The variables for the host's; the same object for the same values, because what an isolate knows belongs to
 *   it. @throws ConfigError
 * @param explained What is to be said of an error.
 */
export function edgeIn(
  options: EdgeOptions,
  isolateOf: IsolateOf,
  variablesOf: (env: object) => object,
  explained: (error: unknown) => unknown = (error) => error,
): MiddlewareHandler<EdgeEnv> {
  const { limits, tiers, session, cache, invalidates, onStoreFailure, sinks } = options;
  const list: RouteInput[] = [
    {
      path: "/*",
      access: session === "required" ? "session" : "public",
      ...(limits && { limits }),
      ...(tiers && { tiers }),
      ...(cache && { cache }),
      ...(invalidates && { invalidates }),
      ...(onStoreFailure && { onStoreFailure }),
    },
  ];
  const { routes } = sameRoutes(list, sinks);
  const capabilities = {
    limits: Boolean(limits ?? tiers),
    session: session !== undefined,
    cache: cache !== undefined || invalidates !== undefined,
  };

  const events = createEvents({ platform: workerPlatform, ...(sinks && { sinks }) });

  const scopeOf = limitScope(options);

  return async function edgeMiddleware(c, next) {
    let response: Response;
    try {
      const isolate = isolateOf(variablesOf(c.env ?? {}), routes, sinks);
      const [route] = isolate.config.routes;
      const received = receive(isolate, c.req.raw, waitUntilOf(c));
      response = await handle(
        isolate,
        received,
        (admitted) => {
          setVariables(c, isolate, admitted);
          return throughHandlers(c, next, admitted);
        },
        {
          capabilities,
          handlers: true,
          ...(route && { route: routeInScope(route, scopeOf(c, edgeMiddleware)) }),
        },
      );
    } catch (error) {
      response = problemOf(explained(error), newRequestId(), events);
    }
    // Hono merges the fields of the previous response into a new one. The assignment of undefined prevents that.
    c.res = undefined;
    c.res = response;
  };
}

/** Only limits: one call to Upstash, and none for a blocked caller. */
export function rateLimit(limits: LimitInput[], options: Pick<EdgeOptions, "tiers" | "onStoreFailure"> = {}) {
  return edge({ ...options, limits });
}

/** Only sessions: one call to Upstash for a token with a valid signature, and none for any other. */
export function session(need: "required" | "optional" = "optional") {
  return edge({ session: need });
}

/** Only the HTTP cache. */
export function responseCache(rule: CacheRuleInput = {}) {
  return edge({ cache: rule });
}

/**
 * Work that goes on after the response. Without an ExecutionContext (`app.request()` in a test, another runtime) it starts as well,
 * and nothing keeps the process alive until it is done.
 */
function waitUntilOf(c: Context<EdgeEnv>): (work: Promise<unknown>) => void {
  try {
    const context = c.executionCtx;
    return (work) => context.waitUntil(work);
  } catch {
    // Hono throws where there is none. The work's own errors are events.
    return (work) => void work.catch(() => {});
  }
}

function setVariables(
  c: Context<EdgeEnv>,
  { limiter, sessions, values, store }: Isolate,
  { identity, session, limits }: Admitted,
): void {
  c.set("edge", { limiter, sessions, values });
  c.set("redis", store.redis());
  c.set("user", identity.user);
  c.set("session", session.kind === "active" ? session : null);
  c.set("rateLimit", limits);
}

/** The app's following handlers as an origin. They can run only once. */
function throughHandlers(c: Context<EdgeEnv>, next: () => Promise<void>, { request }: Admitted): OriginFetch {
  return {
    repeatable: false,
    async fetch() {
      if (request.forwarded.rule) narrow(c, request);
      await next();
      if (c.error instanceof Problem && c.error.isAnswer) throw c.error;
      return { kind: "response", response: c.res } as const;
    },
  };
}

/** Set by the platform for each request: no stored answer may vary by them. */
const OF_THE_PLATFORM = ["cf-connecting-ip", "x-forwarded-for"];

/** Gives the handlers the request that their answer is stored for: what is in no key must not change it (law 8). */
function narrow(c: Context<EdgeEnv>, { request, forwarded }: Admitted["request"]): void {
  const headers = forwarded.fields.toHeaders(true);
  for (const name of OF_THE_PLATFORM) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const { method, signal, cf } = request;
  c.req.raw = new Request(forwarded.url, {
    method,
    headers,
    signal,
    ...(cf && { cf: cf as RequestInitCfProperties }),
  });
}
